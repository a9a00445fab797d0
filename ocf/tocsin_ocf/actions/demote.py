"""
`demote`: as `promote`, except that what does not run has no role to lose.

After a demote that failed Pacemaker stops the instance, and after a stop that failed it fences the node.
"""

from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, ActionFailed
from tocsin_ocf.frozen import attend
from tocsin_ocf.launch import operate
from tocsin_ocf.operation import body
from tocsin_ocf.port_owner import demand_state, why_unanswered
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
    remains = remains_of(asked.rundir, asked.resource)
    if isinstance(fault, Mute):
        return OCF_ERR_GENERIC, why_unanswered(fault, asked)
    if remains.clean:
        demand_state(asked.rundir, asked.port)
        return DEMOTED
    return operate(asked, "DEMOTE")
