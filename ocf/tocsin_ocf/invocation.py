"""
What Pacemaker asks of the agent, read from the environment that it passes.

A faulty value is found when it is asked for, not before: a probe of what never ran is "not running" whatever
its parameters say, and a stop has to work with the parameters that made the start fail.
"""

from time import monotonic

from tocsin_ocf.exit_codes import OCF_ERR_ARGS, OCF_ERR_CONFIGURED, ActionFailed
from tocsin_ocf.rundir import PORT, STATE_DIR, Rundir
from tocsin_ocf.wire import EVERY_RESOURCE, valid_resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETER = "OCF_RESKEY_"
META = "OCF_RESKEY_CRM_meta_"
LONGEST = 86_400_000
"""Milliseconds of a day: no operation takes longer, and no clock overflows by it."""
DEFAULT_TIMEOUT = 20_000
"""Milliseconds that Pacemaker grants an operation without a timeout of its own."""


class Invocation:
    """One call of the agent; its clock starts when this is made."""

    __slots__ = ("_deadline", "environ", "interval", "reserve", "timeout")

    def __init__(self, environ: "Mapping[bytes, bytes]") -> None:
        """
        Keep the environment, and start the clock.

        Pacemaker kills an agent at its timeout and throws its reason away, so the agent gives up `reserve`
        milliseconds earlier, and the daemon another `reserve` before that: the first to speak knows best why.
        """
        self.environ = environ
        self.interval = self._milliseconds("interval")  # 0 is a probe (ocf-tester says so; Pacemaker says nothing)
        self.timeout = self._milliseconds("timeout") or DEFAULT_TIMEOUT
        self.reserve = min(1000, self.timeout // 10)
        self._deadline = monotonic() + (self.timeout - self.reserve) / 1000

    @property
    def resource(self) -> str:
        """The resource's id, with its instance number where it is a globally-unique clone."""
        name = self.variable("OCF_RESOURCE_INSTANCE")
        if not valid_resource(name) or name == EVERY_RESOURCE:
            raise ActionFailed(OCF_ERR_ARGS, f"OCF_RESOURCE_INSTANCE is {name!r}, which is not a resource id")
        return name

    @property
    def port(self) -> int:
        """The daemon's port."""
        text = self.parameter("port") or str(PORT)
        if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
            raise wrong("port", text, f"use a number from 1 to 65535, such as {PORT}")
        return int(text)

    @property
    def hold(self) -> int:
        """Milliseconds that a recurring monitor may wait at the daemon for something to happen."""
        text = self.parameter("monitor_hold") or "0"
        if not (text.isascii() and text.isdigit() and len(text) < 6):
            raise wrong("monitor_hold", text, "use a number of seconds, 0 for none")
        return int(text) * 1000

    @property
    def state_dir(self) -> str:
        """The directory above all run directories."""
        path = self.parameter("state_dir") or STATE_DIR
        if path[0] != "/" or not path.isprintable():
            raise wrong("state_dir", path, f"use an absolute path, such as {STATE_DIR}")
        return path

    @property
    def rundir(self) -> Rundir:
        """The paths of the daemon that is asked."""
        return Rundir(self.state_dir, self.port)

    def parameter(self, name: str) -> str:
        """Return the value of a parameter, "" where it is not set; whoever wants a default knows it."""
        return self.variable(f"{PARAMETER}{name}")

    def remaining(self) -> float:
        """Return the seconds that are left until the agent gives up."""
        return self._deadline - monotonic()

    def patience(self) -> float:
        """
        Return the seconds after which a daemon that answers from memory must be frozen.

        A quarter of the operation: enough on a starving machine, and it leaves the time to replace the daemon.
        """
        return min(self.remaining(), self.timeout / 4000)

    def daemon_timeout(self) -> int:
        """Return the milliseconds that the daemon may take, asked now."""
        return max(1, int(self.remaining() * 1000) - self.reserve)

    def variable(self, name: str) -> str:
        """Return an environment variable, "" where it is not set."""
        return self.environ.get(name.encode(), b"").decode("utf-8", "surrogateescape")

    def _milliseconds(self, name: str) -> int:
        text = self.variable(f"{META}{name}")
        return min(int(text[:12]), LONGEST) if text.isascii() and text.isdigit() else 0


def wrong(name: str, value: str, right: str) -> ActionFailed:
    """Return the fault of a parameter that no node could accept: what is wrong, and what would be right."""
    return ActionFailed(OCF_ERR_CONFIGURED, f"parameter {name}: {value[:40]!r} is wrong; {right}")
