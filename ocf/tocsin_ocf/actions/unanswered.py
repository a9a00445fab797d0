"""`monitor` where the daemon gave no answer: what the disk and the process table know."""

from tocsin_ocf.actions.monitor import question
from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_ERR_PERM, OCF_NOT_RUNNING, ActionFailed
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.launch import CANNOT_START, ask_launching
from tocsin_ocf.port_owner import why_unanswered
from tocsin_ocf.remains import Remains, relocated, remains_of

PROBE = 0
"""The interval of a monitor that only asks whether the resource runs here."""
NOT_RUNNING = (OCF_NOT_RUNNING, "")
"""The silent answer about what never ran, was stopped, or ran before the node was booted."""


def monitor_unanswered(asked: Invocation, fault: Exception) -> "tuple[int, str]":
    """Return code and reason; a dead daemon is never reported as a dead service, a stranger's word never believed."""
    if isinstance(fault, ActionFailed):
        return _with_bad_parameters(asked, fault)
    try:
        remains = remains_of(asked.rundir, asked.resource)
    except PermissionError as error:
        return OCF_ERR_PERM, str(error)
    if remains.clean and (asked.interval == PROBE or isinstance(fault, NoDaemon)):
        return NOT_RUNNING
    if isinstance(fault, PermissionError):
        return OCF_ERR_PERM, str(fault)
    if not isinstance(fault, NoDaemon):
        return OCF_ERR_GENERIC, why_unanswered(fault, asked)
    return _revived(asked, remains)


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
        return OCF_ERR_GENERIC, why_unanswered(fault, asked)
    except ActionFailed as failed:
        why = CANNOT_START + failed.reason.removeprefix(CANNOT_START)
    if not remains.readable:
        return OCF_ERR_GENERIC, f"{remains.path} is unreadable, and {why}"
    if remains.living():
        return OCF_ERR_GENERIC, f"service runs, but {why}"
    return OCF_NOT_RUNNING, why
