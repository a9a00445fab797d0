"""
`notify`: tell the daemon what happens to the other instances; where there is none, nobody has to know.

It cannot fail, says ocf-tester: what went wrong is said, and with 0.
"""

from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import OCF_ERR_PERM, ActionFailed
from tocsin_ocf.operation import body
from tocsin_ocf.wire import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.invocation import Invocation

UNHEARD = (0, "")


def notify(asked: "Invocation") -> "tuple[int, str]":
    """Have the daemon run the definition's command for it; no daemon is started or replaced."""
    try:
        rundir, port = asked.rundir, asked.port
    except ActionFailed:
        return UNHEARD
    try:
        return ask(rundir, port, "NOTIFY", asked.resource, body(asked), asked.remaining())
    except NoDaemon:
        return UNHEARD
    except PermissionError as error:
        return OCF_ERR_PERM, str(error)
    except (Stranger, Mute) as fault:
        from tocsin_ocf.port_owner import why_unanswered

        return 0, why_unanswered(fault, asked)
    except WireError as error:
        return 0, str(error)
