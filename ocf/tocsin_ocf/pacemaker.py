"""
Pacemaker's command line as values: what to execute, and what its reply means. Nothing is executed here.

XML is used throughout: the text output of these tools changes between versions, `--output-as=xml` has schemas.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree import ElementTree

BIN = "/usr/sbin"
"""Where every distribution installs Pacemaker's tools; full paths, for the daemon trusts no search path."""

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


@dataclass(frozen=True)
class Command:
    """A tool to execute, and the seconds after which it is killed."""

    argv: tuple[str, ...]
    timeout: float


@dataclass(frozen=True)
class Reply:
    """What a tool answered; `code` is None when it was killed for taking too long, or could not be executed."""

    code: int | None
    stdout: str = ""
    stderr: str = ""

    @property
    def why(self) -> str:
        """Say in one line why it failed."""
        said = (self.stderr or self.stdout).strip().splitlines()
        end = "timed out or could not be executed" if self.code is None else f"exit status {self.code}"
        return f"{end}: {said[-1][:200]}" if said else end


class NoStatus(Exception):
    """The cluster's status cannot be had; the text says why."""


def fail(resource: str, node: str, directory: str = BIN) -> Command:
    """
    Tell Pacemaker that `resource` failed on `node`; exit 0 means only that the controller answered.

    The node is required by every version since 1.1.10. The controller gives up after 60 s; we do sooner.
    """
    return Command((f"{directory}/crm_resource", "--fail", "--resource", resource, "--node", node), timeout=20.0)


def status(directory: str = BIN) -> Command:
    """Ask for nodes, resources, history, failures and options of the cluster at once."""
    sections = "--include=none,nodes,resources,operations,failures,options"
    argv = (f"{directory}/crm_mon", "--one-shot", "--output-as=xml", "--inactive", sections)
    return Command(argv, timeout=10.0)


def set_attribute(name: str, value: str, node: str, directory: str = BIN) -> Command:
    """Set a transient attribute of a node."""
    argv = (f"{directory}/attrd_updater", "--name", name, "--update", value, "--node", node)
    return Command(argv, timeout=10.0)


def delete_attribute(name: str, node: str, directory: str = BIN) -> Command:
    """Remove a transient attribute of a node; one that is not there is no fault."""
    return Command((f"{directory}/attrd_updater", "--name", name, "--delete", "--node", node), timeout=10.0)


def promotion_score(resource: str, node: str, score: int | None, directory: str = BIN) -> Command:
    """Set the promotion score of an instance on a node until that reboots; None removes it."""
    change = ("--delete",) if score is None else ("--update", str(score))
    own = (f"--promotion={resource}", "--lifetime", "reboot", "--node", node, *change)
    return Command((f"{directory}/crm_attribute", *own), timeout=10.0)


def configuration(resource: str, directory: str = BIN) -> Command:
    """Ask for a primitive as it is configured; a resource id may name an instance of a clone."""
    xpath = f"//primitive[@id='{base_id(resource)}']"
    return Command((f"{directory}/cibadmin", "--query", "--xpath", xpath), timeout=10.0)


@dataclass(frozen=True)
class Operation:
    """An operation of a primitive as it is configured; `on_fail` "" is Pacemaker's default, `role` "" any."""

    name: str
    recurring: bool
    on_fail: str
    role: str = ""


def parse_operations(reply: Reply) -> tuple[Operation, ...]:
    """Return the operations in the reply to `configuration`; NoStatus where there is none."""
    root = _xml("cibadmin", reply)
    return tuple(
        Operation(op.get("name", ""), not _is_zero(op.get("interval", "0")), op.get("on-fail", ""), op.get("role", ""))
        for op in root.iter("op")
    )


def _xml(tool: str, reply: Reply) -> ElementTree.Element:
    """Return the document in a reply, behind whatever a library printed before it; NoStatus."""
    if reply.code != 0:
        raise NoStatus(f"{tool}: {reply.why}")
    try:
        return ElementTree.fromstring(reply.stdout[reply.stdout.find("<") :])
    except ElementTree.ParseError as error:
        raise NoStatus(f"{tool}: unreadable XML: {error}") from None


