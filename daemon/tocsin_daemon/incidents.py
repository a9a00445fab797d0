"""What is kept of a failure: its cause in words, the service's last output, and what of it still ran."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from twisted.logger import Logger

from tocsin_daemon.core.cause import ended, with_output
from tocsin_daemon.core.record import Failure, Incident, Record
from tocsin_daemon.core.restarts import recent
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_NOT_RUNNING

if TYPE_CHECKING:
    from tocsin_daemon.driver import Driver
    from tocsin_daemon.publisher import Publisher

log = Logger()


class Subject(Protocol):
    """The resource that fails."""

    record: Record
    publisher: Publisher

    def change(self, record: Record, text: str = "") -> None:
        """Replace the record, on disk too, with one more line in its journal."""

    def now(self) -> float:
        """Return the wall clock."""


class Driven(Protocol):
    """What runs its service."""

    driver: Driver


class Incidents:
    """Notes the failures of one resource in its record."""

    def __init__(self, subject: Subject, service: Driven, log_output: Callable[[str, str], None]) -> None:
        """Note them for `subject`."""
        self._subject = subject
        self._service = service
        self._log_output = log_output
        self._exit_status: int | None = None
        self._why = ""
        self.judged = ""
        """What its checks say of a service that lives and has failed."""
        self.drill = ""
        """Why a service that is well is to fail, and who wants it."""
        self.refusal: Failure | None = None
        """Why the service could not even be started."""

    def begin(self) -> None:
        """Know nothing of the next incarnation."""
        self.refusal, self.judged, self.drill = None, "", ""

    def ended(self, status: int | None, why: str) -> None:
        """Keep how the service ended; None of one that ended while no daemon was there."""
        self._exit_status, self._why, self.judged, self.drill = status, why, "", ""
        record = self._subject.record
        if record.failure and record.failure.lives:
            self._subject.record = replace(record, failure=replace(record.failure, lives=False))

    def failed_start(self) -> None:
        """Keep why a start failed; the answer to `start` tells it."""
        self._keep(self._with_output(self._failure(OCF_ERR_GENERIC, "start: ")))

    def failed_change(self, prefix: str) -> None:
        """Keep why a role could not be changed; the answer to `promote` or `demote` tells it."""
        self._keep(self._with_output(replace(self._failure(OCF_ERR_GENERIC, prefix), stays=True)))

    def late(self, code: int, why: str) -> None:
        """Keep why a start was given up: all that is left of it after the stop that follows."""
        self._keep(self._with_output(Failure(code, why)))

    def incident(self) -> None:
        """Keep an incident: a failure that nobody has been told of yet."""
        record, now = self._subject.record, self._subject.now()
        failure = self._failure(OCF_NOT_RUNNING, "")
        output, drill = self._service.driver.output.last(), bool(self.drill)
        incident = Incident(record.incarnation, failure.text, output=output, drill=drill)
        self._subject.record = record.with_incident(incident.marked("detected", now))
        self._keep(failure)
        self._subject.publisher.failed(record.node, failure.text)

    def restart(self, window: float) -> None:
        """Count a local restart, and say why it is made."""
        record, now = self._subject.record, self._subject.now()
        cause = self._failure(OCF_NOT_RUNNING, "").text
        restarts = (*recent(record.restarts, now, window), now)
        log.warn("{resource}: restarted here, not reported: {cause}", resource=record.resource, cause=cause)
        self._subject.change(replace(record, restarts=restarts), f"restart {len(restarts)}, not reported: {cause}")

    def gather(self) -> None:
        """Keep what of the service still runs."""
        driver, record = self._service.driver, self._subject.record
        incident = record.incident and replace(record.incident, processes=driver.evidence())
        self._subject.change(replace(record, incident=incident, members=dict(driver.known)))

    def killed(self, evidence: tuple[str, ...]) -> None:
        """Keep what there was to see before the service is killed for not ending by itself."""
        said = f"does not end by itself, is killed: {'; '.join(evidence)}"
        log.warn("{resource}: {said}", resource=self._subject.record.resource, said=said)
        self._subject.change(self._subject.record, said)

    def recovered(self) -> None:
        """Close the incident, if there was one."""
        self._subject.publisher.recovered()
        record = self._subject.record
        if record.incident and "recovered" not in record.incident.marks:
            incident = record.incident.marked("recovered", self._subject.now())
            self._subject.change(replace(record, incident=incident), "recovered")

    def _failure(self, code: int, prefix: str) -> Failure:
        output, record = self._service.driver.output, self._subject.record
        try:
            for line in output.rest():
                self._log_output(record.resource, line)
        except OSError as error:  # the failure has to be reported all the same
            log.error("{resource}: its output cannot be read: {why}", resource=record.resource, why=str(error))
        if self.refusal:
            return self.refusal
        if self.drill:
            return Failure(OCF_ERR_GENERIC, prefix + self.drill, lives=True, stays=True)
        if self.judged:  # it runs: 7 would say that it does not
            return Failure(OCF_ERR_GENERIC, prefix + self.judged, lives=True)
        cause = self._why or ended(record.main.pid if record.main else 0, self._exit_status)
        return Failure(code, prefix + with_output(cause, self._exit_status, output.last()))

    def _with_output(self, failure: Failure) -> Failure:
        return replace(failure, output=self._service.driver.output.last())

    def _keep(self, failure: Failure) -> None:
        record = self._subject.record
        log.error("{resource}: {why}", resource=record.resource, why=failure.text)
        self._subject.change(replace(record, failure=failure), failure.text)
