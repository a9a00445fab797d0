"""
The log of what happens to reports, and of everything else as long as somebody wants it: `kill -USR1`.

Debug lines are not even made while nobody asked for them: looks and requests come by the thousand. They name verbs,
programs and outcomes, never a body, an argument or a token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.check import Outcome
from tocsin_daemon.core.edges import Edge
from tocsin_daemon.core.record import Record
from tocsin_ocf.pacemaker import Command, Reply
from tocsin_ocf.wire import Request

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

log = Logger()

FOR = 600.0
"""Seconds until debug ends by itself: who turned it on at night has gone to bed."""


def follow(happened: tuple[Edge, ...], _: Record, after: Record) -> None:
    """Log how the report of an incident moves on, and that it is over: a line each, with fields."""
    incident = after.incident
    if incident is None:
        return
    fields: Mapping[str, Any] = {
        "resource": after.resource,
        "incident": after.incidents,
        "incarnation": incident.incarnation,
        "report": incident.stage.value,
        "cause": incident.cause,
        "why": incident.why,
    }
    if Edge.STAGE in happened:
        said = f"{incident.stage.value} ({incident.why})" if incident.why else incident.stage.value
        log.info("{resource}: report: {said}", said=said, **fields)
    if Edge.RECOVERY in happened:
        log.info("{resource}: recovered", **fields)


class Debug:
    """Whether there are debug lines; on for a while, when somebody has asked for them."""

    def __init__(self, clock: IReactorTime) -> None:
        """Be off."""
        self._clock = clock
        self._end: IDelayedCall | None = None

    @property
    def on(self) -> bool:
        """Tell whether anybody wants them."""
        return self._end is not None

    def begin(self, records: list[Record]) -> None:
        """Log what is, and what happens from now on; asked again, from now on again."""
        self.end()
        self._end = self._clock.callLater(FOR, self.end)
        log.info("debug is on for {seconds:.0f} s; SIGUSR2 ends it", seconds=FOR)
        for record in records:
            report = record.incident.stage.value if record.incident else ""
            said = f"is {record.phase.value}, main process {record.main.pid if record.main else 'none'}"
            said += f", report {report}" * bool(report)
            log.debug("{resource}: {said}", resource=record.resource, said=said, phase=record.phase.value)

    def end(self) -> None:
        """Log no more of it."""
        if self._end:
            if self._end.active():
                self._end.cancel()
            self._end = None
            log.info("debug is off")

    def follow(self, happened: tuple[Edge, ...], before: Record, after: Record) -> None:
        """Log a line of a resource's journal."""
        if self.on and Edge.LINE in happened:
            log.debug("{resource}: journal: {said}", resource=after.resource, said=after.journal[-1].text)

    def asked(self, ask: Callable[[Request], Deferred[Answer]]) -> Callable[[Request], Deferred[Answer]]:
        """Return `ask` with a line for each request, when it is answered."""

        def traced(request: Request) -> Deferred[Answer]:
            answered = ask(request)
            return answered.addCallback(self._answered, request, self._clock.seconds()) if self.on else answered

        return traced

    def _answered(self, answer: Answer, request: Request, since: float) -> Answer:
        log.debug(
            "{resource}: {verb} is answered {code} after {took:.3f} s",
            resource=request.resource,
            verb=request.verb,
            code=answer.code,
            took=self._clock.seconds() - since,
        )
        return answer

    def executed(self, run: Callable[[Command], Deferred[Reply]]) -> Callable[[Command], Deferred[Reply]]:
        """Return `run` with a line for each tool of Pacemaker's, when it has ended."""

        def traced(command: Command) -> Deferred[Reply]:
            done = run(command)
            return done.addCallback(self._ended, command, self._clock.seconds()) if self.on else done

        return traced

    def _ended(self, reply: Reply, command: Command, since: float) -> Reply:
        said = "exit status 0" if reply.code == 0 else reply.why
        took = self._clock.seconds() - since
        log.debug("{tool}: {said} after {took:.3f} s", tool=command.tool, said=said, took=took)
        return reply

    def looked(self, resource: str, check: str, outcome: Outcome) -> None:
        """Log a look of a check."""
        if self.on:
            said = f"{outcome.result.value}: {outcome.text}" if outcome.text else outcome.result.value
            log.debug("{resource}: look of {check}: {said}", resource=resource, check=check, said=said)
