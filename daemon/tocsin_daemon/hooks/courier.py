"""
Takes events to one hook: in their order, one at a time, each a few times until it is taken, none for ever.

A hook that is slow or gone costs its own queue, which is bounded: the oldest are lost, counted and logged. What is in
the queue when the daemon ends is lost too; the journal has it all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

log = Logger()

SOON = 0.1
"""Seconds until an event is taken to its hook: a fork takes time, and the report of the same failure goes first."""
MOST_WAITING = 1000
TRIES = 5
FIRST_PAUSE = 1.0

Deliver = Callable[[bytes], "Deferred[str]"]
"""Takes an event to the hook; "" when it has it, else why not, within a time of its own. What it raises is why, too."""
Count = Callable[[str], None]
"""Counts what came of one try: delivered, retried or lost."""


def pause(tries: int) -> float:
    """Return the seconds to wait after so many tries that failed: doubled each time."""
    return FIRST_PAUSE * 2.0 ** (tries - 1)


class Courier:
    """The way to one hook."""

    def __init__(self, name: str, clock: IReactorTime, deliver: Deliver, count: Count) -> None:
        """Take nothing yet; `name` is what the log calls the hook."""
        self.waiting: deque[bytes] = deque()
        self._name = name
        self._clock = clock
        self._deliver = deliver
        self._count = count
        self._tries = 0
        self._lost = 0
        self._next: IDelayedCall | None = None
        self._under_way: Deferred[str] | None = None
        self._over = False

    def take(self, event: bytes) -> None:
        """Have an event delivered, in its turn."""
        self.waiting.append(event)
        if len(self.waiting) > MOST_WAITING:
            del self.waiting[1 if self._tries or self._under_way else 0]  # not the one that is on its way
            self._lose("too many wait")
        if self._under_way is None and self._next is None:
            self._next = self._clock.callLater(SOON, self._try)

    def end(self) -> None:
        """Deliver no more; what is under way is cancelled."""
        self._over = True
        if self._next:
            self._next.cancel()
            self._next = None
        if self._under_way:
            self._under_way.cancel()

    def _try(self) -> None:
        self._next = None
        self._tries += 1
        self._under_way = trying = maybeDeferred(self._deliver, self.waiting[0])
        trying.addErrback(_in_words)
        trying.addCallback(self._tried)

    def _tried(self, why: str) -> None:
        self._under_way = None
        if self._over:
            return
        if why and self._tries < TRIES:
            self._count("retried")
            self._next = self._clock.callLater(pause(self._tries), self._try)
            return
        self.waiting.popleft()
        self._tries = 0
        if why:
            self._lose(why)
        else:
            self._count("delivered")
            self._lost = 0
        if self.waiting:
            self._next = self._clock.callLater(0, self._try)

    def _lose(self, why: str) -> None:
        """Count one, and say so: the first of a row, and then each time that there are ten times as many."""
        self._count("lost")
        self._lost += 1
        if self._lost in (1, 10, 100, 1000) or self._lost % 10000 == 0:
            log.error("hook {name}: {why}; {lost} events lost", name=self._name, why=why, lost=self._lost)


def _in_words(failure: Failure) -> str:
    return failure.getErrorMessage() or type(failure.value).__name__
