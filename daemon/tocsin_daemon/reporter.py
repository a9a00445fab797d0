"""
Carries out what the report machine decides: looks at the cluster, runs `crm_resource --fail`, looks again.

The record is on disk with its new stage before anything is executed, so a daemon that dies half-way is
followed by one that knows how far it got.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from tocsin_daemon.core.guard import judge
from tocsin_daemon.core.pause import held_back
from tocsin_daemon.core.record import Incident, Record
from tocsin_daemon.core.report import HELD_RECHECK, REPORT, Act, News, Stage, Verdict, back_off
from tocsin_daemon.shared_look import Look, SharedLook
from tocsin_ocf import pacemaker
from tocsin_ocf.pacemaker import Cluster, Command, NoStatus, Reply

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

log = Logger()

_T = TypeVar("_T")
Run = Callable[[Command], Deferred[Reply]]

TOLD = frozenset({Stage.VERIFYING, Stage.ACKNOWLEDGED, Stage.LEARNED, Stage.TOLD})
"""Stages in which Pacemaker's controller or executor has been given the failure."""
INJECTED = frozenset({Stage.SENDING, Stage.VERIFYING, Stage.ACKNOWLEDGED})
"""Stages in which an injection is on its way to Pacemaker, or was taken."""
RECOVERY = 60.0
"""Seconds after an injection in which a busy Pacemaker asks for the stop; after that it does so no more (on-fail)."""
LOOKS = 4
LOOK_EVERY = 0.25
"""A failure that was taken is in the CIB within a second: four looks, a quarter of a second apart."""


class Subject(Protocol):
    """The resource that a report is about."""

    record: Record

    def change(self, record: Record, text: str = "") -> None:
        """Replace the record, on disk too, with one more line in its journal."""

    def now(self) -> float:
        """Return the wall clock."""


