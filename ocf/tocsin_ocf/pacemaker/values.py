"""
The cluster as values: nodes, resources, their history and failures, as `crm_mon` and its like tell of them.

All are frozen. Times of day are text, in the node's own zone, as Pacemaker prints them; durations are seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property


class Role(Enum):
    """What an instance of a resource is, or should be, on a node."""

    STOPPED = "Stopped"
    STARTED = "Started"
    UNPROMOTED = "Unpromoted"
    PROMOTED = "Promoted"
    UNKNOWN = "Unknown"

    @classmethod
    def of(cls, word: str) -> Role:
        """Return the role by its name in any version's spelling; UNKNOWN for another word."""
        return _ROLES.get(word.lower(), cls.UNKNOWN)


_ROLES = {**{role.value.lower(): role for role in Role}, "slave": Role.UNPROMOTED, "master": Role.PROMOTED}
"""By every version's spelling; a status asks for some thousand."""


@dataclass(frozen=True)
class Node:
    """
    A node as the cluster sees it.

    `online`: it takes part, and is past joining. `standby`: by configuration or by a failure. `unclean`: it has to be
    fenced. `remote`: a Pacemaker Remote node, guest node or bundle. `health`: "green", "yellow", "red" or "".
    """

    name: str
    online: bool
    maintenance: bool
    standby: bool
    shutdown: bool
    remote: bool
    id: str = ""
    unclean: bool = False
    dc: bool = False
    health: str = ""
    feature_set: str = ""
    resources: int = 0


@dataclass(frozen=True)
class Resource:
    """
    A primitive, or one instance of a cloned one, and the names of the nodes where it is active.

    `maintenance` includes that of what it is in. `parents` are the ids of the clone, group or bundle around it, the
    outermost first. `pending` is the action that is under way ("Starting"), "" for none.
    """

    id: str
    managed: bool
    maintenance: bool
    nodes: tuple[str, ...]
    leaving: str = ""
    """Why Pacemaker does not want it to run: "disabled", "removed", "blocked", or "" when it does."""
    agent: str = ""
    role: Role = Role.UNKNOWN
    target_role: Role | None = None
    failed: bool = False
    failure_ignored: bool = False
    pending: str = ""
    parents: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Tell whether it runs, in whatever role."""
        return bool(self.nodes)


@dataclass(frozen=True)
class Failure:
    """
    One entry of "Failed Resource Actions"; `call` tells a new failure from an old one of the same operation.

    `operation` is Pacemaker's key, RESOURCE_TASK_INTERVAL in milliseconds. `code` is the OCF exit code, `reason` the
    agent's exit reason.
    """

    operation: str
    node: str
    call: int
    code: int = 0
    reason: str = ""
    task: str = ""
    interval: float = 0.0
    changed: str = ""

    @property
    def resource(self) -> str:
        """Return the id of the resource, with the instance number of a globally-unique clone."""
        return parts_of(self.operation)[0]


@dataclass(frozen=True)
class HistoryEntry:
    """The last operation of its kind of a resource on a node: what was done, and how it ended (OCF exit code)."""

    resource: str
    node: str
    task: str
    call: int
    code: int
    interval: float = 0.0
    duration: float = 0.0
    changed: str = ""

    @property
    def ran(self) -> bool:
        """
        Tell whether it shows that the resource really was run here.

        After a refresh only a probe is left; a failure injected then sorts after every later success, and the
        resource is restarted at each transition until somebody cleans up.
        """
        return self.task in ("start", "promote", "demote") or self.interval > 0


@dataclass(frozen=True)
class FailCount:
    """How often a resource has failed on a node since it was cleaned up; 1000000 is INFINITY, so is no threshold."""

    resource: str
    node: str
    count: int
    threshold: int = 0
    last: str = ""


@dataclass(frozen=True)
class Ban:
    """A constraint that keeps a resource off a node: `crm_resource --ban` or `--move`, or a -INFINITY rule."""

    id: str
    resource: str
    node: str
    weight: int
    promoted_only: bool


@dataclass(frozen=True)
class Ticket:
    """A ticket of a multi-site cluster; `attributes` are those beyond the usual ones."""

    id: str
    granted: bool
    standby: bool = False
    last_granted: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FenceEvent:
    """One fencing operation; `status` is "success", "failed" or "pending"."""

    target: str
    action: str
    status: str
    delegate: str = ""
    client: str = ""
    origin: str = ""
    completed: str = ""
    reason: str = ""


@dataclass(frozen=True)
class ClusterStatus:
    """What `crm_mon` says of the cluster at one moment; what was not asked for is empty."""

    maintenance: bool
    nodes: dict[str, Node] = field(default_factory=dict)
    instances: tuple[Resource, ...] = ()
    failures: tuple[Failure, ...] = ()
    dc: str = ""
    quorum: bool = False
    version: str = ""
    fencing: bool = False
    """Whether fencing is enabled (`fencing-enabled`, formerly `stonith-enabled`)."""
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Node to its attributes by name."""
    history: tuple[HistoryEntry, ...] = ()
    fail_counts: tuple[FailCount, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    bans: tuple[Ban, ...] = ()
    fence_events: tuple[FenceEvent, ...] = ()

    @cached_property
    def histories(self) -> frozenset[tuple[str, str]]:
        """The (resource, node) pairs with an operation in their history that shows that it was run there."""
        return frozenset((entry.resource, entry.node) for entry in self.history if entry.ran)

    def injected(self, resource: str, node: str) -> int:
        """Return the call id of the failure that `--fail` left for this resource and node, 0 without one."""
        keys = {f"{resource}_asyncmon_0", f"{base_id(resource)}_asyncmon_0"}
        calls = [f.call for f in self.failures if f.node == node and f.operation in keys]
        return max(calls, default=0)

    def resource(self, resource: str) -> tuple[Resource, ...]:
        """Return the instances of a primitive, or of all that a group, clone or bundle of this id holds."""
        return tuple(i for i in self.instances if resource in (i.id, base_id(i.id), *i.parents))

    def where(self, resource: str) -> tuple[str, ...]:
        """Return the names of the nodes where a resource is active, sorted."""
        return tuple(sorted({node for instance in self.resource(resource) for node in instance.nodes}))


_KEY = re.compile(r"(.+?)_(migrate_to|migrate_from|[^_]+)_([0-9]+)")


def parts_of(operation: str) -> tuple[str, str, float]:
    """Return resource, task and interval (seconds) of Pacemaker's key of an operation; what is no key is a resource."""
    found = _KEY.fullmatch(operation)
    return (found[1], found[2], int(found[3]) / 1000) if found else (operation, "", 0.0)


def base_id(resource: str) -> str:
    """Return the id of the primitive: "web" for the clone instance "web:1"."""
    return resource.partition(":")[0]
