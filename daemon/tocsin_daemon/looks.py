"""
The looks of one check: made when they are due, cut off when their time is over, and told.

What a check may do wrong ends here: one that raises, or returns what it must not, has not looked.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.logger import Logger
from twisted.python.failure import Failure

from tocsin_daemon.checks import KINDS
from tocsin_daemon.core import cadence, stretch
from tocsin_daemon.core.check import Outcome, Result, Spec
from tocsin_daemon.pulse import Pulse

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from tocsin_daemon.checks.outside import Outside

log = Logger()

LEAST_TURNS = 4
"""Looks by a process that may run at once, on the smallest machine."""
LONGEST_TEXT = 300
"""Characters of an outcome that are kept; a check of somebody else's may say more."""

Told = Callable[[Outcome], None]


def _untraced(resource: str, check: str, outcome: Outcome) -> None:
    """Say nothing: nobody debugs."""


@dataclass(frozen=True)
class Means:
    """What all watches of a daemon share: turns to run a process, in the order of asking, and the pulse."""

    turns: DeferredSemaphore
    pulse: Pulse
    trace: Callable[[str, str, Outcome], None] = _untraced
    """Is told each look: resource, check, and what came of it."""


def means(clock: IReactorTime, trace: Callable[[str, str, Outcome], None] = _untraced) -> Means:
    """Return what the watches of a daemon need; processes by the number of processors, for each waits a little."""
    return Means(DeferredSemaphore(max(LEAST_TURNS, 2 * (os.cpu_count() or 1))), Pulse(clock), trace)


