"""
Which processes belong to a service that is made of processes of ours, and what its cgroup knows of them.

Its cgroup, its session, its descendants, and daemons that left them all, found by the mark in their environment.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tocsin_daemon.cgroup import cgroup_of, killed_for_memory
from tocsin_daemon.core.record import Main
from tocsin_ocf import processes
from tocsin_ocf.cgroup import Cgroup, cgroup_at
from tocsin_ocf.processes import Process

if TYPE_CHECKING:
    from tocsin_daemon.drivers import Means

OF_RESOURCE = "TOCSIN_RESOURCE"
"""The variable in a service's environment that names its resource."""
DEEPEST = 100
"""Generations between an orphan and a process that comes of it; more are none."""
BURST = 0.5
"""
Seconds that the process table may be old for evidence: of services that die together, each has to be looked at while
what it leaves is still known by its session, and reading the table takes a tenth of a second for some thousand of them.
"""
LAST_ENDED = 5
"""Orphans whose end is remembered: what a service is made of may have died before its main process did."""


class Membership:
    """The processes of one resource's service, across its incarnations."""

    def __init__(self, resource: str, means: Means) -> None:
        """Begin with a service of which nothing is known."""
        self.resource = resource
        self.incarnation = ""
        self.main: Main | None = None
        self.root: tuple[int, int] = (0, 0)
        """Pid and start time of the process that all others come from; nothing of the service is older."""
        self.leader = 0
        """Whose session it is, while that is certain: a number of the past may be a stranger's by now."""
        self.known: dict[int, int] = {}
        self.cgroup: Cgroup | None = None
        self._youngest = float("-inf")
        """When a process of it was born that an older look at the process table does not know."""
        self._means = means
        self._ended: deque[str] = deque(maxlen=LAST_ENDED)
        self._lost = False
        """Its record is lost, and with it which incarnation it was: whatever names the resource is of it."""
        means.children.heirs[resource] = self

    def begin(self, incarnation: str) -> None:
        """Forget the last incarnation: another begins."""
        self.incarnation, self.known, self.main = incarnation, {}, None
        self.root, self.leader = (0, 0), 0
        self._lost = False
        self._ended.clear()

    def take_over(self, main: Main | None, incarnation: str, known: dict[int, int]) -> None:
        """
        Be what a former daemon knew.

        Without `main` that daemon died before it wrote it down: the cgroup or the mark finds the service.
        """
        self.begin(incarnation)
        self.main, self.known = main, dict(known)
        self._lost = main is None and not incarnation
        self.root = (main.pid, main.start) if main else (0, 0)
        self.cgroup = cgroup_at(main.cgroup) if main else None
        if self._means.cgroups and not self.cgroup:
            self.cgroup = self._means.cgroups.find(self.resource)

    def rooted(self, pid: int, start: int) -> None:
        """Know the process that the whole service comes from, which leads its session."""
        self.root, self.leader = (pid, start), pid
        self._youngest = self._means.reactor.seconds()

    def identified(self, pid: int, start: int) -> Main:
        """Return what a record keeps of a process that is, or becomes, the main one."""
        self._youngest = self._means.reactor.seconds()
        return Main(pid, start, processes.boot_id(), self.cgroup.path if self.cgroup else "")

    def living(self, *, thorough: bool, since: float | None = None) -> list[Process]:
        """
        Return the living processes of the service, as they were at `since` (the clock's seconds; None: now) or later.

        `thorough` reads the environment of every process as well: dearer, and needed before "nothing is left".
        """
        found = self.cgroup.pids() if self.cgroup else set()
        moment = self._means.reactor.seconds() if since is None else max(since, self._youngest)
        table = self._means.table.since(moment)
        if thorough and self.incarnation:
            found |= processes.marked(self.incarnation, table, self.root[1])
        elif thorough and self._lost:
            found |= set(filter(_is_in_no_container, processes.marked(self.resource, table, variable=OF_RESOURCE)))
        main = (self.main.pid, self.main.start) if self.main else self.root
        inside = processes.members(table, main, self.known, found)
        ended = [process for process in table if self.known.get(process.pid) == process.start]  # whose sessions count
        self.known = {process.pid: process.start for process in (*inside, *ended)}
        return processes.observe_stuck(inside)

    def evidence(self) -> tuple[str, ...]:
        """Return what there is to see of the service: its processes, what each waits on, and orphans that ended."""
        inside = self.living(thorough=False, since=self._means.reactor.seconds() - BURST)
        return (*processes.evidence(list(_now(inside))), *self._ended)

    def cause(self) -> str:
        """Say what the kernel knows about an end, beyond the exit status; "" where that is nothing."""
        killed = killed_for_memory(self.cgroup) if self.cgroup else 0
        whom = "one of its processes" if killed == 1 else f"{killed} of its processes"
        return f"the kernel has killed {whom} for want of memory since it was started" if killed else ""

    def knows(self, process: Process) -> bool:
        """Tell whether a process is of the service by what was seen before, its session or its cgroup."""
        ours = self.known.get(process.pid) == process.start
        ours = ours or (self.leader != 0 and process.session == self.leader)
        return ours or (self.cgroup is not None and cgroup_of(process.pid).endswith(self.cgroup.names))

    def orphan_ended(self, process: Process, status: int) -> bool:
        """
        Note the end of a descendant that had lost its parents, if this is one.

        What it leaves is attributed now: while it is a zombie, its session provably is its own.
        """
        ours = self.knows(process)
        if ours:
            self._ended.append(_end_of(process, status))
            if process.pid == process.session:
                self.living(thorough=False)
        return ours

    def claim(self, process: Process) -> bool:
        """
        Take a process that the service itself names for one of it, if it is; True then.

        One that has left session, parents and environment has no tie to the service any more, but still an ancestor,
        or is one, that became our child: an orphan begun since this service was, and no other's. That counts only
        where there is no cgroup, which would know.
        """
        if process.pid in {one.pid for one in self.living(thorough=True)}:
            return True
        origin = self._origin(process)
        if (
            self._is_enclosed()
            or not origin
            or origin.start < self.root[1]
            or not self._means.children.is_stray(origin)
        ):
            return False
        if _has_a_mark(origin) or _has_a_mark(process):  # not ours, or it were among the living: another's
            return False
        self.known.update({origin.pid: origin.start, process.pid: process.start})
        return True

    def strays(self) -> bool:
        """Tell whether there are orphans that may be of this service."""
        if self._is_enclosed():
            return False
        table = self._means.table.since(self._means.reactor.seconds())
        return any(one.alive and one.start >= self.root[1] and self._means.children.is_stray(one) for one in table)

    def _origin(self, process: Process) -> Process | None:
        """Return the ancestor of a process, or itself, that is a child of ours."""
        me, seen = os.getpid(), 0
        found: Process | None = process
        while found and found.parent not in (0, me) and seen < DEEPEST:
            found, seen = processes.look(found.parent), seen + 1
        return found if found and found.parent == me else None

    def _is_enclosed(self) -> bool:
        return self.cgroup is not None and any(map(os.path.isdir, self.cgroup.paths))


def _has_a_mark(process: Process) -> bool:
    try:
        with open(f"/proc/{process.pid}/environ", "rb") as file:
            return f"{processes.MARK}=".encode() in file.read(processes.MOST_READ)
    except OSError:
        return True  # it is gone


def _is_in_no_container(pid: int) -> bool:
    """Tell whether a process has our PID namespace: a container has resources of its own, perhaps of the same name."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid")
    except OSError:
        return False  # it has ended


def _end_of(orphan: Process, status: int) -> str:
    how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    return f"{orphan.name}[{orphan.pid}] has ended: {how}"


def _now(seen: list[Process]) -> Iterator[Process]:
    """Yield as they are now those processes that still are."""
    for one in seen:
        found = processes.look(one.pid)
        if found and found.start == one.start and found.alive:
            yield found
