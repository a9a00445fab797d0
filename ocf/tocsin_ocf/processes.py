"""
Which processes belong to a service, read from /proc.

A service is more than its main process: children, and daemons that left its session, belong to it too. The
snapshot is a plain value, so that the question "what is left of it?" is a pure function of it.

psutil is not used here: it knows neither the session nor the start time in clock ticks, which is what makes a
pid unmistakable (its seconds since the epoch move when the clock is set).
"""

import os
from signal import pidfd_send_signal
from time import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARK = "TOCSIN_INCARNATION"
"""Environment variable of every service: finds descendants that left the session and lost their parents."""
UNINTERRUPTIBLE = "D"
PF_KTHREAD = 0x00200000
"""Flag of a kernel thread in /proc/PID/stat (linux/sched.h); there are many, and none is a service's."""
STAT_BYTES = 4096
"""More than any /proc/PID/stat has: 52 numbers and a name."""
MOST_READ = 128 * 1024
"""Bytes of an environment: our mark stands in the first of it, behind what a service's own file may add."""
EXEC_LOOKS, EXEC_PAUSE = 20, 0.001
"""How often and how many seconds apart a process is looked at again that is just executing a program."""
MOST_SHOWN = 20
"""Processes that are named as evidence: the rest of a fork bomb looks like them."""
MOST_THREADS = 100
"""Threads of a process that are asked which of them is stuck."""


class Process:
    """One line of the process table; `start` in clock ticks since boot makes `pid` unmistakable."""

    __slots__ = ("kernel", "name", "parent", "pid", "session", "start", "state", "threads", "waits_on")

    def __init__(self, pid: int, name: str, state: str, parent: int, session: int, start: int) -> None:
        """Keep the fields of /proc/PID/stat (proc(5)) that tell who belongs to whom."""
        self.pid = pid
        self.name = name
        self.state = state
        self.parent = parent
        self.session = session
        self.start = start
        self.kernel = False
        self.threads = 1
        self.waits_on = ""

    @property
    def alive(self) -> bool:
        """
        Tell whether it still is a process: a zombie is only a name that its parent has not read yet.

        Not so one with threads: its first thread has ended, the others run, or cannot be killed.
        """
        return self.state not in "ZX" or self.threads > 1

    def __repr__(self) -> str:
        """Return what an administrator needs to find it, and why it cannot be killed; see `observe`."""
        sleep = f" in {self.waits_on}" if self.waits_on else ""
        if self.state == UNINTERRUPTIBLE:
            sleep = f" (uninterruptible sleep{sleep})"
        return f"{self.name}[{self.pid}] {self.state}{sleep}"


def parse_stat(text: str) -> Process:
    """Return the process in the text of /proc/PID/stat, whose command name may hold spaces and parentheses."""
    head, _, tail = text.rpartition(")")
    pid, _, name = head.partition(" (")
    fields = tail.split()
    process = Process(int(pid), name, fields[0], int(fields[1]), int(fields[3]), int(fields[19]))
    process.threads = int(fields[17])
    process.kernel = bool(int(fields[6]) & PF_KTHREAD)
    return process


def look(pid: int) -> "Process | None":
    """Return the process with this pid, None where there is none."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)  # a file object would cost twice as much
        try:
            return parse_stat(os.read(fd, STAT_BYTES).decode("utf-8", "replace"))
        finally:
            os.close(fd)
    except (FileNotFoundError, ProcessLookupError):
        return None


def snapshot() -> "list[Process]":
    """Return the process table. Not atomic: what comes and goes while it is read may be missing."""
    found = (look(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process]


def boot_id() -> str:
    """Return the kernel's name for this boot: a pid of another boot is nobody."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def marked(value: str, table: "Iterable[Process]", oldest: int = 0, variable: str = MARK) -> "set[int]":
    """
    Return the pids whose environment at exec carried the mark of an incarnation, or another variable; never our own.

    `oldest` is when the service's main process started: what is older is none of its. Any user's processes are read
    here, so each costs little, whatever it has put into its environment, and all together may make us wait little.
    """
    mark = f"\0{variable}={value}\0".encode()
    patience = Patience(EXEC_LOOKS)
    users = [one.pid for one in table if not one.kernel and one.alive and one.start >= oldest]
    found = {pid for pid in users if mark in b"\0" + _environment(pid, patience) + b"\0"}
    return found - {os.getpid()}  # whoever starts us in a shell of the service hands its mark on


