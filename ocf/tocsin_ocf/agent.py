"""
The kit for an agent of your own, on which `agent/service` is built: declare it once, write its actions, fold it.

    DIRECTORY = Path("directory", "Spool directory", "Absolute path of ...", required=True, unique=True)
    AGENT = Agent("spool", "1.0", "Works off a spool", "...", parameters=(DIRECTORY,), provider="example")

    @AGENT.action(timeout="20s", interval="10s")
    def monitor(asked: Asked) -> int:
        return OCF_SUCCESS if exists(asked[DIRECTORY]) else OCF_NOT_RUNNING

    if __name__ == "__main__":
        AGENT.main()

An action gets one `Asked` and returns nothing (success), an exit code, or an exit code and its reason; or it raises
ActionFailed with both. An OSError is OCF_ERR_GENERIC or OCF_ERR_PERM with its own words; whatever else it raises is
OCF_ERR_GENERIC, with a trace in the log. meta-data, usage and validate-all are there without a function. docs/agent.md
is the tutorial.
"""

import posix

from tocsin_ocf.call import LOCAL_LEVEL, Call
from tocsin_ocf.declared import Action, Boolean, Declaration, Duration, Integer, Parameter, Path, Select, Text
from tocsin_ocf.exit_codes import (
    OCF_DEGRADED,
    OCF_DEGRADED_PROMOTED,
    OCF_ERR_ARGS,
    OCF_ERR_CONFIGURED,
    OCF_ERR_GENERIC,
    OCF_ERR_INSTALLED,
    OCF_ERR_PERM,
    OCF_ERR_UNIMPLEMENTED,
    OCF_FAILED_PROMOTED,
    OCF_NOT_RUNNING,
    OCF_RUNNING_PROMOTED,
    OCF_SUCCESS,
    ActionFailed,
    run,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn, TypeVar, Union

    from tocsin_ocf.ha_log import Log
    from tocsin_ocf.notification import Notification

    T = TypeVar("T")
    Outcome = Union[int, tuple[int, str], None]
    Function = TypeVar("Function", bound=Callable[["Asked"], Outcome])

__all__ = (
    "OCF_DEGRADED",
    "OCF_DEGRADED_PROMOTED",
    "OCF_ERR_ARGS",
    "OCF_ERR_CONFIGURED",
    "OCF_ERR_GENERIC",
    "OCF_ERR_INSTALLED",
    "OCF_ERR_PERM",
    "OCF_ERR_UNIMPLEMENTED",
    "OCF_FAILED_PROMOTED",
    "OCF_NOT_RUNNING",
    "OCF_RUNNING_PROMOTED",
    "OCF_SUCCESS",
    "Action",
    "ActionFailed",
    "Agent",
    "Asked",
    "Boolean",
    "Duration",
    "Integer",
    "Parameter",
    "Path",
    "Select",
    "Text",
)

DEMANDING = ("start", "promote", "migrate_from", "reload-agent", "validate-all")
"""What is refused with faulty parameters. A monitor and a stop have to work with those that made the start fail."""
BUILT_IN = (Action("validate-all", "20s"), Action("meta-data", "5s"))
HYPHENATED = {"reload_agent": "reload-agent", "validate_all": "validate-all"}
ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}


