"""
`monitor`: one round trip; the daemon answers from what it knows.

This is the path that runs every minute for every resource. What is imported here costs CPU time each time, so
whatever deals with an answer that does not come is in another module.
"""

from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import OCF_NOT_RUNNING, ActionFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.invocation import Invocation


def monitor(asked: "Invocation") -> "tuple[int, str]":
    """Return what the daemon says of the resource, or what the disk says where no daemon can be asked."""
    resource = asked.resource
    try:
        seconds = min(asked.remaining(), asked.patience() + asked.hold / 1000)
        answer = ask(asked.rundir, asked.port, "MONITOR", resource, question(asked), seconds)
    except (NoDaemon, Stranger, Mute, PermissionError, ActionFailed) as fault:
        from tocsin_ocf.actions.unanswered import monitor_unanswered

        answer = monitor_unanswered(asked, fault)
    if answer[0] == OCF_NOT_RUNNING and not asked.interval:
        from tocsin_ocf.stray_unit import probed

        return probed(asked, answer)
    return answer


def question(asked: "Invocation") -> str:
    """Return the body of a MONITOR, times in milliseconds; `interval` 0 is a probe."""
    return f'{{"timeout":{asked.daemon_timeout()},"interval":{asked.interval},"hold":{asked.hold}}}'
