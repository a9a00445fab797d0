"""The driver's hands and eyes in its namespace: processes spawned, watched, found and killed, by pidfd throughout."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

TICK = 1.0 / os.sysconf("SC_CLK_TCK")
TRIES = 200


def now() -> float:
    """Return the seconds since boot, the clock of the kernel's process table."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Seen:
    """A process as /proc shows it."""

    pid: int
    parent: int
    state: str
    command: tuple[str, ...]
    directory: str

    def __str__(self) -> str:
        """Return it as an administrator would name it."""
        return f"{self.pid} {self.state} {' '.join(self.command)[:60]}"


def see(pid: int) -> Seen | None:
    """Return a living process, None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            command = tuple(file.read().split("\0")[:-1])
        directory = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None
    return None if fields[0] in "ZX" else Seen(pid, int(fields[1]), fields[0], command, directory)


def everyone() -> list[Seen]:
    """Return all living processes of the namespace."""
    found = (see(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [process for process in found if process]


def begun(stat: str) -> float:
    """Return when a process began, from the text of its /proc/PID/stat."""
    return int(stat.rpartition(")")[2].split()[19]) * TICK


def has_ended(pidfd: int) -> bool:
    """Tell whether a process has ended; a zombie has."""
    return bool(select.select([pidfd], [], [], 0)[0])


def send(pid: int, number: int) -> bool:
    """Send a signal to a process; False where it is gone."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(pidfd)
    return True


def daemons() -> list[int]:
    """Return the pids of the daemons that live, frozen ones too; not of what one of them is about to execute."""
    found = {one.pid: one.parent for one in everyone() if "/usr/bin/tocsind" in one.command}
    return [pid for pid, parent in found.items() if parent not in found]


async def with_pid(pid: int) -> subprocess.Popen[bytes] | None:
    """Start a process that gets this pid, as soon as it is free; None where somebody else was faster."""
    for _ in range(TRIES):
        if not os.path.exists(f"/proc/{pid}"):
            process = _fork_after(pid - 1)
            if process.pid == pid:
                return process
            process.kill()
            process.wait()
        await asyncio.sleep(0.001)
    return None


def _fork_after(pid: int) -> subprocess.Popen[bytes]:
    with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
        file.write(str(pid))
    return subprocess.Popen(["/bin/sleep", "3600"], start_new_session=True)


class Watch:
    """Calls back once when a process ends."""

    def __init__(self, pid: int, ended: Callable[[], None]) -> None:
        """Watch from now on; a process that is gone already has ended."""
        self._ended = ended
        self.over = False
        try:
            self._pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._pidfd = -1
            self.over = True
            ended()
            return
        asyncio.get_running_loop().add_reader(self._pidfd, self.look)

    def look(self) -> None:
        """See whether it has ended, without waiting for the loop to come by."""
        if self.over or not has_ended(self._pidfd):
            return
        self.over = True
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._ended()


class Call:
    """A program that is executed and waited for."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Execute it, in a session of its own, as Pacemaker's executor does."""
        self._process = subprocess.Popen(
            list(argv),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.done: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        Watch(self._process.pid, self._ended)

    def _ended(self) -> None:
        code = self._process.wait()
        assert self._process.stderr is not None
        os.set_blocking(self._process.stderr.fileno(), False)
        said = (self._process.stderr.read() or b"").decode(errors="replace").strip()
        self._process.stderr.close()
        self.done.set_result((code, said))

    def kill(self) -> None:
        """End it and its process group, as Pacemaker does at a timeout or a cancellation."""
        if not self.done.done():
            os.killpg(self._process.pid, signal.SIGKILL)
