"""
The daemon's pulse: how much time was lost, to the daemon or the whole machine, since it began to be felt.

A heartbeat of the reactor that comes late shows that we were not running. The kernel tells the rest: pressure stall
information (Linux 4.20, psi(7)), and the time that a hypervisor gave to others. What a kernel or a container does not
show is done without.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tocsin_daemon.core import stretch
from tocsin_ocf.cgroup import cgroup_at

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

BEAT = 0.1
"""Seconds between two beats: what a look's deadline is wrong by at most."""
STEAL_EVERY = 10
"""Beats between two readings of /proc/stat, which is long where there are many processors."""
PRESSURES = (("cpu", b"some"), ("memory", b"full"))
"""Somebody waits for a processor; nobody gets anywhere for want of memory."""
STEAL_FIELD = 8
"""Of a cpuN line in /proc/stat (proc(5)), in clock ticks."""
MOST_READ = 64 * 1024


class Pulse:
    """Counts lost time while anybody wants to know."""

    def __init__(self, clock: IReactorTime, proc: str = "/proc") -> None:
        """Feel nothing yet."""
        self._clock = clock
        self._proc = proc
        self._users = 0
        self._lost = 0.0
        self._beaten = 0.0
        self._beats = 0
        self._pressed = 0.0
        self._stolen: list[int] = []
        self._tick = 1.0 / os.sysconf("SC_CLK_TCK")
        self._files: list[tuple[int, bytes]] = []
        self._call: IDelayedCall | None = None

    def begin(self) -> None:
        """Beat, for one more who wants to know."""
        self._users += 1
        if self._users == 1:
            self._files = [pair for pair in map(self._open, PRESSURES) if pair]
            self._pressed, self._stolen = self._pressure(), self._steal()
            self._beaten = self._clock.seconds()
            self._call = self._clock.callLater(BEAT, self._beat)

    def end(self) -> None:
        """Stop when the last one does not want to know any more."""
        self._users -= 1
        if not self._users and self._call:
            self._call.cancel()
            self._call = None
            for fd, _ in self._files:
                os.close(fd)
            self._files = []

    def lost(self) -> float:
        """Return the seconds lost so far, as of the last beat; one that is overdue right now counts."""
        late = self._clock.seconds() - self._beaten - BEAT
        return self._lost + (late if self._call and late > stretch.LATE else 0.0)

    def _beat(self) -> None:
        now, self._beats = self._clock.seconds(), self._beats + 1
        elapsed, self._beaten = now - self._beaten, now
        pressed, before = self._pressure(), self._pressed
        self._pressed = pressed
        stolen = self._newly_stolen() if self._beats % STEAL_EVERY == 0 or elapsed > 2 * BEAT else 0.0
        self._lost += stretch.lost(elapsed - BEAT, pressed - before, stolen)
        self._call = self._clock.callLater(BEAT, self._beat)

    def _newly_stolen(self) -> float:
        """Return the seconds stolen since the last reading, from the processor that was robbed most."""
        before, self._stolen = self._stolen, self._steal()
        return max((now - then for now, then in zip(self._stolen, before)), default=0) * self._tick

    def _open(self, pressure: tuple[str, bytes]) -> tuple[int, bytes] | None:
        name, line = pressure
        try:
            return os.open(f"{self._proc}/pressure/{name}", os.O_RDONLY | os.O_CLOEXEC), line
        except OSError:  # an old kernel, one without CONFIG_PSI, or started with psi=0
            return None

    def _pressure(self) -> float:
        """Return the seconds that somebody has waited since boot."""
        return sum(_total(fd, line) for fd, line in self._files) / 1e6

    def _steal(self) -> list[int]:
        """Return the ticks stolen from each processor since boot."""
        try:
            with open(f"{self._proc}/stat", "rb") as file:
                lines = file.read(MOST_READ).split(b"\n")
        except OSError:
            return []
        processors = [line.split() for line in lines[1:] if line.startswith(b"cpu")]
        return [int(fields[STEAL_FIELD]) for fields in processors if len(fields) > STEAL_FIELD]


def waited(cgroup: str) -> float | None:
    """
    Return the seconds that processes of a service have waited for processor, memory or disk; None where nobody knows.

    `cgroup` is the directory of its cgroup (Linux 5.2, cgroup v2), "" where it has none.
    """
    found = cgroup_at(cgroup)
    paths = [path for path in found.paths if os.path.isdir(path)] if found else []
    counted = [_waited_in(path) for path in paths]
    return sum(counted) if counted and min(counted) > 0 else None


def _waited_in(path: str) -> float:
    """Return the sum of all waiting, 0.0 where it is not counted: a service that never waited for anything is none."""
    microseconds = 0
    for what in ("cpu", "memory", "io"):
        try:
            fd = os.open(f"{path}/{what}.pressure", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            microseconds += _total(fd, b"some")
        finally:
            os.close(fd)
    return microseconds / 1e6


def _total(fd: int, line: bytes) -> int:
    """Return the microseconds in "some avg10=0.00 avg60=0.00 avg300=0.00 total=123"."""
    try:
        for one in os.pread(fd, MOST_READ, 0).split(b"\n"):
            if one.startswith(line):
                return int(one.rpartition(b"total=")[2])
    except (OSError, ValueError):
        pass
    return 0
