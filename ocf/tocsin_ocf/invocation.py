"""What Pacemaker asks of `agent/service`: a call, and the daemon that it has to be passed on to."""

from tocsin_ocf.call import Call
from tocsin_ocf.exit_codes import OCF_ERR_ARGS, ActionFailed, wrong
from tocsin_ocf.rundir import PORT, STATE_DIR, Rundir
from tocsin_ocf.wire import EVERY_RESOURCE, valid_resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Invocation(Call):
    """One call of the agent. The daemon gives up another `reserve` milliseconds before the agent does."""

    __slots__ = ()

    @property
    def own(self) -> "Mapping[str, object] | None":
        """The definition of an agent that knows it by itself; None where the parameters of `agent/service` say it."""
        return None

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
        if not is_port(text):
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

    def patience(self) -> float:
        """
        Return the seconds after which a daemon that answers from memory must be frozen.

        A quarter of the operation: enough on a starving machine, and it leaves the time to replace the daemon.
        """
        return min(self.remaining(), self.timeout / 4000)

    def daemon_timeout(self) -> int:
        """Return the milliseconds that the daemon may take, asked now."""
        return max(1, int(self.remaining() * 1000) - self.reserve)


def is_port(text: str) -> bool:
    """Tell whether a text is the number of a TCP port."""
    return text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536
