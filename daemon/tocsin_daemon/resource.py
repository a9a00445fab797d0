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

from tocsin_daemon.comparison import Comparison
from tocsin_daemon.core import answers, holding, restarts, stopping
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import LIFE, Effect, Event, Phase
from tocsin_daemon.core.machine import Refused
from tocsin_daemon.core.record import Failure, Record
from tocsin_daemon.core.report import News
from tocsin_daemon.incidents import Incidents
from tocsin_daemon.publisher import Publisher
from tocsin_daemon.reporter import Reporter
from tocsin_daemon.requests import Requests
from tocsin_daemon.service import CannotStart, Service
from tocsin_ocf import definition as definitions
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC

if TYPE_CHECKING:
    from tocsin_daemon.world import World

log = Logger()

SETTLE = 0.1
"""Seconds that a service must live before `start` succeeds: one that cannot read its configuration does not."""
CLEAR_GRACE = 5.0
"""Seconds after the KILL of a local restart in which all must be gone, or it is a failure to report."""
LEFTOVERS = frozenset({Phase.FAILED, Phase.STOPPING, Phase.CLEARING, Phase.RESTARTING})


class Resource:
    """A resource on this node, its service and its reports."""

    def __init__(self, record: Record, world: World) -> None:
        """Begin with what is known; `Daemon.resume` takes up what a former daemon left."""
        self.record = record
        self.world = world
        self.service: Service = world.service(record.resource)
        self.publisher = Publisher(record.resource, world.clock, world.cluster)
        self.reporter = Reporter(self, world.clock, world.cluster)
        self.incidents = Incidents(self, world.log_output)
        self._definition = None if record.definition is None else definitions.read(record.definition)[0]
        self._operation = 20.0
        self._requests = Requests(world.clock)
        self._monitored = False  # a recurring monitor of this incarnation was answered: the next may be held
        self._queue: deque[Event] = deque()
        self._busy = False
        self._unsaved = ""
        self._effects: dict[Effect, Callable[[], None]] = {
            Effect.BEGIN: self._begin,
            Effect.SPAWN: self._spawn,
            Effect.CLEAR: self._clear,
            Effect.DISARM: lambda: self.reporter.tell(News.WITHDRAW),
            Effect.RECOVERED: self.incidents.recovered,
            Effect.COMPARE: Comparison(self, world.cluster).make,
            Effect.NOTE_FAILED_START: self.incidents.failed_start,
            Effect.NOTE_INCIDENT: self.incidents.incident,
            Effect.NOTE_RESTART: self._note_restart,
            Effect.REPORT: lambda: self.reporter.tell(News.HEARD if self._requests.held else News.INCIDENT),
            Effect.GATHER: self.incidents.gather,
        }

    # What Pacemaker asks

    def start(self, definition: Mapping[str, Any], node: str, seconds: float) -> Deferred[Answer]:
        """Start the service as defined; the answer comes when it is up, or has failed."""
        if self.record.phase in (Phase.STOPPED, Phase.FAILED):
            self._definition = definitions.read(definition)[0]
            self.record = replace(self.record, definition=definition, node=node)
        self._operation = seconds
        self._monitored = False
        self.feed(Event.START)
        return self._wait("start", seconds, lambda: answers.to_start(self.record))

    def stop(self, seconds: float) -> Deferred[Answer]:
        """Stop the service; the answer comes when nothing of it is left."""
        self._operation = seconds
        self._monitored = False
        self.feed(Event.STOP)
        return self._wait("stop", seconds, lambda: answers.to_stop(self.record))

    def monitor(self, seconds: float, *, recurring: bool, hold: float) -> Deferred[Answer]:
        """
        Answer what is known; only a recurring monitor tells Pacemaker of a failure.

        With `hold` (seconds) it may wait for something to happen, if Pacemaker does not wait for it.
        """
        held = holding.hold(hold, seconds, recurring=recurring, settled=self._monitored)
        self._monitored = recurring
        if held:
            waiting = self._requests.wait(held, self._when_not_running, self._to_monitor_now, held=True)
            return waiting.addErrback(self._vanished)
        return self._wait("monitor", seconds, lambda: self._to_monitor(recurring=recurring))

    def adopt(self) -> bool:
        """Take over the service of a former daemon; False where its main process has ended."""
        return self.service.adopt(self.record.main, self.record.incarnation, dict(self.record.members), self._ended)

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
        before, name = self.record.phase, self.record.resource
        try:
            phase, effects = LIFE.step(before, event)
        except Refused as refused:
            log.error("{resource}: {why}", resource=name, why=str(refused))
            return
        if phase is not before or effects:
            said = f"{event.value}: {before.value} -> {phase.value}"
            log.info("{resource}: {said}", resource=name, said=said)
            since = self.now() if phase is not before else self.record.since
            self.change(replace(self.record, phase=phase, since=since), f"{event.value}: {phase.value}")
        for effect in effects:
            self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        """Do one thing; whatever goes wrong with it, the next is done: evidence that fails must not stop a report."""
        try:
            self._effects[effect]()
        except Exception:  # noqa: BLE001 - a bug or a broken machine must not end the watch
            log.failure("{resource}: {effect} failed", resource=self.record.resource, effect=effect.value)
            if effect is Effect.SPAWN:
                self.incidents.refusal = Failure(OCF_ERR_GENERIC, "tocsind failed to start it; its log says why")
                self.feed(Event.BROKEN)

    def change(self, record: Record, text: str = "") -> None:
        """Replace the record, on disk too; a disk that refuses is logged, and the watch goes on."""
        self.record = record.noted(self.now(), text) if text else record
        self._unsaved = ""
        try:
            self.world.store.save(self.record)
        except OSError as error:
            self._unsaved = str(error)
            log.error("{resource}: cannot save its state: {why}", resource=record.resource, why=str(error))

    def now(self) -> float:
        """Return the wall clock."""
        return self.world.wall()

    # The effects

    def _begin(self) -> None:
        self.incidents.refusal = None
        self.change(replace(self.record, incarnation=uuid.uuid4().hex, main=None, members={}, failure=None))

    def _spawn(self) -> None:
        assert self._definition is not None, "a start brings its definition"
        if self._unsaved:  # the next daemon would not know that it runs, and start it twice
            self.incidents.refusal = Failure(OCF_ERR_GENERIC, f"its state cannot be saved: {self._unsaved}")
            self.feed(Event.BROKEN)
            return
        try:
            main = self.service.start(self._definition, self.record.incarnation, self._ended)
        except CannotStart as error:
            self.incidents.refusal = Failure(error.code, error.reason)
            self.feed(Event.BROKEN)
            return
        self.change(replace(self.record, main=main), f"started as pid {main.pid}")
        self.world.clock.callLater(SETTLE, self._settled, self.record.incarnation)

    def _settled(self, incarnation: str) -> None:
        if self.record.phase in (Phase.STARTING, Phase.RETURNING) and self.record.incarnation == incarnation:
            self.feed(Event.SETTLED)

    def _ended(self, status: int | None) -> None:
        self.incidents.exit_status = status
        self.feed(Event.SPARED if self._spared() else Event.DIED)
        self.service.look_now()

    def _spared(self) -> bool:
        """Tell whether a death now is to be met by a restart here."""
        definition = self._definition
        if definition is None or self.record.phase not in (Phase.RUNNING, Phase.RETURNING):
            return False
        past, window = self.record.restarts, definition.restart_window
        return restarts.allowed(past, self.now(), definition.restart_attempts, window)

    def _note_restart(self) -> None:
        assert self._definition is not None, "there is a budget"
        self.incidents.restart(self._definition.restart_window)
        patience = self._plan().kill_after + CLEAR_GRACE
        self.world.clock.callLater(patience, self._not_cleared, self.record.incarnation)

    def _not_cleared(self, incarnation: str) -> None:
        if self.record.phase is Phase.RESTARTING and self.record.incarnation == incarnation:
            self.service.cancel()
            self.feed(Event.DIED)

    def _plan(self) -> stopping.Plan:
        return stopping.plan(self._operation, self._definition.stop_timeout if self._definition else None)

    def _clear(self) -> None:
        number = self._definition.stop_signal if self._definition else 15
        self.service.clear(self._plan(), number, lambda: self.feed(Event.CLEARED), self.incidents.killed)

    # The answers

    def _wait(self, verb: str, seconds: float, answer: Callable[[], Answer | None]) -> Deferred[Answer]:
        return self._requests.wait(seconds, answer, lambda: answers.too_late(verb, self.record, seconds, self.left()))

    def _to_monitor(self, *, recurring: bool) -> Answer | None:
        answer = answers.to_monitor(self.record, self.left())
        if answer and recurring and self.record.phase is Phase.FAILED:
            self.reporter.tell(News.MONITOR)
        return answer

    def _when_not_running(self) -> Answer | None:
        return None if self.record.phase is Phase.RUNNING else self._to_monitor(recurring=True)

    def _to_monitor_now(self) -> Answer:
        """Answer a monitor that was held as long as it may be."""
        return self._to_monitor(recurring=True) or answers.too_late("monitor", self.record, 0, self.left())

    def _vanished(self, failure: Any) -> Any:  # noqa: ANN401 - a Failure that passes through
        self._monitored = False
        return failure

    def left(self) -> list[str]:
        """Name what runs of a service that should not run; a healthy one is not looked at."""
        if self.record.phase in LEFTOVERS:
            return [repr(process) for process in self.service.members(thorough=True)]
        return []
