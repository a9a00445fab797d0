"""Who listens on a port, from /proc/net and /proc/PID/fd: where an action, or a check, has met a stranger there."""

import os

from tocsin_ocf.client import Mute
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, ActionFailed
from tocsin_ocf.processes import look
from tocsin_ocf.rundir import STATE_DIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tocsin_ocf.invocation import Invocation
    from tocsin_ocf.rundir import Rundir

LISTENING = "0A"
"""TCP_LISTEN in /proc/net/tcp (Linux, include/net/tcp_states.h)."""
REACHED = (
    *("00000000", "0100007F", "7F000001"),
    *("0" * 32, "0000000000000000FFFF00000100007F", "00000000000000000000FFFF7F000001"),
)
"""What a connection to 127.0.0.1 reaches, as /proc/net/tcp and tcp6 print it: the machine's order of bytes."""


class Owner:
    """A process that listens; `pid` 0 where it cannot be found, as in another namespace."""

    __slots__ = ("name", "pid", "user")

    def __init__(self, pid: int, name: str, user: str) -> None:
        """Keep all three."""
        self.pid = pid
        self.name = name
        self.user = user

    def __str__(self) -> str:
        """Return what an administrator needs to find it."""
        return f"{self.name}[{self.pid}] of user {self.user}" if self.pid else f"a process of user {self.user}"


def port_owner(port: int) -> "Owner | None":
    """Return who listens where a connection to 127.0.0.1:`port` arrives, None where nobody does."""
    wanted = [f"{address}:{port:04X}" for address in REACHED]
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for local, uid, inode in listening_sockets(table):
            if local in wanted:
                return socket_owner(f"socket:[{inode}]", uid)
    return None


def socket_owner(link: str, uid: int) -> Owner:
    """Return who has a socket open, whose name in /proc/PID/fd is `link`, and whose table says that it is of `uid`."""
    pid = _holder(link)
    process = look(pid) if pid else None
    return Owner(pid, process.name, _user(uid)) if process else Owner(0, "", _user(uid))


def squatter(rundir: "Rundir", port: int) -> str:
    """Return in words who has the port of our daemon, "" where nobody has or our daemon itself."""
    owner = port_owner(port)
    if owner is None or owner.pid == daemon_pid(rundir):
        return ""
    return f"port {port} is held by {owner}, not by our daemon"


def why_unanswered(fault: Exception, asked: "Invocation") -> str:
    """Return in words why a question got no answer from our daemon."""
    rundir, port = asked.rundir, asked.port
    taken = squatter(rundir, port)
    if taken:
        return taken
    pid, seconds = daemon_pid(rundir), (asked.timeout - asked.reserve) / 1000
    if isinstance(fault, Mute) and pid > 0:
        return f"tocsind (pid {pid}, port {port}) does not answer within {seconds:g} s"
    return f"tocsind on port {port}: {fault}"


def demand_state(rundir: "Rundir", port: int) -> None:
    """
    Raise ActionFailed (OCF_ERR_GENERIC) where a daemon of root's listens without its state.

    Somebody removed its directory while it runs: what it watches cannot be told, least of all that nothing runs. A
    daemon that holds its lock has its state; it has just been started, for another resource.
    """
    if rundir.held():
        return
    owner = port_owner(port)
    if owner and owner.user == "root" and owner.name == "tocsind" and _keeps(owner.pid, rundir):
        why = f"{owner} listens on port {port}, but its state in {rundir.path} is gone"
        raise ActionFailed(OCF_ERR_GENERIC, why)


def _keeps(pid: int, rundir: "Rundir") -> bool:
    """Tell whether a daemon was started to keep its state in this run directory, and not in another one."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            words = file.read().split("\0")
    except OSError:
        return False
    state_dir = words[words.index("--state-dir") + 1] if "--state-dir" in words[:-1] else STATE_DIR
    return rundir.path.rpartition("/")[0] == state_dir


def daemon_pid(rundir: "Rundir") -> int:
    """Return the pid that our daemon wrote into its lock, -1 where there is none, or only a part of one."""
    try:
        with open(rundir.lock, encoding="ascii") as file:
            text = file.read(32)
        return int(text) if text.endswith("\n") else -1
    except (OSError, ValueError):
        return -1


def listening_sockets(table: str) -> "Iterator[tuple[str, int, str]]":
    """
    Yield ADDRESS:PORT, uid and inode of those who listen, from one of the kernel's tables.

    The table (proc_net_tcp in the kernel's documentation) begins with them. The connections behind, which may be a
    hundred thousand, are not read.
    """
    try:
        with open(table, encoding="ascii") as file:
            next(file, "")
            for line in file:
                row = line.split()
                if row[3] != LISTENING:
                    return
                yield row[1], int(row[7]), row[9]
    except OSError:
        return


def _holder(link: str) -> int:
    """Return the pid that has the socket open, 0 where none is seen."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if os.readlink(f"/proc/{pid}/fd/{fd}") == link:
                    return int(pid)
        except OSError:  # it ended, or it is not ours to look at
            continue
    return 0


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
