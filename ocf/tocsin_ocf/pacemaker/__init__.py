"""
Pacemaker from Python: its stable command-line tools, typed.

    from tocsin_ocf.pacemaker import Pacemaker

    cluster = Pacemaker()
    cluster.resource("web").fail(node="n1", dry_run=True)

Theory of operation. There is one module for each tool, named after it; its functions return a `Request`, a value with
the arguments, the standard input and the meaning of the reply. Nothing is executed there. `Runner` executes a request
and waits; the daemon's `Tools` does it in Twisted; a test may fake either. `Pacemaker` is the ease on top. Every tool
is asked for XML where the installed version has it; `document` is the one place that reads it. Versions 2.1 and 3.0.

What can go wrong is a subclass of `Fault`, by Pacemaker's exit codes.
"""

from tocsin_ocf.pacemaker.attrd_updater import delete_attribute, set_attribute
from tocsin_ocf.pacemaker.blocking import Runner, Runs
from tocsin_ocf.pacemaker.changes import Change, Kind
from tocsin_ocf.pacemaker.cibadmin import Operation, Primitive, Setting, configuration, parse_operations
from tocsin_ocf.pacemaker.cluster import Pacemaker
from tocsin_ocf.pacemaker.command import BIN, ENVIRONMENT, Command, End, Reply, Request
from tocsin_ocf.pacemaker.crm_attribute import promotion_score
from tocsin_ocf.pacemaker.crm_mon import parse_status, status
from tocsin_ocf.pacemaker.crm_resource import fail
from tocsin_ocf.pacemaker.crm_simulate import PlannedAction, Simulation, Step, Verdict
from tocsin_ocf.pacemaker.faults import (
    AlreadyThere,
    Ambiguous,
    BadUsage,
    BadVersion,
    Fault,
    InvalidConfiguration,
    Killed,
    NoQuorum,
    NoSuchNode,
    NoSuchObject,
    NoSuchResource,
    NotApplicable,
    NotConnected,
    NotInstalled,
    NotPermitted,
    Outdated,
    TimedOut,
    TryAgain,
    Unreadable,
    Unsafe,
)
from tocsin_ocf.pacemaker.managed_node import ManagedNode, ManagedNodes
from tocsin_ocf.pacemaker.managed_resource import ManagedResource
from tocsin_ocf.pacemaker.settings import Settings
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
    base_id,
)
from tocsin_ocf.pacemaker.version import Version

Cluster = ClusterStatus
Instance = Resource
NoStatus = Fault
"""The daemon's words for the same."""

__all__ = [
    "BIN",
    "ENVIRONMENT",
    "AlreadyThere",
    "Ambiguous",
    "BadUsage",
    "BadVersion",
    "Ban",
    "Change",
    "Cluster",
    "ClusterStatus",
    "Command",
    "End",
    "FailCount",
    "Failure",
    "Fault",
    "FenceEvent",
    "HistoryEntry",
    "Instance",
    "InvalidConfiguration",
    "Killed",
    "Kind",
    "ManagedNode",
    "ManagedNodes",
    "ManagedResource",
    "NoQuorum",
    "NoStatus",
    "NoSuchNode",
    "NoSuchObject",
    "NoSuchResource",
    "Node",
    "NotApplicable",
    "NotConnected",
    "NotInstalled",
    "NotPermitted",
    "Operation",
    "Outdated",
    "Pacemaker",
    "PlannedAction",
    "Primitive",
    "Reply",
    "Request",
    "Resource",
    "Role",
    "Runner",
    "Runs",
    "Setting",
    "Settings",
    "Simulation",
    "Step",
    "Ticket",
    "TimedOut",
    "TryAgain",
    "Unreadable",
    "Unsafe",
    "Verdict",
    "Version",
    "base_id",
    "configuration",
    "delete_attribute",
    "fail",
    "parse_operations",
    "parse_status",
    "promotion_score",
    "set_attribute",
    "status",
]