class Patience:
    """How often one scan may wait for a process in the middle of execve(2): a user can be there all the time."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        """Wait so often at most."""
        self.left = left


def _environment(pid: int, patience: Patience) -> bytes:
    """Return the environment of a process; in the middle of execve(2) it has none, which is waited out."""
    path = f"/proc/{pid}/environ"
    while True:
        found = _read_if_allowed(path)
        if found != b"":
            return found or b""
        if not _is_executing(pid):
            return _read(path)  # it may have been when we looked first
        if not patience.left:
            return b""
        patience.left -= 1
        sleep(EXEC_PAUSE)


def _is_executing(pid: int) -> bool:
    """Tell whether a process has memory (vsize), but no place yet where its environment ends (env_end, proc(5))."""
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return len(fields) > 48 and fields[20] != b"0" and fields[48] == b"0"


def _read(path: str) -> bytes:
    """Return what is in a file of /proc, nothing where it or we have no right to be."""
    return _read_if_allowed(path) or b""


def _read_if_allowed(path: str) -> "bytes | None":
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(fd, MOST_READ)
    except OSError:
        return None
    finally:
        os.close(fd)


def members(
    table: "list[Process]", main: "tuple[int, int]", known: "Mapping[int, int]", found: "set[int]"
) -> "list[Process]":
    """
    Return the living processes of a service: those with a tie to it, and whatever comes of them.

    Ties: `main`, pid and start time of the main process; `known`, members seen before (pid to start time);
    `found`, pids in its cgroup or with its mark. Of them come their children, and the sessions that they lead.
    A session counts only while its leader is in the table, if only as a zombie: the kernel gives its number to
    nobody else before that, and afterwards it may be a stranger's.
    """
    inside = {
        process.pid
        for process in table
        if (process.pid, process.start) == main
        or known.get(process.pid) == process.start
        or (process.pid in found and process.alive)
    }
    grew = True
    while grew:
        led = {process.session for process in table if process.pid == process.session and process.pid in inside}
        more = {process.pid for process in table if process.parent in inside or process.session in led} - inside
        inside |= more
        grew = bool(more)
    return [process for process in table if process.alive and process.pid in inside]


def observe(process: Process) -> Process:
    """Fill in what a process waits on; of its threads, the one that sleeps uninterruptibly (proc(5), wchan)."""
    threads = [f"/proc/{process.pid}"]
    if process.threads > 1:
        task = f"{threads[0]}/task"
        threads += [f"{task}/{tid}" for tid in _listed(task)[:MOST_THREADS]]
    stuck = next((thread for thread in threads if _state(thread) == UNINTERRUPTIBLE), "")
    if stuck:
        process.state = UNINTERRUPTIBLE
    where = _read(f"{stuck or threads[0]}/wchan").decode("ascii", "replace")
    process.waits_on = "" if where == "0" else where  # "0": it runs, or the kernel does not tell
    return process


def _listed(directory: str) -> "list[str]":
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _state(thread: str) -> str:
    return _read(f"{thread}/stat").rpartition(b")")[2][1:2].decode("ascii", "replace")


def observe_stuck(inside: "list[Process]") -> "list[Process]":
    """Fill in what those wait on that perhaps cannot be killed, so that their names say so."""
    for process in [one for one in inside if one.state in "DZ"][:MOST_SHOWN]:
        observe(process)
    return inside


def evidence(inside: "list[Process]") -> "tuple[str, ...]":
    """Return the processes in words, each with its state and what it waits on; a bounded number of them."""
    shown = [repr(observe(process)) for process in inside[:MOST_SHOWN]]
    more = len(inside) - len(shown)
    return (*shown, f"and {more} more") if more else tuple(shown)


def send_signal(process: Process, number: int) -> bool:
    """Send a signal to exactly this process, never to a successor of its pid; False where it is gone."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:  # it is gone, or its number is a thread's by now
        return False
    try:
        now = look(process.pid)
        if now is None or now.start != process.start:
            return False
        pidfd_send_signal(fd, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)
    return True