def _is_zero(interval: str) -> bool:
    return not interval.strip("0abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Node:
    """A node as the cluster sees it."""

    name: str
    online: bool
    maintenance: bool
    standby: bool
    shutdown: bool
    remote: bool


@dataclass(frozen=True)
class Instance:
    """A primitive, or one instance of a cloned one, and the names of the nodes where it is active."""

    id: str
    managed: bool
    maintenance: bool
    nodes: tuple[str, ...]
    leaving: str = ""
    """Why Pacemaker does not want it to run: "disabled", "removed", "blocked", or "" when it does."""


@dataclass(frozen=True)
class Failure:
    """One entry of "Failed Resource Actions"; `call` tells a new failure from an old one of the same operation."""

    operation: str
    node: str
    call: int


@dataclass(frozen=True)
class Cluster:
    """What `crm_mon` says of the cluster at one moment."""

    maintenance: bool
    nodes: dict[str, Node] = field(default_factory=dict)
    instances: tuple[Instance, ...] = ()
    histories: frozenset[tuple[str, str]] = frozenset()
    """(resource, node) pairs with an operation other than a probe in their history."""
    failures: tuple[Failure, ...] = ()

    def injected(self, resource: str, node: str) -> int:
        """Return the call id of the failure that `--fail` left for this resource and node, 0 without one."""
        keys = {f"{resource}_asyncmon_0", f"{base_id(resource)}_asyncmon_0"}
        calls = [f.call for f in self.failures if f.node == node and f.operation in keys]
        return max(calls, default=0)


def base_id(resource: str) -> str:
    """Return the id of the primitive: "web" for the clone instance "web:1"."""
    return resource.partition(":")[0]


def parse_status(reply: Reply) -> Cluster:
    """Return the cluster in the reply to `status`; NoStatus where the tool failed or its output is unreadable."""
    root = _xml("crm_mon", reply)
    return Cluster(
        maintenance=any(_true(e, "maintenance-mode") for e in root.iter("cluster_options")),
        nodes={node.name: node for node in map(_node, root.findall("nodes/node"))},
        instances=tuple(_instances(root.find("resources"))),
        histories=frozenset(_histories(root)),
        failures=tuple(_failure(e) for e in root.iter("failure") if "op_key" in e.attrib),
    )


def _true(element: ElementTree.Element, name: str) -> bool:
    return element.get(name) == "true"


def _node(element: ElementTree.Element) -> Node:
    return Node(
        name=element.get("name", ""),
        online=_true(element, "online") and not _true(element, "pending"),
        maintenance=_true(element, "maintenance"),
        standby=_true(element, "standby") or _true(element, "standby_onfail"),
        shutdown=_true(element, "shutdown"),
        remote=element.get("type") != "member",
    )


def _instances(parent: ElementTree.Element | None, *, maintenance: bool = False) -> list[Instance]:
    """Return the primitives at any depth; a clone's or group's maintenance is that of what it holds."""
    found: list[Instance] = []
    for element in parent if parent is not None else ():
        inherited = maintenance or _true(element, "maintenance")
        if element.tag != "resource":
            found += _instances(element, maintenance=inherited)
            continue
        nodes = tuple(node.get("name", "") for node in element.findall("node"))
        id_, managed = element.get("id", ""), _true(element, "managed")
        found.append(Instance(id_, managed, inherited, nodes, _leaving(element)))
    return found


def _leaving(element: ElementTree.Element) -> str:
    if element.get("target_role") == "Stopped":
        return "disabled"
    if _true(element, "orphaned") or _true(element, "removed"):  # Pacemaker 3's word for it
        return "removed"
    return "blocked" if _true(element, "blocked") else ""


def _histories(root: ElementTree.Element) -> list[tuple[str, str]]:
    return [
        (history.get("id", ""), node.get("name", ""))
        for node in root.findall("node_history/node")
        for history in node.findall("resource_history")
        if any(_counts(operation) for operation in history.findall("operation_history"))
    ]


def _counts(operation: ElementTree.Element) -> bool:
    """
    Tell whether an operation shows that the resource really was run here.

    After a refresh only a probe is left; a failure injected then sorts after every later success, and the
    resource is restarted at each transition until somebody cleans up.
    """
    recurring = not _is_zero(operation.get("interval", "0"))
    return operation.get("task") in ("start", "promote", "demote") or recurring


def _failure(element: ElementTree.Element) -> Failure:
    call = element.get("call", "0")
    return Failure(element.get("op_key", ""), element.get("node", ""), int(call) if call.lstrip("-").isdigit() else 0)
