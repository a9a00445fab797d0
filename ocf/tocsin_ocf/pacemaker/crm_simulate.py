"""crm_simulate and crm_verify: what the cluster would do, and whether a configuration is sound. Nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from tocsin_ocf.pacemaker.command import Reply, Request, argv
from tocsin_ocf.pacemaker.crm_mon import read_status
from tocsin_ocf.pacemaker.document import AS_XML, document, errors_in, number, true
from tocsin_ocf.pacemaker.faults import NO_INPUT
from tocsin_ocf.pacemaker.values import ClusterStatus

PATIENCE = 60.0
"""Seconds: the scheduler needs some for a thousand resources."""
INVALID = 78


@dataclass(frozen=True)
class PlannedAction:
    """
    What the scheduler decided for a resource: "start", "stop", "move", "recover", "promote", "leave" and so on.

    `node` is where; of a move `source` and `dest` tell. Roles as Pacemaker writes them. For a node ("fence") `resource`
    is "".
    """

    action: str
    resource: str
    node: str = ""
    source: str = ""
    dest: str = ""
    role: str = ""
    next_role: str = ""
    reason: str = ""
    blocked: bool = False


@dataclass(frozen=True)
class Step:
    """One step of the simulated transition, in its order: an operation of a resource, or a task of the cluster."""

    kind: str
    """ "rsc", "cluster", "fencing" or "pseudo"."""
    task: str
    node: str = ""
    resource: str = ""
    interval: float = 0.0


@dataclass(frozen=True)
class Simulation:
    """What the cluster would do now, and what would then be."""

    before: ClusterStatus
    actions: tuple[PlannedAction, ...]
    steps: tuple[Step, ...]
    after: ClusterStatus | None


def simulate(
    xml: str = "",
    *,
    operations: Sequence[str] = (),
    failing: Sequence[str] = (),
    down: Sequence[str] = (),
    up: Sequence[str] = (),
) -> Request[Simulation]:
    """
    Ask what the cluster would do: as it is, or with `xml` as its configuration and status.

    `operations` are results to inject and `failing` ones that operations of the simulation shall have, each
    RESOURCE_TASK_INTERVAL@NODE=EXITCODE with the interval in milliseconds; `down` and `up` name nodes.
    """
    words = [f"--op-inject={each}" for each in operations] + [f"--op-fail={each}" for each in failing]
    words += [f"--node-down={each}" for each in down] + [f"--node-up={each}" for each in up]
    source = "--xml-pipe" if xml else "--live-check"
    command = argv("crm_simulate", AS_XML, "--simulate", source, *words)
    return Request(command, PATIENCE, xml, parse=_simulation, meanings={} if xml else NO_INPUT)


def _simulation(reply: Reply) -> Simulation:
    root = document(reply)
    before, after = root.find("cluster_status"), root.find("revised_cluster_status")
    return Simulation(
        before=read_status(before if before is not None else ElementTree.Element("cluster_status")),
        actions=tuple(_action(element) for element in root.iterfind("actions/*")),
        steps=tuple(_step(element) for element in root.iterfind("transition/*")),
        after=None if after is None else read_status(after),
    )


def _action(element: ElementTree.Element) -> PlannedAction:
    return PlannedAction(
        action=element.get("action", "") or element.get("task", ""),
        resource=element.get("resource", ""),
        node=element.get("node", ""),
        source=element.get("source", ""),
        dest=element.get("dest", ""),
        role=element.get("role", ""),
        next_role=element.get("next-role", ""),
        reason=element.get("reason", ""),
        blocked=true(element, "blocked"),
    )


def _step(element: ElementTree.Element) -> Step:
    return Step(
        kind=element.tag.partition("_")[0],
        task=element.get("op", "") or element.get("task", ""),
        node=element.get("node", "") or element.get("target", ""),
        resource=element.get("resource", "") or element.get("id", ""),
        interval=number(element, "interval") / 1000,
    )


@dataclass(frozen=True)
class Verdict:
    """Whether a configuration is valid, and what is said of it: also warnings, of a valid one."""

    valid: bool
    words: tuple[str, ...] = ()


def verify(xml: str = "") -> Request[Verdict]:
    """Ask whether the configuration of the cluster, or `xml`, is valid; that it is not is an answer, no Fault."""
    source = "--xml-pipe" if xml else "--live-check"
    words = argv("crm_verify", AS_XML, "--verbose", source)
    return Request(words, PATIENCE, xml, parse=_verdict, meanings={} if xml else NO_INPUT)


def _verdict(reply: Reply) -> Verdict:
    root = document(reply, INVALID)
    lines = [*errors_in(root), *(line.strip() for line in reply.stderr.splitlines())]
    return Verdict(reply.code == 0, tuple(dict.fromkeys(filter(None, lines))))
