"""
crm_node: what the cluster layer below knows of nodes.

XML since 2.1.7, plain text before; each request says which version is installed and reads either.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin_ocf.pacemaker.command import TIMEOUT, Reply, Request, argv
from tocsin_ocf.pacemaker.document import RESULT, document, done, number, text, true
from tocsin_ocf.pacemaker.faults import Unreadable
from tocsin_ocf.pacemaker.version import Version, xml_options


@dataclass(frozen=True)
class Member:
    """A node of the cluster layer; `state` is "member", "lost" or "" (never seen)."""

    id: int
    name: str
    state: str


def name(installed: Version) -> Request[str]:
    """Ask how the cluster calls this node: a cluster node or a remote one."""
    return Request(_words(installed, "--name"), TIMEOUT, parse=_name)


def name_of(installed: Version, node_id: int) -> Request[str]:
    """Ask for the name of the node with a number; NoSuchNode."""
    words = _words(installed, f"--name-for-id={node_id}")
    return Request(words, TIMEOUT, parse=_name, node=str(node_id))


def _name(reply: Reply) -> str:
    if _is_xml(reply):
        info = document(reply).find("node-info")
        found = "" if info is None else info.get("uname", "")
    else:
        found = text(reply).strip()
    if not found:
        raise Unreadable("no name in the reply")
    return found


def node_id(installed: Version) -> Request[int]:
    """Ask for the number of this node."""
    return Request(_words(installed, "--cluster-id"), TIMEOUT, parse=_id)


def _id(reply: Reply) -> int:
    if _is_xml(reply):
        return number(document(reply).find("node-info"), "nodeid")
    word = text(reply).strip()
    if not word.isdecimal():
        raise Unreadable(f"no node id: {word[:80]!r}")
    return int(word)


def list_nodes(installed: Version) -> Request[tuple[Member, ...]]:
    """Ask for all nodes that the cluster layer knows or has known; no remote ones."""
    return Request(_words(installed, "--list"), TIMEOUT, parse=_members)


def _members(reply: Reply) -> tuple[Member, ...]:
    if _is_xml(reply):
        nodes = document(reply).findall("nodes/node")
        return tuple(Member(number(node, "id"), node.get("name", ""), node.get("state", "")) for node in nodes)
    return tuple(map(_member, text(reply).splitlines()))


def _member(line: str) -> Member:
    words = line.split()  # the name, or the state, of a node that was never seen is missing
    if not words or not words[0].isdecimal():
        raise Unreadable(f"no member: {line[:80]!r}")
    found, state = [*words[1:], "", ""][:2]
    return Member(int(words[0]), found, state)


def partition(installed: Version) -> Request[tuple[str, ...]]:
    """Ask for the names of the nodes in this node's partition."""
    return Request(_words(installed, "--partition"), TIMEOUT, parse=_partition)


def _partition(reply: Reply) -> tuple[str, ...]:
    if _is_xml(reply):
        return tuple(node.get("name", "") for node in document(reply).findall("nodes/node"))
    return tuple(text(reply).split())


def quorum(installed: Version) -> Request[bool]:
    """Ask whether this node's partition has quorum."""
    return Request(_words(installed, "--quorum"), TIMEOUT, parse=_quorum)


def _quorum(reply: Reply) -> bool:
    if _is_xml(reply):
        return true(document(reply).find("cluster-info"), "quorum")
    word = text(reply).strip()
    if word not in ("0", "1"):
        raise Unreadable(f"no quorum: {word[:80]!r}")
    return word == "1"


def remove(node: str, *, force: bool = False) -> Request[None]:
    """Make Pacemaker forget a node that is stopped and gone from corosync's configuration."""
    words = (f"--remove={node}", *(("--force",) if force else ()))
    return Request(argv("crm_node", *words), TIMEOUT, parse=done, node=node)


def _words(installed: Version, word: str) -> tuple[str, ...]:
    return argv("crm_node", *xml_options("crm_node", installed), word)


def _is_xml(reply: Reply) -> bool:
    return RESULT in reply.stdout
