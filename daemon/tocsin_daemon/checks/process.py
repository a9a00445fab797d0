"""
The check `process`: what the service's processes use, against soft limits (degraded) and hard ones (failed).

psutil reads the numbers; who a process is says its start time in clock ticks, as everywhere else here. Numbers are sums
over the service's processes: memory that they share counts once for each. One that ends while it is looked at is no
error. A look costs some 0.1 ms for each process, more where open files are limited and there are thousands.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
from twisted.internet.defer import Deferred, succeed

from tocsin_daemon.core.check import Outcome, Result
from tocsin_ocf.processes import UNINTERRUPTIBLE, Process, look
from tocsin_ocf.targets import levels

if TYPE_CHECKING:
    from tocsin_daemon.checks.outside import Outside
    from tocsin_daemon.core.check import Spec

MOST_THREADS = 1000
"""Threads that one look asks whether they are stuck, of all processes together: 10 ms."""
MIB = 1024 * 1024

Identity = tuple[int, int]
"""Pid and start time."""


@dataclass(frozen=True)
class Measure:
    """One thing that is measured: how it is read of a process, and how it is said."""

    read: Callable[[Any], float]
    said: Callable[[float], str]


def _count(what: str) -> Callable[[float], str]:
    return lambda number: f"{number:.0f} {what}"


def _mib(number: float) -> str:
    return f"{number / MIB:.1f} MiB" if number < 10 * MIB else f"{number / MIB:.0f} MiB"


def _cpu_seconds(process: Any) -> float:  # noqa: ANN401 - psutil's
    times = process.cpu_times()
    return float(times.user + times.system)


MEASURES = {
    "rss": Measure(lambda process: float(process.memory_info().rss), _mib),
    "cpu": Measure(_cpu_seconds, lambda number: f"{number:.0f} % of a core"),
    "open_files": Measure(lambda process: float(process.num_fds()), _count("open files")),
    "threads": Measure(lambda process: float(process.num_threads()), _count("threads")),
}
"""What is summed over the processes; `children` and `stuck` are not."""


class ProcessLimits:
    """One check of the kind."""

    def __init__(self, spec: Spec, outside: Outside) -> None:
        """Read the limits; `tocsin_ocf.values.Wrong` where they are none."""
        self._levels = levels(spec.target)
        self._members = outside.lately
        self._clock = outside.reactor
        self._cpu: dict[Identity, float] = {}
        self._looked: float | None = None
        self._stuck = Stuck()

    def run(self) -> Deferred[Outcome]:
        """Look once, at once."""
        members = self._members()
        now = self._clock.seconds()
        wanted = [name for name in MEASURES if name in self._levels]
        found = {process: values for process in members if (values := _measured(process, wanted)) is not None}
        numbers = {name: {process: values[name] for process, values in found.items()} for name in wanted}
        if "cpu" in numbers:
            numbers["cpu"] = self._shares(numbers["cpu"], now)
        faults = [self._judge(name, of_each) for name, of_each in numbers.items()]
        if "children" in self._levels:
            children = max(0, len(members) - 1)
            faults.append(self._against("children", children, f"{children} children"))
        if "stuck" in self._levels:
            faults.append(self._stuck_too_long(members, now))
        return succeed(_worst(faults, len(members)))

    def _shares(self, spent: dict[Process, float], now: float) -> dict[Process, float]:
        """Return the percent of a core that each has used since the last look; none at the first one."""
        before, self._cpu = self._cpu, {(one.pid, one.start): seconds for one, seconds in spent.items()}
        elapsed, self._looked = now - (now if self._looked is None else self._looked), now
        if elapsed <= 0:
            return {}
        # Of one that was not there then, nothing is known: it may be older, and only now have become the service's.
        known = {one: seconds - before.get((one.pid, one.start), seconds) for one, seconds in spent.items()}
        return {one: 100 * seconds / elapsed for one, seconds in known.items()}

    def _judge(self, name: str, of_each: dict[Process, float]) -> Outcome | None:
        total = sum(of_each.values())
        said = MEASURES[name].said
        largest = max(of_each, key=lambda process: of_each[process], default=None)
        if largest is None:
            return None
        most = f"; most has {largest.name}[{largest.pid}]: {said(of_each[largest])}" if len(of_each) > 1 else ""
        one = f" in {largest.name}[{largest.pid}]" if len(of_each) == 1 else ""
        return self._against(name, total, f"{said(total)}{one}", most)

    def _stuck_too_long(self, members: list[Process], now: float) -> Outcome | None:
        seconds, process = self._stuck.longest(members, now)
        name = f"{process.name}[{process.pid}]" if process else ""
        return self._against("stuck", seconds, f"{name} has been in uninterruptible sleep for {seconds:.0f} s")

    def _against(self, name: str, number: float, said: str, more: str = "") -> Outcome | None:
        """Return what a number exceeds, None where it exceeds nothing."""
        soft, hard = self._levels[name]
        for result, limit in ((Result.BAD, hard), (Result.SOFT, soft)):
            if limit is not None and number > limit:
                bound = MEASURES[name].said(limit) if name in ("rss", "cpu") else f"{limit:g}"
                kind = "" if result is Result.BAD else "soft "
                return Outcome(result, f"{said}, {kind}limit {bound}{more}")
        return None


class Stuck:
    """
    Since when threads have been in uninterruptible sleep.

    A thread that reads a disk is seen in that state again and again, and is healthy. It is stuck if it also has not run
    in between: then the kernel has not switched to it.
    """

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._since: dict[tuple[int, int, str, int], float] = {}

    def longest(self, members: list[Process], now: float) -> tuple[float, Process | None]:
        """Return how many seconds the one has been stuck that has been so the longest, and its process."""
        seen = {(one.pid, one.start, thread, runs): one for one in members for thread, runs in _sleepers(one.pid)}
        self._since = {key: self._since.get(key, now) for key in list(seen)[:MOST_THREADS]}
        first = min(self._since, key=lambda key: self._since[key], default=None)
        return (0.0, None) if first is None else (now - self._since[first], seen[first])


def _sleepers(pid: int) -> Iterable[tuple[str, int]]:
    """Return the threads of a process that sleep uninterruptibly, and how often each has been switched to."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")[:MOST_THREADS]
    except OSError:
        return []
    stuck = [thread for thread in threads if _field(f"/proc/{pid}/task/{thread}/stat") == UNINTERRUPTIBLE]
    return [(thread, _switches(f"/proc/{pid}/task/{thread}/status")) for thread in stuck]


