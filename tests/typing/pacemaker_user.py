"""What a user's program may count on: mypy --strict accepts it, and each ignored fault is one indeed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twisted.internet.defer import Deferred

from tocsin_daemon.tools import Tools
from tocsin_ocf.pacemaker import (
    Change,
    ClusterStatus,
    Command,
    Fault,
    ManagedNode,
    Node,
    Pacemaker,
    Primitive,
    Reply,
    Request,
    Resource,
    Role,
    Runner,
    crm_node,
    crm_resource,
)


def use(cluster: Pacemaker, tools: Tools) -> None:
    """Use it all, without a cast."""
    status: ClusterStatus = cluster.status()
    node: Node = status.nodes["n1"]
    role: Role = status.instances[0].role
    instances: tuple[Resource, ...] = cluster.resource("web").status()
    where: tuple[str, ...] = cluster.ask(crm_resource.locate("web"))
    parameter: str | None = Runner().ask(crm_resource.get_parameter("web", "port"))
    later: Deferred[str] = tools.ask(crm_node.name(cluster.version))
    configured: Primitive = cluster.resource("web").configured()
    value: str = cluster.resource("web").parameters["port"]
    nodes: Mapping[str, ManagedNode] = cluster.nodes
    changes: Iterator[Change] = cluster.watch()
    planned: Command = cluster.resource("web").fail(node="n1", dry_run=True)
    own: Request[int] = Request(("/usr/sbin/crm_node",), 1.0, parse=lambda reply: len(reply.stdout))
    answer: int = own.read(Reply(0))
    code: int | None = Fault("").code
    print(node, role, instances, where, parameter, later, configured, value, nodes, changes, planned, answer, code)


def misuse(cluster: Pacemaker, status: ClusterStatus) -> None:
    """Be told."""
    cluster.resource("web").fail()  # type: ignore[call-arg]
    cluster.resource("web").parameters["port"] = 8080  # type: ignore[assignment]
    status.maintenance = True  # type: ignore[misc]
    number: int = cluster.ask(crm_resource.locate("web"))  # type: ignore[assignment]
    nothing: str = cluster.ask(crm_resource.get_parameter("web", "port"))  # type: ignore[assignment]
    print(number, nothing)
