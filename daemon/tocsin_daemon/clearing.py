"""How far the ending of a service has got: who has been asked to end, and whether it is time to kill."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tocsin_daemon.core.record import Main
from tocsin_daemon.core.stopping import Plan
from tocsin_ocf import processes
from tocsin_ocf.cgroup import Cgroup
from tocsin_ocf.processes import Process

OnKill = Callable[["tuple[str, ...]"], None]
"""Called once before anything is killed, with what there is to see: the processes and what each waits on."""


class Clearing:
    """The ending of one service."""

    def __init__(self, main: Main | None, cgroup: Cgroup | None, plan: Plan, begun: float, on_kill: OnKill) -> None:
        """Begin where the main process is about to be sent its stop signal."""
        self._cgroup = cgroup
        self._plan = plan
        self._begun = begun
        self._on_kill: OnKill | None = on_kill
        self._asked = {(main.pid, main.start)} if main else set()

    def witness(self, left: list[Process]) -> bool:
        """Keep the evidence that a KILL destroys; True the first time."""
        tell, self._on_kill = self._on_kill, None
        if tell:
            tell(processes.evidence(left))
        return tell is not None

    def time_left(self, now: float) -> float:
        """Return the seconds until all that is left is killed, 0 when it is time."""
        return max(0.0, self._begun + self._plan.kill_after - now)

    def press(self, left: list[Process], now: float, *, main_lives: bool) -> bool:
        """
        Terminate what the main process left behind, once each; kill all that is left when the time is over.

        True when that has just begun: it is soon over.
        """
        if now - self._begun >= self._plan.kill_after:
            return self._kill(left)
        for process in left:
            if not main_lives and (process.pid, process.start) not in self._asked:
                self._asked.add((process.pid, process.start))
                processes.send_signal(process, signal.SIGTERM)
                processes.send_signal(process, signal.SIGCONT)  # a stopped one hears nothing but KILL
        return False

    def _kill(self, left: list[Process]) -> bool:
        first = self.witness(left)
        inside = self._cgroup.pids() if self._cgroup else set()
        if self._cgroup:
            self._cgroup.kill()
        for process in left:
            if process.pid not in inside:
                processes.send_signal(process, signal.SIGKILL)
        return first
