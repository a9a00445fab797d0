"""
The `systemd` driver: a service that is a unit of systemd, started, stopped and watched over D-Bus.

It is up when systemd says that its unit is active, and has ended when systemd says that it is not: a main process may
pass the service on to another, and a unit may have none. That its main process has ended we know by pidfd before
systemd says so, and ask at once. A restart on somebody's word is followed (`core.unit`): whoever runs `systemctl
restart`, or upgrades a package, wants no failover. A unit that cannot be asked for has not failed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.logger import Logger

from tocsin_daemon.bus.connection import BusError
from tocsin_daemon.bus.systemd import systemd_of
from tocsin_daemon.core.record import Main
from tocsin_daemon.core.unit import State, Unit, Verdict, judge, refusal, state_of, why_ended
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.drivers.unit_files import Override, Place, main_of, place_of
from tocsin_daemon.drivers.unit_journal import last_lines
from tocsin_daemon.drivers.unit_stopping import Stopping
from tocsin_daemon.output import Output
from tocsin_ocf import processes
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_ERR_INSTALLED
from tocsin_ocf.processes import Process

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

    from tocsin_daemon.bus.following import Following
    from tocsin_daemon.core.stopping import Plan
    from tocsin_daemon.driver import OnKill, Told
    from tocsin_daemon.drivers import Means
    from tocsin_ocf.definition import Definition

log = Logger()

UNANSWERED = 1.0
"""Seconds for systemd to say what has become of a unit whose main process has ended."""


class SystemdDriver:
    """The unit of one resource, across its incarnations."""

    def __init__(self, resource: str, means: Means) -> None:
        """Prepare for `resource`; systemd is not asked yet."""
        assert means.bus, "the daemon has D-Bus where it has this driver"
        self.resource = resource
        self.output = Output("")
        self.main: Main | None = None
        self.known: dict[int, int] = {}
        self._means = means
        self._systemd = systemd_of(means.bus())
        self._told: Told | None = None
        self._following: Following | None = None
        self._starting: Deferred[None] | None = None
        self._stopping: Stopping | None = None
        self._unanswered: IDelayedCall | None = None
        self._forget()

    def _forget(self) -> None:
        """Know nothing of any unit."""
        self._unit: Unit | None = None
        self._was_up: Unit | None = None
        self._place = Place("")
        self._awaited, self._job = False, ""

    # From outside

    def start(self, definition: Definition, incarnation: str, told: Told) -> None:
        """Begin to start the unit; whatever is in the way of that is told later."""
        self.main = None
        self._starting = self._start(self._follow(definition.unit, told))
        self._starting.addErrback(self._cannot_start, told).addErrback(lambda failure: log.failure("start", failure))

    def adopt(
        self, definition: Definition | None, main: Main | None, incarnation: str, known: dict[int, int], told: Told
    ) -> bool:
        """Take over a unit that a former daemon started; what has become of it, systemd tells soon."""
        cgroup = main.cgroup if main else ""
        unit = definition.unit if definition else os.path.basename(cgroup)
        if not unit:
            return False
        self.known = known
        self._follow(unit, told)
        self._place = Place(cgroup)
        self._awaited = True
        if main:
            self._watch(main)
        return True

    def relimit(self, definition: Definition) -> bool:
        """Leave its limits to the unit."""
        return False

    def members(self, *, thorough: bool, age: float = 0.0) -> list[Process]:
        """Return the living processes of the unit: who is in its cgroup."""
        found = self._place.processes()
        self.known = {process.pid: process.start for process in found}
        return processes.observe_stuck(found)

    def evidence(self) -> tuple[str, ...]:
        """Return what systemd says of the unit, and its processes."""
        said = [f"{unit.name}: {unit.active} ({unit.sub}), result {unit.result}" for unit in (self._unit,) if unit]
        return (*said, *processes.evidence(self._place.processes()))

    def left(self) -> list[str]:
        """Name what still runs."""
        return self._stopping.left() if self._stopping else list(map(repr, self.members(thorough=True)))

    def clear(self, plan: Plan, stop_signal: int, on_cleared: Callable[[], None], on_kill: OnKill) -> None:
        """Have the unit stopped as it says itself, killed when the time is over, and its override taken away."""
        self.cancel()
        self._told = None
        if self._starting:
            self._starting.cancel()
        if self._following is None:
            on_cleared()
            return
        self._stopping = Stopping(self._systemd, self._following, plan, on_kill)
        self._stopping.begin(self._unit, self._place, partial(self._cleared, on_cleared))

    def cancel(self) -> None:
        """Give up stopping it."""
        if self._stopping:
            self._stopping.cancel()
        self._stop_waiting()

    # What systemd does

    def _follow(self, unit: str, told: Told) -> Following:
        self.cancel()
        if self._following:
            self._following.end()
        self.output.tail.clear()
        self._forget()
        self._stopping, self._told = None, told
        self._following = self._systemd.follow(unit, self._seen)
        return self._following

    @inlineCallbacks
    def _start(self, following: Following) -> Generator[Deferred[Any], Any, None]:
        """Ask systemd to start the unit, with what Pacemaker overrides of it."""
        unit: Unit = yield following.read()
        if refusal(unit):
            raise CannotStart(OCF_ERR_INSTALLED, refusal(unit))
        if unit.enabled == "enabled":
            log.warn("{unit} is enabled: systemd starts it at boot, whatever Pacemaker wants", unit=unit.name)
        override = Override(unit.name, self._systemd.run_time)
        if override.write() or unit.reload_needed or override.path not in unit.drop_ins:
            yield self._systemd.reload()
        self._job = yield self._systemd.start(following.unit)
        self._awaited = True
        following.ask()

    def _cannot_start(self, failure: Failure, told: Told) -> None:
        """Tell why a start came to nothing, unless it was given up."""
        if self._told is not told:
            return
        self._told = None
        failure.trap(CannotStart, BusError, OSError)
        reason = f"the unit cannot be started: {failure.value}"
        error = failure.value if isinstance(failure.value, CannotStart) else CannotStart(OCF_ERR_GENERIC, reason)
        told.refused(error.code, error.reason)

    def _seen(self, unit: Unit | None) -> None:
        """Take up what systemd says; that it says nothing is no failure."""
        if unit is None:
            log.warn("{resource}: systemd does not say what its unit does", resource=self.resource)
            return
        self._unit = unit
        if unit.cgroup:
            self._place = place_of(unit)
        if self._stopping:
            self._stopping.seen(unit, self._place)
        elif self._awaited and self._told:
            self._judge(unit)

    def _judge(self, unit: Unit) -> None:
        if state_of(unit) is not State.RUNNING or (self.main and unit.main != self.main.pid):
            self._stop_waiting()
        acts = {Verdict.WAIT: lambda _: None, Verdict.UP: self._up, Verdict.ENDED: self._ended}
        acts[judge(self._was_up, unit)](unit)

    def _up(self, unit: Unit) -> None:
        process = main_of(unit)
        if unit.main and process is None:
            return  # it has just ended, which systemd is about to tell
        first, self._was_up = self._was_up is None and self.main is None, unit
        before = self.main and (self.main.pid, self.main.start)
        if process and before != (process.pid, process.start):
            self._watch(Main(process.pid, process.start, processes.boot_id(), self._place.path))
        elif first or (before and not process):
            self.main = None
        else:
            return
        if not first:
            log.info("{unit} goes on with main process {pid}; not by Pacemaker", unit=unit.name, pid=unit.main)
        if self._told:
            self._told.up(self.main)

    def _watch(self, main: Main) -> None:
        """Hear of the end of the main process."""
        self.main = main
        self._means.children.adopt(main.pid, main.start, partial(self._main_ended, main))

    def _main_ended(self, main: Main, status: int | None) -> None:
        """Ask systemd what that means; if it does not answer, the end of a simple service is known all the same."""
        if self.main is not main or not self._following:
            return
        self._following.ask()
        if self._told and self._was_up and self._was_up.ends_with_main:
            self._unanswered = self._means.reactor.callLater(UNANSWERED, self._not_answered, main)

    def _not_answered(self, main: Main) -> None:
        told, self._told = self._told, None
        if told:
            told.ended(None, f"main process {main.pid} has ended, and systemd does not say how")

    def _stop_waiting(self) -> None:
        if self._unanswered and self._unanswered.active():
            self._unanswered.cancel()

    def _ended(self, unit: Unit) -> None:
        self._awaited = False
        why = why_ended(unit, self._systemd.job_result(self._job) if self._was_up is None else "")
        asked = succeed([]) if self._was_up else last_lines(unit, self._means)
        asked.addCallback(self._tell_end, unit, why, self._told).addErrback(lambda failure: log.failure("end", failure))

    def _tell_end(self, lines: list[str], unit: Unit, why: str, told: Told | None) -> None:
        if told is not None and self._told is told:
            self._told = None
            self.output.tail.extend(lines)
            told.ended(unit.exit_status, why)

    def _cleared(self, on_cleared: Callable[[], None], unit: Unit | None) -> None:
        if unit and unit.active == "failed":
            self._systemd.reset_failed(unit.name)
        if self._following:
            self._following.end()
        self._following = self._stopping = None
        self._forget()
        on_cleared()
