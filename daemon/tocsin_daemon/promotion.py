"""
The promotion score of one resource on this node, told to Pacemaker when it changes, and taken back with the service.

What it is worth is decided in `core/score.py`, and Pacemaker told by `telling`; here a command is asked now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from tocsin_daemon.checks.execute import first_line, last_line
from tocsin_daemon.core.score import Dampened, parse, worth
from tocsin_daemon.telling import Telling
from tocsin_ocf.values import Wrong

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from tocsin_daemon.checks.outside import Ended
    from tocsin_daemon.reporter import ClusterTools

log = Logger()

GONE_WITHIN = 2.0
"""Seconds that a stop waits at most for its score to be gone."""
REMIND, REMIND_ANEW = 30.0, 1.0
"""Seconds after which Pacemaker is told again what it should know: when it monitors as ever, when it begins to."""

Run = Callable[[], "Deferred[Ended]"]


class Promotion:
    """The score of one resource's service."""

    def __init__(self, resource: str, clock: IReactorTime, cluster: ClusterTools, run: Run) -> None:
        """Tell it through these tools; `run` executes the command that says it."""
        self._resource = resource
        self._clock = clock
        self._run = run
        self._telling = Telling(resource, clock, cluster, self._told)
        self._on = False  # it runs, and has a score
        self._node = ""
        self._settings: Mapping[str, Any] = {}
        self._own: int | None = None
        self._degraded = False
        self._state = Dampened()
        self._known = False
        self._settled = False  # the role is new, and will stay: the next score counts at once
        self._complaint = ""
        self._asking: Deferred[Any] | None = None
        self._ask_again: IDelayedCall | None = None
        self._tell_later: IDelayedCall | None = None

    @property
    def score(self) -> int | None:
        """Return what Pacemaker was told last, None for no score."""
        return self._state.told

    def begin(self, node: str, settings: Mapping[str, Any], *, degraded: bool) -> None:
        """
        Keep the score told from now on; whatever an earlier daemon told may stand in the cluster still.

        Where it is told already, the service has another role now, and another score: that is told at once. `pcs
        resource move` takes its constraint back when the move is done, and nothing else keeps the role where it is.
        """
        if self._on and (node, settings) == (self._node, self._settings):
            self.degrade(degraded=degraded)
            self._ask_anew()
            return
        self._halt()
        self._on, self._node, self._settings, self._degraded = True, node, settings, degraded
        self._state = Dampened()
        self._known = not settings["command"]
        self._own = settings["well"] if self._known else None
        if self._known:
            self._want()
        else:
            self._ask()

    def degrade(self, *, degraded: bool) -> None:
        """Hear whether the service is degraded."""
        if self._on and degraded != self._degraded:
            self._degraded = degraded
            self._want()

    def pause(self) -> None:
        """Ask and tell nothing any more; the score stays: the daemon ends, or Pacemaker is to hear of a death first."""
        self._halt()

    def end(self, node: str) -> None:
        """Take the score back, whoever told it: what does not run cannot be promoted."""
        self._halt()
        self._state = Dampened()
        log.info("{name}: promotion score removed", name=self._resource)
        self._telling.tell(node, None)

    def disown(self, node: str, *, promotable: bool) -> None:
        """Take back what another incarnation may have left: one that was ended without a daemon, say."""
        if promotable and not self._telling.gone:
            self.end(node)

    def when_gone(self, seconds: float, then: Callable[[], None]) -> None:
        """Call `then` when the score that was taken back is gone, in these seconds at most; else it is told later."""
        self._telling.when_told(min(seconds, GONE_WITHIN), then)

    def remind(self, *, anew: bool) -> None:
        """
        Tell it once more: Pacemaker forgets it with its attribute daemon, or when it is started again.

        What it knows aborts nothing. `anew`: it has just begun to monitor, which it does then.
        """
        due = self._telling.at + (REMIND_ANEW if anew else REMIND)
        if self._on and self._state.told is not None and not self._telling.busy and self._clock.seconds() >= due:
            self._telling.tell(self._node, self._state.told)

    # What it is worth

    def _ask(self) -> None:
        self._ask_again = None
        timer = self._clock.callLater(self._settings["timeout"], self._too_slow)
        asking = self._asking = self._run()
        asking.addBoth(self._asked, timer, asking)  # at once, where it cannot even begin
        asking.addCallbacks(self._said, self._unsaid)

    def _ask_anew(self) -> None:
        if self._settings["command"]:
            self._settled = True
            self._ask_no_more()
            self._ask()

    def _too_slow(self) -> None:
        if self._asking:
            self._complain(f"took longer than {self._settings['timeout']:g} s")
            self._asking.cancel()

    def _asked(self, result: Ended | Failure, timer: IDelayedCall, asking: Deferred[Any]) -> Ended | Failure:
        if timer.active():
            timer.cancel()
        if asking is self._asking:
            self._asking = None
            self._ask_again = self._clock.callLater(self._settings["interval"], self._ask)
        return result

    def _said(self, ended: Ended) -> None:
        if ended.status != 0:
            self._complain(f"exit status {ended.status}: {last_line(ended.errors) or last_line(ended.output)}")
            return
        try:
            self._own, self._known = parse(first_line(ended.output)), True
        except Wrong as error:
            self._complain(str(error))
            return
        self._complaint = ""
        settled, self._settled = self._settled, False
        self._want(settled=settled)

    def _unsaid(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._complain(failure.getErrorMessage())

    def _complain(self, why: str) -> None:
        """Log once that a score is not to be had: the last one stays, for it says nothing of the service."""
        if why != self._complaint:
            log.warn("{name}: promotion_score.command: {why}; the last score stays", name=self._resource, why=why)
        self._complaint = why

    # What is told

    def _want(self, *, settled: bool = False) -> None:
        if self._known:
            score = worth(self._own, self._settings["degraded"], degraded=self._degraded)
            self._state = self._state.want(score, self._clock.seconds(), settled=settled)
            self._tell()

    def _tell(self) -> None:
        """Tell what is due now, or look again when it is; one at a time, so that the last one wins."""
        if self._tell_later and self._tell_later.active():
            self._tell_later.cancel()
        due = self._state.due(self._clock.seconds(), self._settings["dampening"])
        if due is None or self._telling.busy:
            return
        if due > 0:
            self._tell_later = self._clock.callLater(due, self._tell)
            return
        self._state = self._state.tell()
        log.info("{name}: promotion score {score}", name=self._resource, score=self._state.told)
        self._telling.tell(self._node, self._state.told)

    def _told(self) -> None:
        if self._on and self._known:
            self._tell()

    def _halt(self) -> None:
        self._on = self._settled = False
        self._telling.rest()
        if self._tell_later and self._tell_later.active():
            self._tell_later.cancel()
        self._tell_later = None
        self._ask_no_more()

    def _ask_no_more(self) -> None:
        asking, self._asking = self._asking, None
        if asking:
            asking.cancel()
        if self._ask_again and self._ask_again.active():
            self._ask_again.cancel()
        self._ask_again = None
