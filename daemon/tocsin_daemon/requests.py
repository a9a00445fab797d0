"""Requests that wait for their answer: asked again whenever something has changed, and given up in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from tocsin_daemon.core.answers import Answer

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime


@dataclass(eq=False)
class Waiting:
    """One request: how to answer it now (None: not yet), what to say when its time is over, and whom."""

    answer: Callable[[], Answer | None]
    too_late: Callable[[], Answer | None]
    done: Deferred[Any]
    held: bool
    late: IDelayedCall | None = None


class Requests:
    """The requests that wait for one resource."""

    def __init__(self, clock: IReactorTime) -> None:
        """Give up by this clock."""
        self._clock = clock
        self._waiting: list[Waiting] = []

    @property
    def held(self) -> bool:
        """Tell whether a monitor waits here for something to happen."""
        return any(waiting.held for waiting in self._waiting)

    def wait(
        self,
        seconds: float,
        answer: Callable[[], Answer | None],
        too_late: Callable[[], Answer | None],
        *,
        held: bool = False,
    ) -> Deferred[Any]:
        """Return a Deferred for the answer, now or as soon as there is one; cancel it when nobody waits any more."""
        waiting = Waiting(answer, too_late, Deferred(lambda _: self._forget(waiting)), held)
        self._waiting.append(waiting)
        waiting.late = self._clock.callLater(seconds, self._give_up, waiting)
        self.answer()
        return waiting.done

    def answer(self) -> None:
        """Answer every request that can be answered now."""
        for waiting in tuple(self._waiting):
            answer = waiting.answer()
            if answer is not None and waiting in self._waiting:
                self._forget(waiting)
                waiting.done.callback(answer)

    def _give_up(self, waiting: Waiting) -> None:
        self._forget(waiting)
        waiting.done.callback(waiting.too_late())

    def _forget(self, waiting: Waiting) -> None:
        self._waiting.remove(waiting)
        if waiting.late and waiting.late.active():
            waiting.late.cancel()
