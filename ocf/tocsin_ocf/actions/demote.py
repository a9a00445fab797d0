"""
`demote`: as `promote`, except that what does not run has no role to lose.

After a demote that failed Pacemaker stops the instance, and after a stop that failed it fences the node.
"""

from tocsin_ocf.actions.promote import ask_for_role
from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_ERR_PERM, ActionFailed
from tocsin_ocf.frozen import attend
from tocsin_ocf.operation import body
from tocsin_ocf.port_owner import why_unanswered, without_state
from tocsin_ocf.remains import relocated, remains_of
from tocsin_ocf.wire import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.invocation import Invocation

DEMOTED = (0, "")


def demote(asked: "Invocation") -> "tuple[int, str]":
    """Have the daemon demote the service."""
    resource = asked.resource
    try:
        rundir, port = asked.rundir, asked.port
    except ActionFailed:
        elsewhere = relocated(asked)
        return demote(elsewhere) if elsewhere else DEMOTED
    attend(asked)
    try:
        return ask(rundir, port, "DEMOTE", resource, body(asked), asked.remaining())
    except (NoDaemon, Stranger, Mute, PermissionError) as fault:
        return _unanswered(asked, fault)
    except WireError as error:
        return OCF_ERR_GENERIC, str(error)


def _unanswered(asked: "Invocation", fault: Exception) -> "tuple[int, str]":
    """Look whether anything of it should run; have a new daemon demote what does."""
    try:
        remains = remains_of(asked.rundir, asked.resource)
    except PermissionError as error:
        return OCF_ERR_PERM, str(error)
    if isinstance(fault, Mute):
        return OCF_ERR_GENERIC, why_unanswered(fault, asked)
    if remains.clean:
        lost = without_state(asked.rundir, asked.port)
        return (OCF_ERR_GENERIC, lost) if lost else DEMOTED
    return ask_for_role(asked, "DEMOTE")
