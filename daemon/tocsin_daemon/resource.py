"""
One resource: feeds the life machine, carries out its effects, and answers those who wait.

Events are fed one at a time. An effect that leads to an event queues it, so the machine is never re-entered.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from tocsin_daemon.core import answers
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.cause import ended, with_output
from tocsin_daemon.core.life import LIFE, Effect, Event, Phase
from tocsin_daemon.core.machine import Refused
from tocsin_daemon.core.record import Failure, Incident, Record
from tocsin_daemon.core.report import News
from tocsin_daemon.core.stopping import plan
from tocsin_daemon.reporter import Reporter
from tocsin_daemon.requests import Requests
from tocsin_daemon.service import CannotStart, Service
from tocsin_ocf import definition as definitions
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_NOT_RUNNING

if TYPE_CHECKING:
    from tocsin_daemon.world import World

log = Logger()

SETTLE = 0.1
"""Seconds that a service must live before `start` succeeds: one that cannot read its configuration does not."""


class Resource:
    """A resource on this node, its service and its reports."""

    def __init__(self, record: Record, world: World) -> None:
        """Begin with what is known; `resume` takes up what a former daemon left."""
        self.record = record
        self.world = world
        self.service: Service = world.service(record.resource)
        self.reporter = Reporter(self, world.clock, world.cluster)
        self._definition = None if record.definition is None else definitions.read(record.definition)[0]
        self._operation = 20.0
        self._requests = Requests(world.clock)
        self._queue: deque[Event] = deque()
        self._busy = False
        self._exit: int | None = None  # not known of a service that ended while no daemon was there
        self._broken = Failure(OCF_ERR_GENERIC, "")
        self._effects: dict[Effect, Callable[[], None]] = {
            Effect.BEGIN: self._begin,
            Effect.SPAWN: self._spawn,
            Effect.CLEAR: self._clear,
            Effect.DISARM: lambda: self.reporter.tell(News.WITHDRAW),
            Effect.RECOVERED: self._recovered,
            Effect.NOTE_FAILED_START: self._note_failed_start,
            Effect.NOTE_INCIDENT: self._note_incident,
            Effect.REPORT: lambda: self.reporter.tell(News.INCIDENT),
            Effect.GATHER: self._gather,
        }

    # What Pacemaker asks

    def start(self, definition: Mapping[str, Any], node: str, seconds: float) -> Deferred[Answer]:
        """Start the service as defined; the answer comes when it is up, or has failed."""
        if self.record.phase in (Phase.STOPPED, Phase.FAILED):
            self._definition = definitions.read(definition)[0]
            self.record = replace(self.record, definition=definition, node=node)
        self._operation = seconds
        self.feed(Event.START)
        return self._wait("start", seconds, lambda: answers.to_start(self.record))

    def stop(self, seconds: float) -> Deferred[Answer]:
        """Stop the service; the answer comes when nothing of it is left."""
        self._operation = seconds
        self.feed(Event.STOP)
        return self._wait("stop", seconds, lambda: answers.to_stop(self.record))

    def monitor(self, seconds: float, *, recurring: bool) -> Deferred[Answer]:
        """Answer what is known; only a recurring monitor tells Pacemaker of a failure."""
        return self._wait("monitor", seconds, lambda: self._to_monitor(recurring=recurring))

    def adopt(self) -> bool:
        """Take over the service of a former daemon; False where its main process has ended."""
        record = self.record
        return self.service.adopt(record.main, record.incarnation, dict(record.members), self._ended)

    # The machine

    def feed(self, event: Event) -> None:
        """Let the machine decide what the event means, and do it; then answer whom it concerns."""
        self._queue.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._queue:
                self._step(self._queue.popleft())
        finally:
            self._busy = False
        self._requests.answer()
        self.world.changed()

    def _step(self, event: Event) -> None:
        before = self.record.phase
        try:
            phase, effects = LIFE.step(before, event)
        except Refused as refused:
            log.error("{resource}: {why}", resource=self.record.resource, why=str(refused))
            return
        if phase is not before or effects:
            log.info(
                "{resource}: {event}: {before} -> {after}",
                resource=self.record.resource,
                event=event.value,
                before=before.value,
                after=phase.value,
            )
            since = self.now() if phase is not before else self.record.since
            self.change(replace(self.record, phase=phase, since=since), f"{event.value}: {phase.value}")
        for effect in effects:
            self._effects[effect]()

    def change(self, record: Record, text: str = "") -> None:
        """Replace the record, on disk too; a disk that refuses is logged, and the watch goes on."""
        self.record = record.noted(self.now(), text) if text else record
        try:
            self.world.store.save(self.record)
        except OSError as error:
            log.error("{resource}: cannot save its state: {why}", resource=record.resource, why=str(error))

    def now(self) -> float:
        """Return the wall clock."""
        return self.world.wall()

    # The effects

    def _begin(self) -> None:
        self.change(replace(self.record, incarnation=uuid.uuid4().hex, main=None, members={}, failure=None))

    def _spawn(self) -> None:
        assert self._definition is not None, "a start brings its definition"
        try:
            main = self.service.start(self._definition, self.record.incarnation, self._ended)
        except CannotStart as error:
            self._broken = Failure(error.code, error.reason)
            self.feed(Event.BROKEN)
            return
        self.change(replace(self.record, main=main), f"started as pid {main.pid}")
        self.world.clock.callLater(SETTLE, self._settled, self.record.incarnation)

    def _settled(self, incarnation: str) -> None:
        if self.record.phase is Phase.STARTING and self.record.incarnation == incarnation:
            self.feed(Event.SETTLED)

    def _ended(self, status: int | None) -> None:
        self._exit = status
        self.feed(Event.DIED)
        self.service.look_now()

    def _clear(self) -> None:
        definition = self._definition
        self.service.clear(
            plan(self._operation, definition.stop_timeout if definition else None),
            definition.stop_signal if definition else 15,
            lambda: self.feed(Event.CLEARED),
        )

    def _cause(self) -> str:
        for line in self.service.output.drain():
            self.world.log_output(self.record.resource, line)
        return ended(self.record.main.pid if self.record.main else 0, self._exit)

    def _note_failed_start(self) -> None:
        failure = self._broken
        if not failure.text:
            failure = Failure(
                OCF_ERR_GENERIC, f"start: {with_output(self._cause(), self._exit, self.service.output.last())}"
            )
        self._broken = Failure(OCF_ERR_GENERIC, "")
        log.error("{resource}: {why}", resource=self.record.resource, why=failure.text)
        self.change(replace(self.record, failure=failure), failure.text)

    def _note_incident(self) -> None:
        now, cause = self.now(), self._cause()
        incident = Incident(self.record.incarnation, cause, output=self.service.output.last()).marked("detected", now)
        failure = Failure(OCF_NOT_RUNNING, with_output(cause, self._exit, incident.output))
        log.error("{resource}: {why}", resource=self.record.resource, why=failure.text)
        count = self.record.incidents + 1
        self.change(replace(self.record, incident=incident, failure=failure, incidents=count), f"incident: {cause}")

    def _gather(self) -> None:
        left = self.service.members(thorough=False)
        incident = self.record.incident and replace(self.record.incident, processes=tuple(map(repr, left)))
        self.change(replace(self.record, incident=incident, members=dict(self.service.known)))

    def _recovered(self) -> None:
        incident = self.record.incident
        if incident and "recovered" not in incident.marks:
            self.change(replace(self.record, incident=incident.marked("recovered", self.now())), "recovered")

    # The answers

    def _wait(self, verb: str, seconds: float, answer: Callable[[], Answer | None]) -> Deferred[Answer]:
        return self._requests.wait(seconds, answer, lambda: answers.too_late(verb, self.record, seconds, self.left()))

    def _to_monitor(self, *, recurring: bool) -> Answer | None:
        answer = answers.to_monitor(self.record, self.left())
        if answer and recurring and self.record.phase is Phase.FAILED:
            self.reporter.tell(News.MONITOR)
        return answer

    def left(self) -> list[str]:
        """Name what runs of a service that should not run; a healthy one is not looked at."""
        if self.record.phase in (Phase.FAILED, Phase.STOPPING, Phase.CLEARING):
            return [repr(process) for process in self.service.members(thorough=True)]
        return []
