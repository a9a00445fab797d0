"""
One call of an agent, read from the environment that Pacemaker passes; whatever the agent is.

A faulty value is found when it is asked for, not before: a probe of what never ran is "not running" whatever
its parameters say, and a stop has to work with the parameters that made the start fail.
"""

from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETER = "OCF_RESKEY_"
META = "OCF_RESKEY_CRM_meta_"
LONGEST = 86_400_000
"""Milliseconds of a day: no operation takes longer, and no clock overflows by it."""
DEFAULT_TIMEOUT = 20_000
"""Milliseconds that Pacemaker grants an operation without a timeout of its own."""
LOCAL_LEVEL = 10
"""The OCF_CHECK_LEVEL from which on validate-all may look at this machine."""


class Call:
    """What Pacemaker says of the operation; the clock starts when this is made."""

    __slots__ = ("_deadline", "environ", "interval", "reserve", "timeout")

    def __init__(self, environ: "Mapping[bytes, bytes]") -> None:
        """
        Keep the environment, and start the clock.

        Pacemaker kills an agent at its timeout and throws its reason away, so the agent gives up `reserve`
        milliseconds earlier: the first to speak knows best why.
        """
        self.environ = environ
        self.interval = self._milliseconds("interval")  # 0 is a probe (ocf-tester says so; Pacemaker says nothing)
        self.timeout = self._milliseconds("timeout") or DEFAULT_TIMEOUT
        self.reserve = min(1000, self.timeout // 10)
        self._deadline = monotonic() + (self.timeout - self.reserve) / 1000

    def parameter(self, name: str) -> str:
        """Return the value of a parameter, "" where it is not set; whoever wants a default knows it."""
        return self.variable(f"{PARAMETER}{name}")

    def meta(self, name: str) -> str:
        """Return a meta attribute, such as clone_max or migrate_target; "" where Pacemaker tells none."""
        return self.variable(f"{META}{name}")

    @property
    def check_level(self) -> int:
        """OCF_CHECK_LEVEL: how deep a monitor or validate-all should look; 0 where it is not set."""
        return _number(self.variable("OCF_CHECK_LEVEL"))

    def remaining(self) -> float:
        """Return the seconds that are left until the agent gives up."""
        return self._deadline - monotonic()

    def variable(self, name: str) -> str:
        """Return an environment variable, "" where it is not set."""
        return self.environ.get(name.encode(), b"").decode("utf-8", "surrogateescape")

    def _milliseconds(self, name: str) -> int:
        return min(_number(self.meta(name)), LONGEST)


def _number(text: str) -> int:
    """Return the number in a text, 0 where there is none; of more digits than any number here the first ones do."""
    return int(text[:12]) if text.isascii() and text.isdigit() else 0
