"""`monitor` where the daemon gave no answer: what the disk and the process table know."""

from tocsin_ocf.actions.monitor import question
from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import (
    OCF_DEGRADED,
    OCF_DEGRADED_PROMOTED,
    OCF_ERR_GENERIC,
    OCF_ERR_PERM,
    OCF_FAILED_PROMOTED,
    OCF_NOT_RUNNING,
    ActionFailed,
)
from tocsin_ocf.frozen import is_frozen, replace
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.launch import CANNOT_START, ask_launching
from tocsin_ocf.port_owner import demand_state, why_unanswered
from tocsin_ocf.remains import PROMOTED, Remains, relocated, remains_of

PROBE = 0
"""The interval of a monitor that only asks whether the resource runs here."""
NOT_RUNNING = (OCF_NOT_RUNNING, "")
"""The silent answer about what never ran, was stopped, or ran before the node was booted."""


def monitor_unanswered(asked: Invocation, fault: Exception) -> "tuple[int, str]":
    """Return code and reason; a dead daemon is never reported as a dead service, a stranger's word never believed."""
    if isinstance(fault, ActionFailed):
        return _with_bad_parameters(asked, fault)
    remains = remains_of(asked.rundir, asked.resource)
    if remains.clean and (asked.interval == PROBE or isinstance(fault, NoDaemon)):
        demand_state(asked.rundir, asked.port)
        return NOT_RUNNING
    if isinstance(fault, PermissionError):
        return OCF_ERR_PERM, str(fault)
    if isinstance(fault, Mute):
        return _from_mute(asked, remains, fault)
    if isinstance(fault, Stranger):
        return _without_daemon(remains, why_unanswered(fault, asked))
    return _revived(asked, remains)


def _from_mute(asked: Invocation, remains: Remains, fault: Mute) -> "tuple[int, str]":
    """Replace a frozen daemon; one that is only busy with this resource gets all the time that there is."""
    if is_frozen(asked):
        why = why_unanswered(fault, asked)
        return _revived(asked, remains) if replace(asked) else _without_daemon(remains, why)
    try:
        return ask(asked.rundir, asked.port, "MONITOR", asked.resource, question(asked), asked.remaining())
    except (NoDaemon, Stranger, Mute) as still:
        return _without_daemon(remains, why_unanswered(still, asked))


def _with_bad_parameters(asked: Invocation, fault: ActionFailed) -> "tuple[int, str]":
    """Let a probe find what runs under another port; what runs nowhere does not, whatever the parameters say."""
    if asked.interval != PROBE:
        raise fault
    elsewhere = relocated(asked)
    if elsewhere is None:
        return NOT_RUNNING
    try:
        return ask(elsewhere.rundir, elsewhere.port, "MONITOR", asked.resource, question(asked), asked.remaining())
    except (NoDaemon, Stranger, Mute, PermissionError) as unheard:
        return monitor_unanswered(elsewhere, unheard)


def _revived(asked: Invocation, remains: Remains) -> "tuple[int, str]":
    """Start the daemon, which takes the service up again, and ask that."""
    try:
        return ask_launching(asked, "MONITOR", lambda: question(asked))
    except (Stranger, Mute) as fault:
        return _without_daemon(remains, why_unanswered(fault, asked))
    except ActionFailed as failed:
        return _without_daemon(remains, CANNOT_START + failed.reason.removeprefix(CANNOT_START))


def _without_daemon(remains: Remains, why: str) -> "tuple[int, str]":
    """
    Answer from the record and the process table alone.

    A service whose main process runs is well, only unwatched: "degraded" shows that in crm_mon, and moves no healthy
    database. What is promoted is told as that: Pacemaker takes an instance that is less than it knew for a failed one.
    What was not running before, or died since, is told as it is.
    """
    if not remains.readable:
        return OCF_ERR_GENERIC, f"{remains.path} is unreadable, and {why}"
    if remains.well():
        return OCF_DEGRADED_PROMOTED if remains.phase == PROMOTED else OCF_DEGRADED, f"service runs, but {why}"
    if remains.living():
        code = OCF_FAILED_PROMOTED if remains.role == PROMOTED else OCF_ERR_GENERIC
        return code, f"service failed, remains of it run, and {why}"
    return OCF_NOT_RUNNING, why
