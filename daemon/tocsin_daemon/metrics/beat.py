"""The beat of the event loop: by how much it comes too late is what a death may have to wait before it is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

EVERY = 0.5


class Beat:
    """Tells by how many seconds each beat was late."""

    def __init__(self, clock: IReactorTime, late: Callable[[float], None]) -> None:
        """Begin to beat."""
        self._clock = clock
        self._late = late
        self._next()

    def _next(self) -> None:
        self._due = self._clock.seconds() + EVERY
        self._clock.callLater(EVERY, self._beat)

    def _beat(self) -> None:
        self._late(self._clock.seconds() - self._due)
        self._next()
