"""
The process table, read once for all services that look at about the same time.

Reading it takes a tenth of a second on a machine with some thousand processes; a hundred services that are stopped
together would keep the daemon busy for minutes, each with a look of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin_ocf import processes
from tocsin_ocf.processes import Process

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime


class ProcessTable:
    """Snapshots of the process table, shared while they are young enough for whoever asks."""

    def __init__(self, clock: IReactorTime) -> None:
        """Tell their age by this clock."""
        self._clock = clock
        self._begun = float("-inf")
        self._snapshot: list[Process] = []

    def since(self, moment: float) -> list[Process]:
        """Return a snapshot that was begun at `moment` or later: what had ended before that is not in it."""
        if self._begun < moment or self._begun > self._clock.seconds():
            self._begun = self._clock.seconds()
            self._snapshot = processes.snapshot()
        return list(self._snapshot)
