"""
crm_mon: the cluster's status in one reply.

Pacemaker 3 says `removed` for `orphaned` and `fencing-enabled` for `stonith-enabled`; both are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from tocsin_ocf.pacemaker.command import TIMEOUT, Reply, Request, argv
from tocsin_ocf.pacemaker.document import AS_XML, document, number, seconds_in, true
from tocsin_ocf.pacemaker.values import (
    Ban,
    ClusterStatus,
    FailCount,
    Failure,
    FenceEvent,
    HistoryEntry,
    Node,
    Resource,
    Role,
    Ticket,
)

GUARDED = "nodes,resources,operations,failures,options"
"""What the decision to report a failure needs."""
EVERYTHING = f"dc,{GUARDED},attributes,failcounts,fencing,tickets,bans"


def status(directory: str = "", include: str = GUARDED) -> Request[ClusterStatus]:
    """Ask for the cluster's status; `include` names the sections, as `crm_mon --include` has them."""
    words = argv("crm_mon", "--one-shot", AS_XML, "--inactive", f"--include=none,{include}")
    return Request(words, TIMEOUT, parse=parse_status).at(directory)


def parse_status(reply: Reply) -> ClusterStatus:
    """Return the cluster in the reply to `status`; Fault where the tool failed or its output is unreadable."""
    return read_status(document(reply))


def read_status(root: ElementTree.Element) -> ClusterStatus:
    """Return the cluster in a document, or in the part of one that is built alike."""
    dc, options = root.find("summary/current_dc"), root.find("summary/cluster_options")
    return ClusterStatus(
        maintenance=true(options, "maintenance-mode"),
        nodes={node.name: node for node in map(_node, root.findall("nodes/node"))},
        instances=tuple(_instances(root.find("resources"))),
        failures=tuple(_failure(e) for e in root.iter("failure") if "op_key" in e.attrib),
        dc=dc.get("name", "") if dc is not None else "",
        quorum=true(dc, "with_quorum"),
        version=dc.get("version", "") if dc is not None else "",
        fencing=true(options, "fencing-enabled") or true(options, "stonith-enabled"),
        attributes=_attributes(root),
        history=tuple(_history(root)),
        fail_counts=tuple(_fail_counts(root)),
        tickets=tuple(map(_ticket, root.findall("tickets/ticket"))),
        bans=tuple(map(_ban, root.findall("bans/ban"))),
        fence_events=tuple(map(read_fence_event, root.findall("fence_history/fence_event"))),
    )


def _node(element: ElementTree.Element) -> Node:
    return Node(
        name=element.get("name", ""),
        online=true(element, "online") and not true(element, "pending"),
        maintenance=true(element, "maintenance"),
        standby=true(element, "standby") or true(element, "standby_onfail"),
        shutdown=true(element, "shutdown"),
        remote=element.get("type") != "member",
        id=element.get("id", ""),
        unclean=true(element, "unclean"),
        dc=true(element, "is_dc"),
        health=element.get("health", ""),
        feature_set=element.get("feature_set", ""),
        resources=number(element, "resources_running"),
    )


def _instances(
    parent: ElementTree.Element | None, parents: tuple[str, ...] = (), *, maintenance: bool = False
) -> list[Resource]:
    """Return the primitives at any depth; a clone's or group's maintenance is that of what it holds."""
    found: list[Resource] = []
    for element in parent if parent is not None else ():
        inherited = maintenance or true(element, "maintenance")
        if element.tag == "resource":
            found.append(_instance(element, parents, maintenance=inherited))
        else:  # a replica's id is but a number
            around = parents if element.tag == "replica" else (*parents, element.get("id", ""))
            found += _instances(element, around, maintenance=inherited)
    return found


def _instance(element: ElementTree.Element, parents: tuple[str, ...], *, maintenance: bool) -> Resource:
    target = element.get("target_role", "")
    wanted = Role.of(target) if target else None
    return Resource(
        id=element.get("id", ""),
        managed=true(element, "managed"),
        maintenance=maintenance,
        nodes=tuple(node.get("name", "") for node in element.findall("node")),
        leaving=_leaving(element, wanted),
        agent=element.get("resource_agent", ""),
        role=Role.of(element.get("role", "")),
        target_role=wanted,
        failed=true(element, "failed"),
        failure_ignored=true(element, "failure_ignored"),
        pending=element.get("pending", ""),
        parents=parents,
    )


def _leaving(element: ElementTree.Element, wanted: Role | None) -> str:
    if wanted is Role.STOPPED:  # as it was configured: "stopped" is the same
        return "disabled"
    if true(element, "orphaned") or true(element, "removed"):
        return "removed"
    return "blocked" if true(element, "blocked") else ""


def _resource_histories(root: ElementTree.Element) -> Iterator[tuple[str, str, ElementTree.Element]]:
    """Yield resource, node and element of each resource in a node's history."""
    for node in root.findall("node_history/node"):
        for element in node.findall("resource_history"):
            yield element.get("id", ""), node.get("name", ""), element


def _history(root: ElementTree.Element) -> Iterator[HistoryEntry]:
    for resource, node, element in _resource_histories(root):
        for operation in element.findall("operation_history"):
            yield HistoryEntry(
                resource,
                node,
                task=operation.get("task", ""),
                call=number(operation, "call"),
                code=number(operation, "rc"),
                interval=seconds_in(operation.get("interval", "0")),
                duration=seconds_in(operation.get("exec-time", "0")),
                changed=operation.get("last-rc-change", ""),
            )


def _fail_counts(root: ElementTree.Element) -> Iterator[FailCount]:
    for resource, node, element in _resource_histories(root):
        count = number(element, "fail-count")
        if count:
            yield FailCount(
                resource, node, count, number(element, "migration-threshold"), element.get("last-failure", "")
            )


def _attributes(root: ElementTree.Element) -> dict[str, dict[str, str]]:
    """Return each node's attributes by name."""
    return {
        node.get("name", ""): {a.get("name", ""): a.get("value", "") for a in node.findall("attribute")}
        for node in root.findall("node_attributes/node")
    }


def _failure(element: ElementTree.Element) -> Failure:
    return Failure(
        operation=element.get("op_key", ""),
        node=element.get("node", ""),
        call=number(element, "call"),
        code=number(element, "exitcode"),
        reason=element.get("exitreason", ""),
        task=element.get("task", ""),
        interval=number(element, "interval") / 1000,
        changed=element.get("last-rc-change", ""),
    )


def _ticket(element: ElementTree.Element) -> Ticket:
    granted = element.get("status") == "granted"
    return Ticket(element.get("id", ""), granted, true(element, "standby"), element.get("last-granted", ""))


def _ban(element: ElementTree.Element) -> Ban:
    return Ban(
        id=element.get("id", ""),
        resource=element.get("resource", ""),
        node=element.get("node", ""),
        weight=number(element, "weight"),
        promoted_only=true(element, "promoted-only") or true(element, "master_only"),
    )


def read_fence_event(element: ElementTree.Element) -> FenceEvent:
    """Return a fencing operation of the fence history."""
    return FenceEvent(
        target=element.get("target", ""),
        action=element.get("action", ""),
        status=element.get("status", ""),
        delegate=element.get("delegate", ""),
        client=element.get("client", ""),
        origin=element.get("origin", ""),
        completed=element.get("completed", ""),
        reason=element.get("exit-reason", ""),
    )
