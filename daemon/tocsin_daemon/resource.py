"""
One resource: feeds the life machine, carries out its effects, and answers those who wait.

Events are fed one at a time. An effect that leads to an event queues it, so the machine is never re-entered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from tocsin_daemon.comparison import Comparison
from tocsin_daemon.core import answers, holding
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import LIFE, UP, Effect, Event, Phase
from tocsin_daemon.core.machine import Refused
from tocsin_daemon.core.record import Failure, Record
from tocsin_daemon.core.report import News
from tocsin_daemon.incarnation import Incarnation
from tocsin_daemon.pausing import Pausing
from tocsin_daemon.publisher import Publisher
from tocsin_daemon.reloading import Reloading
from tocsin_daemon.reporter import Reporter
from tocsin_daemon.requests import Requests
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_ERR_UNIMPLEMENTED

if TYPE_CHECKING:
    from tocsin_daemon.world import World

log = Logger()

ToAnswer = Callable[[Record], "Answer | None"]
LEFTOVERS = frozenset({Phase.FAILED, Phase.STOPPING, Phase.CLEARING, Phase.RESTARTING})


class Resource:
    """A resource on this node, its service and its reports."""

    def __init__(self, record: Record, world: World) -> None:
        """Begin with what is known; `Daemon.resume` takes up what a former daemon left."""
        self.record = record
        self.world = world
        self.publisher = Publisher(record.resource, world.clock, world.cluster)
        self.reporter = Reporter(self, world.clock, world.cluster)
        self.pausing = Pausing(self, world.clock, world.cluster)
        self.service = Incarnation(self, world)
        self.reloading = Reloading(self, self.service)
        self.unsaved = ""
        """Why the record is not on disk, if it is not."""
        self._requests = Requests(world.clock)
        self._monitored = False  # a recurring monitor of this incarnation was answered: the next may be held
        self._queue: deque[Event] = deque()
        self._busy = False
        incidents = self.service.incidents
        self._effects: dict[Effect, Callable[[], None]] = {
            Effect.BEGIN: self.service.begin,
            Effect.SPAWN: self.service.spawn,
            Effect.CLEAR: self.service.clear,
            Effect.PROMOTE: self.service.roles.promote,
            Effect.DEMOTE: self.service.roles.demote,
            Effect.DISARM: lambda: self.reporter.tell(News.WITHDRAW),
            Effect.RELIEVE: lambda: self.reporter.tell(News.HEALED),
            Effect.RECOVERED: incidents.recovered,
            Effect.APPRAISE: self.service.appraise,
            Effect.COMPARE: lambda: Comparison(self, world.cluster).make(self.service.roles.asked),
            Effect.NOTE_FAILED_START: incidents.failed_start,
            Effect.NOTE_INCIDENT: incidents.incident,
            Effect.NOTE_FAILED_CHANGE: self.service.roles.unchanged,
            Effect.NOTE_RESTART: self.service.restarting.note,
            Effect.REPORT: lambda: self.reporter.tell(News.HEARD if self._is_heard() else News.INCIDENT),
            Effect.GATHER: incidents.gather,
        }

    # What Pacemaker asks

    def start(self, definition: Mapping[str, Any], node: str, seconds: float, config: str = "") -> Deferred[Answer]:
        """Start the service as defined; the answer comes when it is up, or has failed."""
        if self.record.phase not in UP:  # what runs until then is ended as its own definition says
            self.record = replace(self.record, next=definition, node=node, config=config, refused="")
        self.service.seconds = self.service.restarting.patience = seconds
        self._monitored = False
        self.feed(Event.START)
        return self._wait("start", seconds, lambda: answers.to_start(self.record))

    def promote(self, seconds: float, asked: Mapping[str, str]) -> Deferred[Answer]:
        """Promote the service, `asked` in Pacemaker's environment; the answer comes when it is, or cannot be."""
        return self._change_role(Event.PROMOTE, "promote", seconds, asked, answers.to_promote)

    def demote(self, seconds: float, asked: Mapping[str, str]) -> Deferred[Answer]:
        """Demote the service, or end one that has failed."""
        return self._change_role(Event.DEMOTE, "demote", seconds, asked, answers.to_demote)

    def _change_role(
        self, event: Event, verb: str, seconds: float, asked: Mapping[str, str], answer: ToAnswer
    ) -> Deferred[Answer]:
        definition = self.service.definition
        if definition is not None and not self.service.roles.possible:
            return succeed(Answer(OCF_ERR_UNIMPLEMENTED, f"{self.record.resource} has no {verb}_command"))
        self.service.seconds, self.service.roles.asked = seconds, asked
        self._monitored = False
        self.feed(event)
        return self._wait(verb, seconds, lambda: self._told(answer(self.record)))

    def notify(self, seconds: float, asked: Mapping[str, str]) -> Deferred[Answer]:
        """Tell the service what happens to the others of its clone; it cannot fail."""
        if self.record.phase not in UP:
            return succeed(answers.DONE)
        return self.service.roles.notify(seconds, asked).addCallback(lambda _: answers.DONE)

    def stop(self, seconds: float) -> Deferred[Answer]:
        """Stop the service; the answer comes when nothing of it is left."""
        self.service.seconds = seconds
        self._monitored = False
        self.feed(Event.STOP)
        return self._wait("stop", seconds, lambda: answers.to_stop(self.record))

    def monitor(self, seconds: float, *, recurring: bool, hold: float) -> Deferred[Answer]:
        """
        Answer what is known; only a recurring monitor tells Pacemaker of a failure.

        With `hold` (seconds) it may wait for something to happen, if Pacemaker does not wait for it.
        """
        self.service.promotion.remind(anew=not (recurring and self._monitored))
        held = holding.hold(hold, seconds, recurring=recurring, settled=self._monitored)
        self._monitored = recurring
        if held:
            known = answers.to_monitor(self.record, [])
            waiting = self._requests.wait(
                held, lambda: self._unlike(known), lambda: self._to_monitor(recurring=True), held=True
            )
            rest = max(0.0, seconds - held)  # it may be restarting here, of which nobody is to hear
            waiting.addCallback(lambda answer: answer or self._wait_to_monitor(rest, recurring=True))
            return waiting.addErrback(self._vanished)
        return self._wait_to_monitor(seconds, recurring=recurring)

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
        self.changed()

    def changed(self) -> None:
        """Answer whom a change concerns."""
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
            log.info("{resource}: {said}", resource=name, said=said, was=before.value, phase=phase.value)
            since = self.now() if phase is not before else self.record.since
            # What has passed is not why it fails now; where that is not known yet, the next daemon has to see so.
            failure = None if before in answers.WELL else self.record.failure
            record = replace(self.record, phase=phase, since=since, failure=failure)
            self.change(record, f"{event.value}: {phase.value}")
        for effect in effects:
            self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        """Do one thing; whatever goes wrong with it, the next is done: evidence that fails must not stop a report."""
        try:
            self._effects[effect]()
        except Exception:  # noqa: BLE001 - a bug or a broken machine must not end the watch
            log.failure("{resource}: {effect} failed", resource=self.record.resource, effect=effect.value)
            if effect is Effect.SPAWN:
                why = Failure(OCF_ERR_GENERIC, "tocsind failed to start it; its log says why")
                self.service.incidents.refusal = why
                self.feed(Event.BROKEN)

    def change(self, record: Record, text: str = "") -> None:
        """Replace the record, on disk too; a disk that refuses is logged, and the watch goes on."""
        self.record = record.noted(self.now(), text) if text else record
        self.unsaved = ""
        try:
            self.world.store.save(self.record)
        except OSError as error:
            self.unsaved = str(error)
            log.error("{resource}: cannot save its state: {why}", resource=record.resource, why=str(error))

    def now(self) -> float:
        """Return the wall clock."""
        return self.world.wall()

    # The answers

    def _wait(self, verb: str, seconds: float, answer: Callable[[], Answer | None]) -> Deferred[Answer]:
        return self._requests.wait(seconds, answer, lambda: self._too_late(verb, seconds))

    def _wait_to_monitor(self, seconds: float, *, recurring: bool) -> Deferred[Answer]:
        def late() -> Answer:
            return self._to_monitor(recurring=recurring, late=True) or self._too_late("monitor", seconds)

        return self._requests.wait(seconds, lambda: self._to_monitor(recurring=recurring), late)

    def _too_late(self, verb: str, seconds: float) -> Answer:
        answer = answers.too_late(verb, self.record, seconds, self.left(), self.service.waiting())
        if verb == "start":
            self.service.incidents.late(answer.code, answer.text)
        return answer

    def _to_monitor(self, *, recurring: bool, late: bool = False) -> Answer | None:
        answer = answers.to_monitor(self.record, self.left())
        if not recurring:
            return answer
        if self.record.phase is Phase.FAILED and self.reporter.awaits_stop and not late:
            return None  # with the stop that it is about to ask for, Pacemaker ends this monitor
        return self._told(answer)

    def _told(self, answer: Answer | None) -> Answer | None:
        """Take it for told where Pacemaker gets to know a failure by an answer: it must not hear of it twice."""
        if answer and answer.code and self.record.phase is Phase.FAILED:
            self.reporter.tell(News.MONITOR)
        return answer

    def _is_heard(self) -> bool:
        """Tell whether a monitor waits that carries a failure at once."""
        return self._requests.held and not self.pausing.holds

    def _unlike(self, known: Answer | None) -> Answer | None:
        """Answer a held monitor when there is something new to say; in a pause only when its time is over."""
        same = self.record.phase in answers.WELL and answers.to_monitor(self.record, []) == known
        return None if self.pausing.holds or same else self._to_monitor(recurring=True)

    def _vanished(self, failure: Any) -> Any:  # noqa: ANN401 - a Failure that passes through
        self._monitored = False
        return failure

    def left(self) -> list[str]:
        """Name what runs of a service that should not run; a healthy one is not looked at."""
        return self.service.driver.left() if self.record.phase in LEFTOVERS else []
