"""What has changed between two looks at a cluster, as values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from tocsin_ocf.pacemaker.faults import NotConnected, TimedOut, TryAgain
from tocsin_ocf.pacemaker.values import ClusterStatus, Node, Resource, Ticket


class Kind(Enum):
    """What a change is about."""

    CONNECTION = "connection"
    MAINTENANCE = "maintenance"
    QUORUM = "quorum"
    DC = "dc"
    NODE = "node"
    RESOURCE = "resource"
    FAILURE = "failure"
    ATTRIBUTE = "attribute"
    TICKET = "ticket"


@dataclass(frozen=True)
class Change:
    """
    One thing that has changed; `before` or `after` is "" where it was, or is, not there.

    `subject` is a node, resource, attribute, ticket or, of a failure, Pacemaker's key of the operation; `node` says
    where, if that matters. A resource is what it is on a node: "Started", "Promoted, failed", "Stopping".
    """

    kind: Kind
    subject: str
    before: str
    after: str
    node: str = ""


Facts = dict[tuple[Kind, str, str], str]


def compare(before: ClusterStatus, after: ClusterStatus) -> tuple[Change, ...]:
    """Return what has changed, in the order of Kind, then by name."""
    return _differences(facts(before), facts(after))


def _differences(old: Facts, new: Facts) -> tuple[Change, ...]:
    order = list(Kind)
    changed = [key for key in {**old, **new} if old.get(key, "") != new.get(key, "")]
    changed.sort(key=lambda key: (order.index(key[0]), key[1:]))
    return tuple(Change(k, s, old.get((k, s, n), ""), new.get((k, s, n), ""), n) for k, s, n in changed)


def facts(status: ClusterStatus) -> Facts:
    """Return a status as one word for each thing that can change."""
    found: Facts = {
        (Kind.MAINTENANCE, "", ""): "on" if status.maintenance else "off",
        (Kind.QUORUM, "", ""): "yes" if status.quorum else "no",
        (Kind.DC, "", ""): status.dc,
    }
    found.update({(Kind.NODE, name, ""): _node_word(node) for name, node in status.nodes.items()})
    for instance in status.instances:
        found.update({(Kind.RESOURCE, instance.id, node): _resource_words(instance) for node in instance.nodes})
    for failure in status.failures:
        words = f"call {failure.call}: {failure.code} {failure.reason}".strip()
        found[Kind.FAILURE, failure.operation, failure.node] = words
    for node, attributes in status.attributes.items():
        found.update({(Kind.ATTRIBUTE, name, node): value for name, value in attributes.items()})
    found.update({(Kind.TICKET, ticket.id, ""): _ticket_word(ticket) for ticket in status.tickets})
    return found


def _node_word(node: Node) -> str:
    if not node.online:
        return "unclean" if node.unclean else "offline"
    words = {"shutting down": node.shutdown, "maintenance": node.maintenance, "standby": node.standby}
    return next((word for word, true in words.items() if true), "online")


def _resource_words(instance: Resource) -> str:
    words = [instance.pending or instance.role.value]
    words += ["failed"] if instance.failed else []
    words += ["unmanaged"] if not instance.managed else []
    return ", ".join(words)


def _ticket_word(ticket: Ticket) -> str:
    return ("standby" if ticket.standby else "granted") if ticket.granted else "revoked"


def watch(look: Callable[[], ClusterStatus], sleep: Callable[[], object]) -> Iterator[Change]:
    """
    Yield changes without end; the first look is what the next is compared with.

    A cluster that cannot be asked for a while is itself a change, of the connection, and what has changed meanwhile
    comes when it can be asked again. Every other Fault is raised.
    """
    before: ClusterStatus | None = None
    lost = ""
    while True:
        try:
            after = look()
        except (NotConnected, TimedOut, TryAgain) as fault:
            if not lost:
                lost = str(fault)
                yield Change(Kind.CONNECTION, "", "connected" if before else "", lost)
        else:
            if lost:
                yield Change(Kind.CONNECTION, "", lost, "connected")
                lost = ""
            yield from compare(before, after) if before else ()
            before = after
        sleep()
