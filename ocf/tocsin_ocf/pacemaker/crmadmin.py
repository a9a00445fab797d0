"""crmadmin: the controllers, and the daemons of Pacemaker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tocsin_ocf.pacemaker.command import TIMEOUT, Reply, Request, argv, seconds
from tocsin_ocf.pacemaker.document import AS_XML, document
from tocsin_ocf.pacemaker.faults import NO_INPUT, Unreadable

ANSWER = 8.0
"""Seconds that a controller gets to answer."""


@dataclass(frozen=True)
class KnownNode:
    """A node of the configuration; `kind` is "cluster", "remote" or "guest"."""

    name: str
    id: str
    kind: str


def dc() -> Request[str]:
    """Ask which node is the designated controller; "" while there is none."""
    return Request(argv("crmadmin", AS_XML, "--dc_lookup"), TIMEOUT, parse=_dc)


def _dc(reply: Reply) -> str:
    found = document(reply).find("dc")
    return "" if found is None else found.get("node_name", "")


def controller_state(node: str) -> Request[str]:
    """
    Ask for the state of a node's controller: "S_IDLE" on the DC, "S_NOT_DC" elsewhere; else a transition.

    A node that is down, or that nobody knows, does not answer: TimedOut, after 8 s.
    """
    words = argv("crmadmin", AS_XML, f"--status={node}", f"--timeout={seconds(ANSWER)}")
    return Request(words, TIMEOUT, parse=partial(_state, of="crmd"), node=node)


def _state(reply: Reply, of: str) -> str:
    found = document(reply).find(of)
    if found is None:
        raise Unreadable("no state in the reply")
    return found.get("state", "")


def daemons() -> Request[str]:
    """Ask what state this node's daemons are in: "running", "starting_daemons", "shutting_down"..."""
    return Request(argv("crmadmin", AS_XML, "--pacemakerd"), TIMEOUT, parse=partial(_state, of="pacemakerd"))


def nodes() -> Request[tuple[KnownNode, ...]]:
    """Ask for all nodes of the configuration: cluster, remote and guest."""
    words = argv("crmadmin", AS_XML, "--nodes")
    return Request(words, TIMEOUT, parse=_nodes, meanings=NO_INPUT)


def _nodes(reply: Reply) -> tuple[KnownNode, ...]:
    found = document(reply).iterfind("nodes/node")
    return tuple(KnownNode(e.get("name", ""), e.get("id", ""), e.get("type", "")) for e in found)
