"""
How a check looks at a host: at its address, or, if it is a name, at its addresses, until one is well.

An address that does not answer must not use up the whole time that a look has: the next one is looked at beside it
(as in RFC 8305, "Happy Eyeballs").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred

from tocsin_daemon.checks.outside import UnknownName
from tocsin_daemon.core.check import Outcome, Result
from tocsin_daemon.names import family_of

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

LookAt = Callable[[str], "Deferred[Outcome]"]

NEXT_AFTER = 0.25
"""Seconds without an answer after which the next address is looked at as well: RFC 8305, section 5."""


def look_at(
    host: str, addresses: Callable[[str], Deferred[list[str]]], look: LookAt, clock: IReactorTime
) -> Deferred[Outcome]:
    """Look at a host; a name that is not known is no failure of the service."""
    if family_of(host):
        return look(host)
    return addresses(host).addCallbacks(lambda found: _Race(found, look, clock).done, _no_name)


class _Race:
    """
    Looks at several addresses; `done` fires with the first that is well, or with the last that was not.

    An address that could not be looked at says nothing where another one could: many hosts have no way to IPv6.
    """

    def __init__(self, addresses: list[str], look: LookAt, clock: IReactorTime) -> None:
        """Begin with the first."""
        self.done: Deferred[Outcome] = Deferred(lambda _: self._stop())
        self._left = list(addresses)
        self._look = look
        self._clock = clock
        self._looks: list[Deferred[Any]] = []
        self._next: IDelayedCall | None = None
        self._worst: Outcome | None = None
        self._begin()

    def _begin(self) -> None:
        self._wait_no_more()
        if not self._left:
            return
        look = self._look(self._left.pop(0))
        if self._left:
            self._next = self._clock.callLater(NEXT_AFTER, self._begin)
        self._looks.append(look)
        look.addCallbacks(self._seen, self._cancelled, (look,))

    def _seen(self, outcome: Outcome, look: Deferred[Any]) -> None:
        self._looks.remove(look)
        if outcome.result is not Result.ERROR or self._worst is None:
            self._worst = outcome
        if outcome.result is Result.WELL or not (self._left or self._looks):
            self._stop()
            if not self.done.called:
                self.done.callback(self._worst)
        else:
            self._begin()

    def _cancelled(self, failure: Failure) -> None:
        failure.trap(CancelledError)

    def _stop(self) -> None:
        self._wait_no_more()
        looks, self._looks, self._left = self._looks, [], []
        for look in looks:
            look.cancel()

    def _wait_no_more(self) -> None:
        if self._next and self._next.active():
            self._next.cancel()


def _no_name(failure: Failure) -> Outcome:
    failure.trap(UnknownName)
    return Outcome(Result.ERROR, failure.getErrorMessage())
