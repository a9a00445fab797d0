"""
The ending of a service that is made of processes: who has been asked to end, and whether it is time to kill.

The main process alone gets the stop signal. What it leaves behind is terminated, once each, and killed when the time is
over; only a thorough look that finds nothing is the end.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_daemon.core.stopping import Plan, pause
from tocsin_ocf import processes
from tocsin_ocf.processes import Process

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from tocsin_daemon.children import Child
    from tocsin_daemon.driver import OnKill
    from tocsin_daemon.drivers.membership import Membership


log = Logger()


class Clearing:
    """The ending of one service."""

    def __init__(
        self, service: Membership, child: Child | None, clock: IReactorTime, plan: Plan, on_kill: OnKill
    ) -> None:
        """Prepare; `child` is the main process under watch, if there is one."""
        self._service = service
        self._child = child
        self._clock = clock
        self._plan = plan
        self._begun = self._pressed = clock.seconds()
        self._on_kill: OnKill | None = on_kill
        self._asked = {(child.pid, child.start)} if child else set()
        self._look: IDelayedCall | None = None

    def begin(self, stop_signal: int, on_cleared: Callable[[], None]) -> None:
        """Send the stop signal, and look until nothing is left."""
        self._on_cleared = on_cleared
        if self._child:
            if stop_signal == signal.SIGKILL:
                self._witness(self._service.living(thorough=False))
            self._child.send_signal(stop_signal)
            self._child.send_signal(signal.SIGCONT)  # a stopped one hears nothing but KILL
        self._look_again(0)

    def look_now(self) -> None:
        """Look for what is left without waiting: the main process has ended."""
        self._pressed = self._clock.seconds()
        if self._look and self._look.active():
            self._look.reset(0)

    def cancel(self) -> None:
        """Stop looking."""
        if self._look and self._look.active():
            self._look.cancel()

    def _look_again(self, looks: int) -> None:
        """Look, and look again where that cannot be done: for want of descriptors, say, which must not end a stop."""
        try:
            over = self._is_over(looks)
        except OSError as error:
            log.error("{resource}: what is left cannot be seen: {why}", resource=self._service.resource, why=str(error))
            self._look = self._clock.callLater(pause(looks), self._look_again, looks + 1)
        else:
            if over:
                self._on_cleared()

    def _is_over(self, looks: int) -> bool:
        """Tell whether nothing is left; else do what it is time for, and look again later."""
        main_lives = self._child is not None and self._child.alive
        wait = max(0.0, self._begun + self._plan.kill_after - self._clock.seconds())
        if main_lives and looks and wait:  # its pidfd will tell when it ends
            self._look = self._clock.callLater(wait, self._look_again, looks)
            return False
        left = self._service.living(thorough=looks == 0 and not main_lives, since=self._pressed)
        if not left and not main_lives:
            left = self._service.living(thorough=True, since=self._pressed)
            if not left and (self._service.cgroup is None or self._service.cgroup.is_empty()):
                return True
        if self._press(left, main_lives=main_lives):
            looks = 0
        self._pressed = self._clock.seconds()
        self._look = self._clock.callLater(pause(looks), self._look_again, looks + 1)
        return False

    def _press(self, left: list[Process], *, main_lives: bool) -> bool:
        """
        Terminate what the main process left behind; kill all that is left when the time is over.

        True when that has just begun: it is soon over.
        """
        if self._clock.seconds() - self._begun >= self._plan.kill_after:
            return self._kill(left)
        for process in left:
            if not main_lives and (process.pid, process.start) not in self._asked:
                self._asked.add((process.pid, process.start))
                processes.send_signal(process, signal.SIGTERM)
                processes.send_signal(process, signal.SIGCONT)  # a stopped one hears nothing but KILL
        return False

    def _kill(self, left: list[Process]) -> bool:
        first = self._witness(left)
        cgroup = self._service.cgroup
        inside = cgroup.pids() if cgroup else set()
        if cgroup:
            cgroup.kill()
        for process in left:
            if process.pid not in inside:
                processes.send_signal(process, signal.SIGKILL)
        return first

    def _witness(self, left: list[Process]) -> bool:
        """Keep the evidence that a KILL destroys; True the first time."""
        tell, self._on_kill = self._on_kill, None
        if tell:
            tell(processes.evidence(left))
        return tell is not None