class Looks:
    """One polled check, from the beginning of a watch to its end."""

    def __init__(self, spec: Spec, outside: Outside, means: Means, told: Told, waited_for: Callable[[], bool]) -> None:
        """Be ready; `waited_for` tells whether a start waits for this check."""
        self.took = 0.0
        self.made = 0
        self.skipped = 0
        self._spec = spec
        self._outside = outside
        self._means = means
        self._told = told
        self._waited_for = waited_for
        self._clock = outside.reactor
        self._origin = 0.0
        self._check: Any = None
        self._begun = self._lost = self._late = 0.0
        self._extended: tuple[float, float] | None = None
        self.has_turn = self._over = False
        self._cut_off = ""
        self._next: IDelayedCall | None = None
        self._deadline: IDelayedCall | None = None
        self._under_way: Deferred[Any] | None = None

    def begin(self) -> None:
        """Look for the first time soon where somebody waits, else some time within an interval."""
        apart = cadence.spread(f"{self._outside.resource} {self._spec.name}")
        self._origin = self._clock.seconds() + apart * self._spec.interval
        first = apart * min(cadence.SOONEST, self._spec.interval) if self._waited_for() else apart * self._spec.interval
        self._next = self._clock.callLater(first, self._due)

    def end(self) -> None:
        """Look no more, and leave nothing: no timer, no turn, nothing of the check."""
        self._over = True
        for call in (self._next, self._deadline):
            if call and call.active():
                call.cancel()
        if self._under_way:
            self._under_way.cancel()
        self._give_turn_back()  # of a look that was about to begin

    def _due(self) -> None:
        if not KINDS[self._spec.kind].costly:
            self._look()
            return
        self._under_way = self._means.turns.acquire()
        self._deadline = self._clock.callLater(self._spec.interval + self._spec.timeout, self._no_turn)
        self._under_way.addCallbacks(self._look_in_turn, self._gave_up_waiting)

    def _look_in_turn(self, _: object) -> None:
        """Look soon, not at once: whoever gave the turn back is still at it, and a thousand may wait in line."""
        self.has_turn, self._under_way = True, None
        self._forget_deadline()
        self._next = self._clock.callLater(0, self._look)

    def _no_turn(self) -> None:
        """Say again and again that it waits: with others that hang before it, its last look is no news any more."""
        self._told(Outcome(Result.ERROR, "waits for its turn, too many commands of checks run at once"))
        if not self._over:
            self._deadline = self._clock.callLater(self._spec.interval + self._spec.timeout, self._no_turn)

    def _gave_up_waiting(self, failure: Failure) -> None:
        failure.trap(CancelledError)

    def _look(self) -> None:
        """Begin to look; what answers at once costs no deadline."""
        self._begun, self._lost, self._cut_off = self._clock.seconds(), self._means.pulse.lost(), ""
        self._extended, self._late = None, 0.0
        try:
            if self._check is None:
                self._check = KINDS[self._spec.kind](self._spec, self._outside)
            looking: Deferred[Any] = self._check.run()
        except Exception:  # noqa: BLE001 - a check that is wrong must not end the watch
            self._seen(Failure())
            return
        self._under_way = looking
        looking.addBoth(self._seen)
        if self._under_way is looking:  # also one that was `called`, and waits for another Deferred
            self._deadline = self._clock.callLater(self._spec.timeout, self._time_is_over)

    def _time_is_over(self) -> None:
        assert self._deadline is not None, "this is it"
        now = self._clock.seconds()
        elapsed, self._late = now - self._begun, self._late + now - self._deadline.getTime()
        more = stretch.left(self._spec.timeout, elapsed, self._means.pulse.lost() - self._lost, self._late)
        if more and not self._idles():
            waited = self._outside.waited()
            self._extended = None if waited is None else (self._clock.seconds(), waited)
            self._deadline = self._clock.callLater(min(more, self._spec.timeout), self._time_is_over)
            return
        self._cut_off = stretch.no_answer(self._spec.timeout, elapsed)
        assert self._under_way is not None, "it has a deadline"
        self._under_way.cancel()

    def _idles(self) -> bool:
        """Tell whether the service itself was not starved while it had an extension."""
        waited = self._outside.waited()
        if self._extended is None or waited is None:
            return False
        since, before = self._extended
        return stretch.is_idle(waited - before, self._clock.seconds() - since)

    def _seen(self, result: object) -> None:
        """Tell what came of a look, and wait for the next."""
        self._under_way = None
        self._forget_deadline()
        self._give_turn_back()
        if self._over:
            return
        self.made += 1
        self.took = self._clock.seconds() - self._begun
        outcome = self._outcome(result)
        self._told(outcome)
        if not self._over:  # whoever was told may have ended the watch
            self._next = self._clock.callLater(self._pause(outcome), self._due)

    def _forget_deadline(self) -> None:
        if self._deadline and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _give_turn_back(self) -> None:
        if self.has_turn:
            self.has_turn = False
            self._means.turns.release()

    def _outcome(self, result: object) -> Outcome:
        if isinstance(result, Outcome):
            return result if len(result.text) <= LONGEST_TEXT else Outcome(result.result, result.text[:LONGEST_TEXT])
        if self._cut_off and isinstance(result, Failure) and result.check(CancelledError):
            return Outcome(Result.BAD, self._cut_off)
        return broken(self._outside.resource, self._spec, result)

    def _pause(self, outcome: Outcome) -> float:
        """Return the seconds until the next look."""
        now, interval = self._clock.seconds(), self._spec.interval
        if outcome.result is not Result.ERROR and self._waited_for():
            return cadence.while_waited_for(self.made, interval)
        self.skipped += int(self.took / interval)
        if self._cut_off:  # it is late enough: a service that hangs should not wait for its next turn to be found
            return cadence.SOONEST
        return cadence.next_on_grid(now, self._origin, interval)


def broken(resource: str, spec: Spec, result: object) -> Outcome:
    """Log a check that raised, or returned what is no outcome; it has not looked."""
    failure = result if isinstance(result, Failure) else Failure(TypeError(f"no outcome: {result!r}"))
    log.failure("{resource}: check {name} is broken", failure=failure, resource=resource, name=spec.name)
    return Outcome(Result.ERROR, f"the check is broken: {failure.getErrorMessage()}"[:LONGEST_TEXT])