class Reporter:
    """The report of one resource's incidents."""

    def __init__(self, subject: Subject, clock: IReactorTime, cluster: ClusterTools) -> None:
        """Report on `subject` through these tools."""
        self._subject = subject
        self._clock = clock
        self._cluster = cluster
        self._quiet_until = 0.0
        self._timer: IDelayedCall | None = None
        self._running: Deferred[Any] | None = None
        self._acts: dict[Act, Callable[[], None]] = {
            Act.CHECK: self._check,
            Act.SEND: self._send,
            Act.VERIFY: lambda: self._verify(LOOKS),
            Act.BACK_OFF: self._back_off,
            Act.WAIT: lambda: self._later(HELD_RECHECK, News.DUE),
            Act.CANCEL: self.cancel,
        }

    @property
    def awaits_stop(self) -> bool:
        """Tell whether an injection is out, so that a failure that a monitor tells would be counted a second time."""
        incident = self._subject.record.incident
        if incident is None or not incident.injections or incident.stage not in INJECTED:
            return False
        return self._subject.now() < incident.marks["decided"] + RECOVERY

    def be_quiet(self, seconds: float) -> None:
        """Begin nothing for so long: whoever started this daemon is about to say what it wants, perhaps a stop."""
        self._quiet_until = self._clock.seconds() + seconds

    def tell(self, news: News, why: str = "") -> None:
        """Let the machine decide what the news mean for the report, and do it."""
        incident = self._subject.record.incident
        if incident is None:
            return
        stage, acts = REPORT.step(incident.stage, news)
        answered = news is News.WITHDRAW and stage in TOLD and "acknowledged" not in incident.marks
        if stage is incident.stage and not acts and not answered:
            return
        self._subject.change(
            replace(self._subject.record, incident=self._moved(incident, stage, news, why)),
            ""
            if self._repeats(incident, news, why)
            else f"report: {news.value}: {stage.value}" + f" ({why})" * bool(why),
        )
        for act in acts:
            self._acts[act]()

    def _repeats(self, incident: Incident, news: News, why: str) -> bool:
        """Tell whether a round of waiting ended as the last one: hours of maintenance must not fill the journal."""
        return news is News.DUE or (news in (News.HOLD, News.UNKNOWN) and why == incident.why)

    def _moved(self, incident: Incident, stage: Stage, news: News, why: str) -> Incident:
        now = self._subject.now()
        if stage is Stage.SENDING and news is News.GO:
            incident = replace(incident.marked("decided", now), injections=incident.injections + 1)
        if stage in TOLD:
            incident = incident.marked("reported", now)
        if stage is Stage.ACKNOWLEDGED or (stage in TOLD and news is News.WITHDRAW):
            incident = incident.marked("acknowledged", now)
        why = incident.why if news is News.DUE else why
        return replace(incident, stage=stage, why=why, attempts=incident.attempts + (stage is Stage.WAITING))

    def _incident(self) -> Incident:
        incident = self._subject.record.incident
        assert incident is not None, "a report is about an incident"
        return incident

    def _check(self) -> None:
        wait = self._quiet_until - self._clock.seconds()
        if wait > 0:
            self._timer = self._clock.callLater(wait, self._check)
            return
        held = self._held_back()
        if held:
            self.tell(held.news, held.why)
        else:
            self._wait_for(self._cluster.look(), self._checked)

    def _held_back(self) -> Verdict | None:
        return held_back(self._subject.record.pause, self._subject.now())

    def look_again(self) -> None:
        """Look at a report that is held without waiting: what held it back may be over."""
        incident = self._subject.record.incident
        if incident and incident.stage is Stage.HELD:
            self.cancel()
            self.tell(News.DUE)

    def _checked(self, cluster: Look) -> None:
        record = self._subject.record
        if isinstance(cluster, NoStatus):
            self.tell(News.UNKNOWN, str(cluster))
            return
        verdict = self._held_back() or judge(cluster, record.resource, record.node)
        if self._arrived(cluster):
            self.tell(News.SEEN, "an earlier injection had arrived")
            return
        if verdict.news is News.GO and not self._incident().injections:
            before = cluster.injected(record.resource, record.node)
            self._subject.record = replace(record, incident=replace(self._incident(), call_before=before))
        self.tell(verdict.news, verdict.why)

    def _arrived(self, cluster: Cluster) -> bool:
        """Tell whether an injection of this incident stands among the cluster's failures."""
        record, incident = self._subject.record, self._incident()
        return incident.injections > 0 and cluster.injected(record.resource, record.node) > incident.call_before

    def _send(self) -> None:
        record = self._subject.record
        command = self._cluster.fail(record.resource, record.node)
        if self._cluster.dry_run:
            line = " ".join(command.argv)
            log.info("{resource}: dry run, not executed: {line}", resource=record.resource, line=line)
            self.tell(News.REHEARSED, line)
            return
        self._wait_for(self._cluster.run(command), self._sent)

    def _sent(self, reply: Reply) -> None:
        if reply.code == 0:
            self.tell(News.TAKEN)
        else:
            self.tell(News.REFUSED, f"crm_resource: {reply.why}")

    def _verify(self, looks: int) -> None:
        self._wait_for(self._cluster.look(), lambda cluster: self._verified(cluster, looks - 1))

    def _verified(self, cluster: Look, looks: int) -> None:
        if isinstance(cluster, Cluster) and self._arrived(cluster):
            self.tell(News.SEEN)
        elif looks:
            self._timer = self._clock.callLater(LOOK_EVERY, self._verify, looks)
        else:
            self.tell(News.UNSEEN, "Pacemaker has no failure of it")

    def _back_off(self) -> None:
        self._later(back_off(self._incident().attempts), News.DUE)

    def _later(self, seconds: float, news: News) -> None:
        self._timer = self._clock.callLater(seconds, self.tell, news)

    def _wait_for(self, answer: Deferred[_T], then: Callable[[_T], None]) -> None:
        self._running = answer
        answer.addCallback(then).addErrback(_unless_cancelled, self._subject.record.resource)

    def cancel(self) -> None:
        """Drop what is under way: the tool that runs, and the timer."""
        if self._timer and self._timer.active():
            self._timer.cancel()
        if self._running and not self._running.called:
            self._running.cancel()


class ClusterTools:
    """Pacemaker's commands as this daemon was told to use them, and the means to execute them."""

    def __init__(self, run: Run, directory: str, clock: IReactorTime, *, dry_run: bool) -> None:
        """Take the tools from `directory`; `dry_run` never executes `crm_resource`."""
        self.run = run
        self.dry_run = dry_run
        self.directory = directory
        self.look = SharedLook(lambda: run(pacemaker.status(directory)), clock).ask

    def configuration(self, resource: str) -> Deferred[Reply]:
        """Return how the resource is configured."""
        return self.run(pacemaker.configuration(resource, self.directory))

    def fail(self, resource: str, node: str) -> Command:
        """Return the command that injects a failure."""
        return pacemaker.fail(resource, node, self.directory)


def _unless_cancelled(failure: Failure, resource: str) -> None:
    if not failure.check(CancelledError):
        log.failure("{resource}: the report broke off", failure, resource=resource)
