"""
Restarts of a service here, within the budget that the administrator grants, before Pacemaker hears of a failure.

Nobody waits for them with a time limit, so they have one of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tocsin_daemon.core import restarts, stopping
from tocsin_daemon.core.life import Event, Phase
from tocsin_daemon.core.record import Failure, Record
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from tocsin_daemon.driver import Driver
    from tocsin_daemon.incidents import Incidents
    from tocsin_ocf.definition import Definition

CLEAR_GRACE = 5.0
"""Seconds after the KILL of a local restart in which all must be gone, or it is a failure to report."""


class Subject(Protocol):
    """The resource whose service it is."""

    record: Record

    def feed(self, event: Event) -> None:
        """Let the life machine decide what the event means."""

    def now(self) -> float:
        """Return the wall clock."""


class Driven(Protocol):
    """The service."""

    driver: Driver
    definition: Definition | None
    incidents: Incidents
    seconds: float

    def waiting(self) -> str:
        """Say what a start waits for."""


class Restarting:
    """The restarts of one resource's service."""

    def __init__(self, subject: Subject, service: Driven, clock: IReactorTime) -> None:
        """Count those of `subject`."""
        self._subject = subject
        self._service = service
        self._clock = clock
        self.patience = service.seconds
        """Seconds that Pacemaker granted its last start: a restart here has as many to be up again."""

    def spares(self) -> bool:
        """Tell whether a failure now is to be met by a restart here."""
        definition, record = self._service.definition, self._subject.record
        if definition is None or record.phase not in (Phase.RUNNING, Phase.RETURNING):
            return False
        now, window = self._subject.now(), definition.restart_window
        return restarts.allowed(record.restarts, now, definition.restart_attempts, window)

    def note(self) -> None:
        """Count a restart here; it must have cleared the service in time."""
        definition = self._service.definition
        assert definition is not None, "there is a budget"
        self._service.incidents.restart(definition.restart_window)
        kill_after = stopping.plan(self._service.seconds, definition.stop_timeout).kill_after
        self._expect_end_of(Phase.RESTARTING, kill_after + CLEAR_GRACE)

    def expect_return(self) -> None:
        """Give what starts the time of a start, if it is a restart here that starts it."""
        if self._subject.record.phase is Phase.RETURNING:
            self._expect_end_of(Phase.RETURNING, self.patience)

    def _expect_end_of(self, phase: Phase, seconds: float) -> None:
        """Do not wait for ever for a step of a restart that nobody but us has asked for."""
        self._clock.callLater(seconds, self._cut_short, phase, self._subject.record.restarts)

    def _cut_short(self, phase: Phase, restarts: tuple[float, ...]) -> None:
        record, incidents = self._subject.record, self._service.incidents
        if record.phase is phase and record.restarts == restarts:
            self._service.driver.cancel()
            why = f"restarted here, {phase.value} for too long; {self._service.waiting()}".rstrip("; ")
            if phase is Phase.RETURNING:
                incidents.judged = why
            else:
                incidents.refusal = Failure(OCF_ERR_GENERIC, why)
            self._subject.feed(Event.CUT_SHORT)
