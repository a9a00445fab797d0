"""
The service of one resource, from its start to its end: what its driver tells of it, and how its checks judge it.

Both come here and leave as events of the life machine, so that the machine knows neither processes nor checks.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from twisted.logger import Logger

from tocsin_daemon import roles
from tocsin_daemon.core import stopping
from tocsin_daemon.core.answers import WELL
from tocsin_daemon.core.life import Event, Phase
from tocsin_daemon.core.record import PROMOTED, Failure, Main, role_of
from tocsin_daemon.core.spec import specs
from tocsin_daemon.driver import CannotStart, Driver
from tocsin_daemon.incidents import Incidents
from tocsin_daemon.incidents import Subject as Failing
from tocsin_daemon.promotion import Promotion
from tocsin_daemon.pulse import waited
from tocsin_daemon.restarting import Restarting
from tocsin_daemon.speech import Speech
from tocsin_ocf import definition as definitions
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC
from tocsin_ocf.roles import SCORE

if TYPE_CHECKING:
    from tocsin_daemon.checks.notify_message import Message
    from tocsin_daemon.core.judgement import Verdict
    from tocsin_daemon.watch import Watch
    from tocsin_daemon.world import World
    from tocsin_ocf.processes import Process

log = Logger()

SETTLE = 0.1
"""Seconds that a service must live before `start` succeeds: one that cannot read its configuration does not."""
COMING_UP = frozenset({Phase.STARTING, Phase.RETURNING})


class Subject(Failing, Protocol):
    """The resource whose service this is."""

    unsaved: str

    def feed(self, event: Event) -> None:
        """Let the life machine decide what the event means."""

    def changed(self) -> None:
        """Answer whom a change concerns that is no event."""


class Incarnation:
    """One resource's service; each start begins it anew."""

    def __init__(self, subject: Subject, world: World) -> None:
        """Begin with what is on record; nothing is started or taken over yet."""
        record = subject.record
        self._subject = subject
        self._world = world
        self.definition = None if record.definition is None else definitions.read(record.definition)[0]
        self._kind = self.definition.driver_name if self.definition and record.phase is not Phase.STOPPED else "process"
        self.driver: Driver = world.driver(record.resource, self._kind)
        self.speech = Speech(world.notify(record.resource, self.members))
        self.speech.notify.hear(self.judge)
        self.watch: Watch = world.watch(record.resource, self, self.judge)
        self.seconds = 20.0
        """Time of the operation that Pacemaker asked for last: a stop has to end inside it."""
        self.incidents = Incidents(subject, self, world.log_output)
        self.restarting = Restarting(subject, self, world.clock)
        self.roles = roles.Roles(subject, self, world)
        self.promotion = Promotion(record.resource, world.clock, world.cluster, self.roles.score)
        self._lived = False

    def begin(self) -> None:
        """Open an incarnation of what the next start is to run."""
        record = self._subject.record
        definition = record.definition if record.next is None else record.next
        self.incidents.begin()
        fresh = replace(record, definition=definition, next=None, main=None, members={}, failure=None)
        self._subject.change(replace(fresh, incarnation=uuid.uuid4().hex, role="", ready=False, degraded=""))

    def spawn(self) -> None:
        """Start the service, or feed why it cannot be started."""
        record = self._subject.record
        self.definition = definitions.read(record.definition or {})[0]
        assert self.definition is not None, "a start brings its definition"
        try:
            self._demand_record()
            if self.definition.driver_name != self._kind:
                self.driver = self._world.driver(record.resource, self.definition.driver_name)
                self._kind = self.definition.driver_name
            self.promotion.disown(record.node, promotable=self.roles.possible)
            self.restarting.expect_return()
            self.driver.start(self.speech.invite(self.definition), record.incarnation, self)
        except CannotStart as error:
            self.refused(error.code, error.reason)

    def _demand_record(self) -> None:
        """Start nothing that is on no record: the next daemon would not know that it runs, and start it twice."""
        if self._subject.unsaved:
            raise CannotStart(OCF_ERR_GENERIC, f"its state cannot be saved: {self._subject.unsaved}")

    def adopt(self) -> bool:
        """Take over the service of a former daemon; False where it has ended."""
        record = self._subject.record
        runs = self.driver.adopt(self.definition, record.main, record.incarnation, dict(record.members), self)
        passes = record.failure is not None and record.failure.lives and not record.failure.stays
        if runs and self.definition and (passes or record.phase is not Phase.FAILED):
            self.speech.notify.ready = record.ready
            try:
                self.speech.listen(self.definition)
            except CannotStart as error:  # it runs all the same
                log.error("{resource}: {why}", resource=record.resource, why=error.reason)
            self._begin_watch()
            if record.phase not in COMING_UP:
                self.appraise()
        if runs:
            self.restarting.expect_return()
        return runs

    def redefine(self) -> None:
        """Go by the definition that stands in the record now; what runs is left alone."""
        self.definition = definitions.read(self._subject.record.definition or {})[0]
        if self.definition and self.watch.running:
            self.watch.replace(specs(self.definition.checks))
            self.roles.redefined()
            self.appraise()
            self.judge()

    def relimit(self, wanted: Mapping[str, Any]) -> bool:
        """Have the limits of a changed definition hold for what runs; False where they wait for a restart."""
        definition = definitions.read(wanted)[0]
        return definition is not None and self._subject.record.main is not None and self.driver.relimit(definition)

    # What the driver tells

    def up(self, main: Main | None) -> None:
        """Hear that the service runs; it is up when it has lived a moment and its checks pass."""
        said = "started" if not self.watch.running else "goes on"
        said += f" as pid {main.pid}" if main else ""
        self._subject.change(replace(self._subject.record, main=main), said)
        if not self.watch.running:
            self._begin_watch()

    def refused(self, code: int, reason: str) -> None:
        """Hear that it cannot be started."""
        self.incidents.refusal = Failure(code, reason)
        self._subject.feed(Event.BROKEN)

    def ended(self, status: int | None, why: str = "") -> None:
        """Hear that the service has ended by itself."""
        self.look_no_more()
        self.incidents.ended(status, why)
        self._subject.feed(Event.SPARED if self.restarting.spares() else Event.DIED)

    def look_no_more(self) -> None:
        """End every check and command: there is nothing to look at any more, or nobody to look."""
        self.watch.end()
        self.roles.cancel()
        self.promotion.pause()

    def members(self, age: float = 0.0) -> list[Process]:
        """Return the living processes of the service, as they were `age` seconds ago at most."""
        return self.driver.members(thorough=False, age=age)

    def waited(self) -> float | None:
        """Return the seconds in which they waited for the machine; None where the kernel does not tell."""
        main = self.driver.main
        return waited(main.cgroup if main else "")

    # How it is judged

    def note(self, said: str) -> None:
        """Keep in the journal what led to a verdict."""
        self._subject.change(self._subject.record, said)

    def _begin_watch(self) -> None:
        assert self.definition is not None, "what runs was defined"
        self._lived = False
        self.watch.replace(specs(self.definition.checks))
        record = self._subject.record
        age = max(0.0, self._subject.now() - record.since)
        role = role_of(record) if self.roles.possible else ""
        self.watch.begin(self._world.clock.seconds() - age, role, settled=record.phase not in COMING_UP)
        self._world.clock.callLater(SETTLE, self._has_lived, record.incarnation)

    def _has_lived(self, incarnation: str) -> None:
        if self._subject.record.incarnation == incarnation:
            self._lived = True
            self.judge()

    def judge(self, _: Verdict | Message | None = None) -> None:
        """Take up what the checks, and the service itself, say now."""
        if self.speech.notify.ready and not self._subject.record.ready:
            self._subject.change(replace(self._subject.record, ready=True), "it has said READY=1")
        verdict, phase = self.watch.verdict, self._subject.record.phase
        passes = self.watch.running and verdict.ready and not verdict.failed  # else it is on the last incarnation
        ready = passes and self._lived and not self.speech.unsaid(self.definition)
        if phase in COMING_UP and ready:
            self._subject.feed(Event.SETTLED)
        elif phase is Phase.PROMOTING and passes and self.roles.promoted:
            self._subject.feed(Event.PROMOTED)
        elif phase is Phase.FAILED and ready:
            self._subject.feed(Event.PROMOTED if self._subject.record.role == PROMOTED else Event.HEALED)
        elif phase in WELL and verdict.failed:
            self.incidents.judged = verdict.failed
            self._subject.feed(Event.SPARED if self.restarting.spares() else Event.JUDGED)
        self._note_degraded(verdict.degraded)

    def _note_degraded(self, why: str) -> None:
        record = self._subject.record
        if record.phase in WELL and why != record.degraded:
            said = f"degraded: {why}" if why else "no longer degraded"
            log.warn("{resource}: {said}", resource=record.resource, said=said)
            self._subject.change(replace(record, degraded=why), said)
            self.promotion.degrade(degraded=bool(why))
            self._subject.changed()

    def appraise(self) -> None:
        """Have its promotion score told as long as it runs."""
        record, definition = self._subject.record, self.definition
        if definition and self.roles.possible:
            self.promotion.begin(record.node, definition.promotion_score or SCORE, degraded=bool(record.degraded))

    # How it ends

    def clear(self) -> None:
        """End everything of it."""
        self.look_no_more()
        if self.roles.possible:
            self.promotion.end(self._subject.record.node)
        self.speech.notify.close()
        number = self.definition.stop_signal if self.definition else 15
        plan = stopping.plan(self.seconds, self.definition.stop_timeout if self.definition else None)
        done = partial(self.promotion.when_gone, self.seconds / 4, partial(self._subject.feed, Event.CLEARED))
        self.driver.clear(plan, number, done, self.incidents.killed)

    def waiting(self) -> str:
        """Say what a start waits for."""
        if not self.watch.running:
            return ""
        return self.watch.verdict.waiting or self.watch.verdict.failed or self.speech.unsaid(self.definition)
