"""
An agent of your own that is persistent: tocsind runs and watches its service, and reports a failure when it happens.

    AGENT = Agent("web", "1.0", "A web server", "...", parameters=(PORT, MONITOR_HOLD), provider="example")

    @persistent(AGENT)
    def definition(asked: Asked) -> "dict[str, object]":
        return {"command": ["/usr/sbin/web", "--port", str(asked[PORT])], "checks": [{"listen": asked[PORT]}]}

The agent declares the parameters that its users understand; the definition is what tocsin.yaml(5) says, with JSON's
types. The actions are those of `ocf:tocsin:service`, with the daemon on its usual port.
"""

from tocsin_ocf.actions.by_name import function_of
from tocsin_ocf.advertised import ACTIONS
from tocsin_ocf.declared import Integer
from tocsin_ocf.invocation import Invocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tocsin_ocf.agent import Agent, Asked
    from tocsin_ocf.declared import Action

    Define = Callable[[Asked], Mapping[str, object]]

MONITOR_HOLD = Integer(
    "monitor_hold",
    "Time that a monitor waits at the daemon",
    "With a number of seconds a recurring monitor waits for something to happen, for so long at most, and returns a "
    "failure at once. It is the way on Pacemaker Remote nodes, where crm_resource --fail does nothing.",
    default="0",
    most=86400,
    reloadable=True,
)
"""A parameter for an agent that is to run on Pacemaker Remote nodes; it means what `ocf:tocsin:service` means by it."""
DEMANDING = ("start", "validate-all")
"""What faulty parameters fail: a promote reads none, and a faulty reload leaves the daemon its old definition."""
ROLE_CHANGES = ("promote", "demote")


class Defined(Invocation):
    """A call of an agent that defines its service itself: its parameters are not those of `ocf:tocsin:service`."""

    __slots__ = ("_own", "asked", "define")

    def __init__(self, asked: "Asked", define: "Define") -> None:
        """Keep how to define the service."""
        super().__init__(asked.environ)
        self._deadline = asked._deadline  # noqa: SLF001 the clock of the call runs on
        self.asked = asked
        self.define = define
        self._own: "Mapping[str, object] | None" = None

    @property
    def own(self) -> "Mapping[str, object]":
        """
        What the agent defines; a recurring monitor never asks, a probe and a stop only for a unit that may run.

        Asked once: what is validated is what is run, though a file that the function reads may change meanwhile.
        """
        if self._own is None:
            self._own = self.define(self.asked)
        return self._own

    def parameter(self, name: str) -> str:
        """Return the one parameter that both have."""
        return super().parameter(name) if name == MONITOR_HOLD.name else ""


def persistent(agent: "Agent", *, promotable: bool = False, timeout: str = "30s") -> "Callable[[Define], Define]":
    """
    Give an agent the actions of a persistent one, for the service that the decorated function defines.

    The function is called to start, to reload and to validate, and by a probe or stop that finds nothing else, for
    a unit that may run. What is faulty, a parameter or what the function raises (ActionFailed, OSError), refuses a
    start and changes nothing by a reload or stop. What the agent has an action for already stays. `timeout` is what
    start, stop, promote and demote advertise. `promotable` adds promote, demote, notify and the monitor of the
    promoted; a parameter that is reloadable adds reload-agent.
    """

    def defined(define: "Define") -> "Define":
        for row in _offered(agent, promotable=promotable):
            takes_long = row.name in (*ROLE_CHANGES, "start", "stop")
            declared = agent.action(timeout if takes_long else row.timeout, row.interval, row.depth, row.role, row.name)
            declared(_handing_on(row.name, define))
        agent.demanding = DEMANDING
        return define

    return defined


def _offered(agent: "Agent", *, promotable: bool) -> "list[Action]":
    """Return the actions of `ocf:tocsin:service` that this agent can have, and has not."""
    left_out = {*agent.functions, "meta-data"}
    if not promotable:
        left_out.update(ROLE_CHANGES, ("notify",))
    if not any(row.reloadable for row in agent.parameters):
        left_out.add("reload-agent")
    return [row for row in ACTIONS if row.name not in left_out and (promotable or not row.role)]


def _handing_on(name: str, define: "Define") -> "Callable[[Asked], tuple[int, str]]":
    """Return the function of an action; what does it is imported when it is called."""

    def hand_on(asked: "Asked") -> "tuple[int, str]":
        function = function_of(name)
        assert function is not None, f"{name} is one of ACTIONS"  # noqa: S101
        return function(Defined(asked, define))

    return hand_on