def _field(path: str) -> str:
    """Return the state in a /proc/PID/stat (proc(5)), "" where there is none any more."""
    return _text(path).rpartition(")")[2][1:2]


def _switches(path: str) -> int:
    lines = [line.split() for line in _text(path).splitlines() if "ctxt_switches" in line]
    return sum(int(words[1]) for words in lines)


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _measured(process: Process, wanted: list[str]) -> dict[str, float] | None:
    """Return what a process uses; None where it has ended meanwhile, also where its pid is a stranger's by now."""
    if not wanted:
        return {}
    try:
        one = psutil.Process(process.pid)
        with one.oneshot():
            found = {name: MEASURES[name].read(one) for name in wanted}
    except (psutil.Error, OSError):
        return None
    now = look(process.pid)
    return found if now and now.start == process.start else None


def _worst(faults: list[Outcome | None], count: int) -> Outcome:
    """Return one outcome: the worst result, and everything that exceeds a limit, the hard ones first."""
    found = [fault for fault in faults if fault]
    bad = [fault for fault in found if fault.result is Result.BAD]
    soft = [fault for fault in found if fault.result is Result.SOFT]
    text = ". ".join(fault.text for fault in (*bad, *soft))
    if not found:
        return Outcome(Result.WELL, f"{count} processes within their limits" if count != 1 else "within its limits")
    return Outcome(Result.BAD if bad else Result.SOFT, text)
