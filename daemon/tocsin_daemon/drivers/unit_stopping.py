"""
How a systemd unit is ended: by systemd, as its unit says, and by SIGKILL when the time is over.

It has ended when systemd says so and nobody is left in its cgroup. A unit with KillMode=process or none says that
processes of it are to outlive it; those are left alone. Where systemd does not answer at all, its cgroup has the last
word: with nobody in it, nothing of the service is left.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_daemon.bus.connection import BusError, NoBus
from tocsin_daemon.bus.following import NOT_THERE
from tocsin_daemon.core.stopping import Plan, pause
from tocsin_daemon.core.unit import State, Unit, state_of
from tocsin_daemon.drivers.unit_files import Override, Place, main_of
from tocsin_ocf import processes

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from tocsin_daemon.bus.following import Following
    from tocsin_daemon.bus.systemd import Systemd
    from tocsin_daemon.driver import OnKill

log = Logger()

ASK_AGAIN = 0.5
"""Seconds before systemd is asked again that did not answer."""
KILL_AGAIN = 0.5
"""Seconds after which is killed who has come since the last KILL, an ExecStopPost= above all."""
DOWN = (State.GONE, State.FAILED)


class Stopping:
    """The ending of one unit, begun and not over yet."""

    def __init__(self, systemd: Systemd, following: Following, plan: Plan, on_kill: OnKill) -> None:
        """Prepare to stop the unit that is followed."""
        self._systemd = systemd
        self._clock = systemd.clock
        self._following = following
        self._plan = plan
        self._on_kill: OnKill | None = on_kill
        self._unit: Unit | None = None
        self._place = Place("")
        self._asked = False
        self._silent = False
        self._timers: dict[str, IDelayedCall] = {}
        self._on_cleared: Callable[[Unit | None], None] = lambda _: None

    def begin(self, unit: Unit | None, place: Place, on_cleared: Callable[[Unit | None], None]) -> None:
        """Stop the unit, last seen as `unit`, with its processes at `place`."""
        self._unit, self._place, self._on_cleared = unit, place, on_cleared
        self._later("kill", self._plan.kill_after, self._kill)
        if Override(unit.name if unit else self._following.unit, self._systemd.run_time).remove():
            self._systemd.reload().addCallback(self._stop)
        else:
            self._stop()

    def cancel(self) -> None:
        """Give up."""
        self._asked, self._on_cleared = False, lambda _: None
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()

    def seen(self, unit: Unit, place: Place) -> None:
        """Take up what systemd says of the unit."""
        self._unit, self._place, self._silent = unit, place, False
        if self._asked:
            self._look(0)

    def left(self) -> list[str]:
        """Name what still runs, and what systemd says of it."""
        names = [repr(process) for process in processes.observe_stuck(self._there())]
        unit = self._unit
        if unit and state_of(unit) not in DOWN:
            names.append(f"{unit.name} is {unit.active} ({unit.sub})")
        return names

    def _later(self, what: str, seconds: float, then: Callable[[], object]) -> None:
        timer = self._timers.get(what)
        if timer and timer.active():
            timer.cancel()
        self._timers[what] = self._clock.callLater(seconds, then)

    def _stop(self, _: object = None) -> Deferred[None]:
        asked = self._systemd.stop(self._following.unit)
        return asked.addCallbacks(self._stopping, self._not_stopping).addErrback(lambda why: log.failure("stop", why))

    def _stopping(self, job: str) -> None:
        self._asked = True
        self._following.ask()

    def _not_stopping(self, failure: Failure) -> None:
        """Ask again; a unit that is not there does not run, and systemd has the last word in that too."""
        failure.trap(BusError)
        if isinstance(failure.value, NoBus):
            self._silent = True
            log.warn("{unit} cannot be stopped: {why}", unit=self._following.unit, why=failure.getErrorMessage())
        elif isinstance(failure.value, BusError) and failure.value.name in NOT_THERE:
            self._stopping("")
            return
        self._later("stop", ASK_AGAIN, self._stop)

    def _there(self) -> list[processes.Process]:
        """Return who is not to outlive the unit."""
        unit = self._unit
        main = main_of(unit) if unit else None  # where its cgroup cannot be seen, there is at least this
        inside = [] if unit and unit.leaves_processes else self._place.processes()
        found = inside or ([main] if main else [])
        return [process for process in found if process.pid != os.getpid()]

    def _look(self, looks: int) -> None:
        """See whether it is over; who is left where the unit is down dies, or is looked for again."""
        down = self._unit is not None and state_of(self._unit) in DOWN
        if not (down or (self._silent and self._place.path)):
            return  # systemd will tell
        if not self._seen_empty():
            self._later("look", pause(looks), lambda: self._look(looks + 1))
        else:
            self._cleared()

    def _seen_empty(self) -> bool:
        """Tell whether nobody is left; where that cannot be seen (for want of descriptors, say), somebody is."""
        try:
            return not self._there()
        except OSError as error:
            log.error("{unit}: what is left cannot be seen: {why}", unit=self._following.unit, why=str(error))
            return False

    def _cleared(self) -> None:
        on_cleared = self._on_cleared
        self.cancel()
        on_cleared(self._unit)

    def _kill(self) -> None:
        """Kill what is left, again and again: what it waits for in the kernel may come."""
        self._later("kill", KILL_AGAIN, self._kill)  # first of all: the rest may fail
        tell, self._on_kill = self._on_kill, None
        if tell:
            tell((*processes.evidence(self._there()), *self.left()[-1:]))
        if not (self._unit and self._unit.leaves_processes):
            self._place.kill()
        for process in self._there():  # where that was not to be
            processes.send_signal(process, signal.SIGKILL)
        self._look(0)