class Asked(Call):
    """
    What Pacemaker asks for: `asked[LIMIT]` is the typed value of a parameter.

    `action` is its name; `timeout` and `interval` are milliseconds, the interval 0 for what does not recur; `reserve`
    milliseconds before its timeout an agent should be done. `remaining()` tells the seconds until then.
    """

    __slots__ = ("action",)

    def __init__(self, action: str, environ: "Mapping[bytes, bytes]") -> None:
        """Keep what is asked for, and start the clock."""
        super().__init__(environ)
        self.action = action

    def __getitem__(self, parameter: "Parameter[T]") -> "T":
        """Return the value of a parameter; ActionFailed (OCF_ERR_CONFIGURED) where it is faulty or missing."""
        return parameter.of(self)

    @property
    def resource(self) -> str:
        """The resource's id, with its instance number where it is a globally-unique clone; else ActionFailed."""
        name = self.variable("OCF_RESOURCE_INSTANCE")
        if not name or "/" in name or name[0] == ".":
            raise ActionFailed(OCF_ERR_ARGS, f"OCF_RESOURCE_INSTANCE is {name!r}, which is not a resource id")
        return name

    @property
    def is_probe(self) -> bool:
        """Whether this only asks if the resource runs, where it should not as a rule: say so without a reason."""
        return self.action == "monitor" and not self.interval

    @property
    def role(self) -> str:
        """The role that the operation is for, such as "Promoted", in the words of OCF 1.1; "" where there is none."""
        found = self.meta("role")
        return ROLES.get(found, found)

    @property
    def local(self) -> bool:
        """Whether this machine may be looked at; not in a validate-all without OCF_CHECK_LEVEL=10."""
        return self.action != "validate-all" or self.check_level >= LOCAL_LEVEL

    @property
    def node(self) -> str:
        """The name of this node in the cluster; asks crm_node where Pacemaker does not tell. "" where it is mute."""
        from tocsin_ocf.surroundings import node_name

        return node_name(self)

    @property
    def notification(self) -> "Notification":
        """What a `notify` is about, as values."""
        from tocsin_ocf.notification import Notification

        return Notification(self)

    @property
    def log(self) -> "Log":
        """The log of Pacemaker's tools: debug, info, warning, error."""
        from tocsin_ocf.ha_log import Log

        return Log(self)

    def program(self, name: str) -> str:
        """Return the path of a program that has to be there; ActionFailed (OCF_ERR_INSTALLED) where it is not."""
        from tocsin_ocf.surroundings import program

        return program(name)

    def set_promotion_score(self, score: "int | None") -> None:
        """Tell Pacemaker how well this node suits to be promoted; None takes it back. ActionFailed if it will not."""
        from tocsin_ocf.surroundings import set_promotion_score

        set_promotion_score(self, score)


class Agent(Declaration):
    """An agent: what it declares, and the functions that do it."""

    def __init__(
        self,
        name: str,
        version: str,
        short: str,
        long: str,
        parameters: "tuple[Parameter[object], ...]" = (),
        *,
        provider: str,
    ) -> None:
        """Declare ocf:`provider`:`name`: a title of at most 60 characters, and what is worth to know."""
        super().__init__(name, version, short, long, parameters, BUILT_IN, provider=provider)
        self.functions: dict[str, Callable[[Asked], Outcome]] = {}
        self.demanding: tuple[str, ...] = DEMANDING

    def action(
        self, timeout: str, interval: str = "", depth: str = "", role: str = "", name: str = ""
    ) -> "Callable[[Function], Function]":
        """
        Make a function the action of its name; the times are what pcs and crmsh take where an operation names none.

        `reload_agent` is the action reload-agent. A second monitor, for the Promoted role, needs another interval.
        """

        def declared(function: "Function") -> "Function":
            own = name or HYPHENATED.get(function.__name__, function.__name__)
            rows = [*(row for row in self.actions if row not in BUILT_IN), Action(own, timeout, interval, depth, role)]
            names = {row.name for row in rows}
            self.actions = (*rows, *(row for row in BUILT_IN if row.name not in names))
            self.functions[own] = function
            return function

        return declared

    def main(self) -> "NoReturn":
        """Do what the command line asks for, and end this process."""
        run(self.perform)

    def perform(self, action: str, environ: "Mapping[bytes, bytes]" = posix.environ) -> "tuple[int, str]":
        """Do it, and return the exit code and its reason; a test calls this with an environment of its own."""
        if action not in self.functions and action != "validate-all":
            from tocsin_ocf.metadata import describe

            return describe(self, action)
        asked, names = Asked(action, environ), [action]
        if action in self.demanding:
            from tocsin_ocf.validation import demand

            demand(self, asked)
            names = [*dict.fromkeys(["validate-all", action])]
        code, reason = OCF_SUCCESS, ""
        for name in names:
            if name in self.functions and code == OCF_SUCCESS:
                code, reason = self._outcome(name, asked)
        if reason and code < OCF_DEGRADED:
            asked.log.reason(reason)
        return code, reason

    def _outcome(self, name: str, asked: Asked) -> "tuple[int, str]":
        """Call the function; what the system refuses is a reason, and no bug."""
        try:
            found = self.functions[name](asked)
        except ActionFailed as failed:
            return failed.code, failed.reason
        except OSError as error:
            code = OCF_ERR_PERM if isinstance(error, PermissionError) else OCF_ERR_GENERIC
            return code, f"{error.strerror}: {error.filename}" if error.filename else str(error)
        return found if isinstance(found, tuple) else (found or OCF_SUCCESS, "")

    def mistakes(self) -> "list[str]":
        """Return what is wrong with the declaration itself: for your tests."""
        from tocsin_ocf.validation import mistakes

        return mistakes(self)
