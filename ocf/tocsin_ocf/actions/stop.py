"""
`stop`: 0 only when nothing of the service is left.

A failed stop fences the node, so everything short of "something of it still runs" has a way to succeed: no
daemon, no program to start one, a stranger on its port, parameters that nothing could start with.
"""

from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_ERR_PERM, ActionFailed
from tocsin_ocf.frozen import attend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.invocation import Invocation
    from tocsin_ocf.remains import Remains

STOPPED = (0, "")
LAUNCH_SHARE = 0.5
"""Of the time that is left: to start a daemon that stops the service well. The rest is for doing without."""


def stop(asked: "Invocation") -> "tuple[int, str]":
    """Stop what we run; and what somebody else has started of it."""
    from tocsin_ocf.stray_unit import stopped

    code, reason = _stop(asked)
    return (code, reason) if code else stopped(asked)


def _stop(asked: "Invocation") -> "tuple[int, str]":
    """Have the daemon stop the service, or do without it."""
    resource = asked.resource
    try:
        rundir, port = asked.rundir, asked.port
    except ActionFailed:
        return _with_bad_parameters(asked)
    attend(asked)
    try:
        return ask(rundir, port, "STOP", resource, question(asked), asked.remaining())
    except (NoDaemon, Stranger, Mute, PermissionError) as fault:
        return _unanswered(asked, fault)


def question(asked: "Invocation") -> str:
    """Return the body of a STOP."""
    return f'{{"timeout":{asked.daemon_timeout()}}}'


def _with_bad_parameters(asked: "Invocation") -> "tuple[int, str]":
    """Stop what runs under another port; what no daemon ever knew does not run."""
    from tocsin_ocf.remains import relocated

    elsewhere = relocated(asked)
    return _stop(elsewhere) if elsewhere else STOPPED


def _unanswered(asked: "Invocation", fault: Exception) -> "tuple[int, str]":
    from tocsin_ocf.port_owner import demand_state, why_unanswered
    from tocsin_ocf.remains import remains_of

    remains = remains_of(asked.rundir, asked.resource)
    if isinstance(fault, Mute):
        return OCF_ERR_GENERIC, why_unanswered(fault, asked)
    if remains.clean:
        demand_state(asked.rundir, asked.port)
        return STOPPED
    if isinstance(fault, PermissionError):
        return OCF_ERR_PERM, str(fault)
    if remains.readable and not remains.elsewhere and not remains.living():
        remains.mark_stopped()
        return STOPPED
    if isinstance(fault, Stranger):
        return _beside_stranger(asked, remains, fault)
    return _by_new_daemon(asked, remains)


def _by_new_daemon(asked: "Invocation", remains: "Remains") -> "tuple[int, str]":
    """Start a daemon, which takes the service up again, and have that stop it."""
    from tocsin_ocf.launch import ask_launching
    from tocsin_ocf.port_owner import why_unanswered

    try:
        return ask_launching(asked, "STOP", lambda: question(asked), LAUNCH_SHARE)
    except Mute as fault:
        return OCF_ERR_GENERIC, why_unanswered(fault, asked)
    except Stranger as fault:
        return _beside_stranger(asked, remains, fault)
    except ActionFailed as failed:
        return _without_daemon(asked, remains, failed.reason)


def _beside_stranger(asked: "Invocation", remains: "Remains", fault: Stranger) -> "tuple[int, str]":
    """Do without the daemon, unless it lives: behind its back a stop would look like a failure, and be reported."""
    from tocsin_ocf.port_owner import why_unanswered

    why = why_unanswered(fault, asked)
    return (OCF_ERR_GENERIC, why) if asked.rundir.held() else _without_daemon(asked, remains, why)


def _without_daemon(asked: "Invocation", remains: "Remains", why: str) -> "tuple[int, str]":
    """End the service's processes here and now."""
    from time import monotonic

    if not remains.readable:
        return OCF_ERR_GENERIC, f"{remains.path} does not say what runs; {why}"
    if remains.elsewhere:
        from tocsin_ocf.unit import stop_unit

        fault = stop_unit(remains.elsewhere, asked.remaining())
        if fault:
            return OCF_ERR_GENERIC, f"{fault}; {why}"
    left = remains.end(monotonic() + asked.remaining())
    if left:
        return OCF_ERR_GENERIC, f"still there: {', '.join(map(str, left[:3]))}; {why}"
    remains.mark_stopped()
    return STOPPED
