"""
Which processes belong to a service, read from /proc.

A service is more than its main process: children, and daemons that left its session, belong to it too. The
snapshot is a plain value, so that the question "what is left of it?" is a pure function of it.

psutil is not used here: it knows neither the session nor the start time in clock ticks, which is what makes a
pid unmistakable (its seconds since the epoch move when the clock is set).
"""

import os
from signal import pidfd_send_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARK = "TOCSIN_INCARNATION"
"""Environment variable of every service: finds descendants that left the session and lost their parents."""


class Process:
    """One line of the process table; `start` in clock ticks since boot makes `pid` unmistakable."""

    __slots__ = ("name", "parent", "pid", "session", "start", "state")

    def __init__(self, pid: int, name: str, state: str, parent: int, session: int, start: int) -> None:
        """Keep the fields of /proc/PID/stat (proc(5)) that tell who belongs to whom."""
        self.pid = pid
        self.name = name
        self.state = state
        self.parent = parent
        self.session = session
        self.start = start

    @property
    def alive(self) -> bool:
        """Tell whether it still is a process: a zombie is only a name that its parent has not read yet."""
        return self.state not in "ZX"

    def __repr__(self) -> str:
        """Return what an administrator needs to find it."""
        return f"{self.name}[{self.pid}] {self.state}"


def parse_stat(text: str) -> Process:
    """Return the process in the text of /proc/PID/stat, whose command name may hold spaces and parentheses."""
    head, _, tail = text.rpartition(")")
    pid, _, name = head.partition(" (")
    fields = tail.split()
    return Process(int(pid), name, fields[0], int(fields[1]), int(fields[3]), int(fields[19]))


def look(pid: int) -> "Process | None":
    """Return the process with this pid, None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return parse_stat(file.read())
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


def marked(incarnation: str, table: "Iterable[Process]") -> "set[int]":
    """Return the pids whose environment at exec carried the mark of this incarnation."""
    mark = f"{MARK}={incarnation}".encode()
    return {process.pid for process in table if mark in _environment(process.pid).split(b"\0")}


def _environment(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""


def members(
    table: "list[Process]", main: "tuple[int, int]", known: "Mapping[int, int]", found: "set[int]"
) -> "list[Process]":
    """
    Return the living processes of a service: its session, stragglers, and whatever descends from them.

    `main` is pid and start time of the main process, which leads the session; `known` are members seen before
    (pid to start time), `found` pids that carry the mark. The session counts only while its leader is there, if
    only as a zombie: afterwards its number may be a stranger's.
    """
    led = any((process.pid, process.start) == main for process in table)
    living = [process for process in table if process.alive]
    inside = {
        process.pid
        for process in living
        if (led and process.session == main[0]) or process.pid in found or known.get(process.pid) == process.start
    }
    grew = True
    while grew:
        children = {process.pid for process in living if process.parent in inside} - inside
        inside |= children
        grew = bool(children)
    return [process for process in living if process.pid in inside]


def send_signal(process: Process, number: int) -> bool:
    """Send a signal to exactly this process, never to a successor of its pid; False where it is gone."""
    try:
        fd = os.pidfd_open(process.pid)
    except ProcessLookupError:
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
