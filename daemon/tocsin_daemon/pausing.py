"""
The pause of one resource's reports: begun and ended by the administrator, and ended by itself when its time is over.

It stands in the record, so the next daemon knows of it, and in the node attribute `tocsin-paused-RESOURCE`, so that
`crm_mon -A` shows on every node why nobody is told.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from twisted.logger import Logger

from tocsin_daemon.attribute import Attribute
from tocsin_daemon.core.pause import Pause

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from tocsin_daemon.core.record import Record
    from tocsin_daemon.reporter import ClusterTools, Reporter

log = Logger()

LOOK_EVERY = 60.0
"""Seconds at most until the clock on the wall is looked at again, by which a pause ends, and which may be set."""


class Subject(Protocol):
    """The resource that is paused."""

    record: Record
    reporter: Reporter

    def change(self, record: Record, text: str = "") -> None:
        """Replace the record, on disk too, with one more line in its journal."""

    def changed(self) -> None:
        """Answer whom a change concerns."""

    def now(self) -> float:
        """Return the wall clock."""


class Pausing:
    """The pause of one resource."""

    def __init__(self, subject: Subject, clock: IReactorTime, cluster: ClusterTools) -> None:
        """Go by what is on record."""
        self._subject = subject
        self._clock = clock
        self._attribute = Attribute(f"tocsin-paused-{subject.record.resource}", cluster)
        self._timer: IDelayedCall | None = None

    @property
    def holds(self) -> bool:
        """Tell whether failures are not reported now."""
        pause = self._subject.record.pause
        return pause is not None and pause.holds(self._subject.now())

    def begin(self, seconds: float, reason: str, by: str) -> Pause:
        """Report nothing for so long; another pause than this one is over."""
        now = self._subject.now()
        pause = Pause(reason, by, now, now + seconds)
        self._note(pause, f"paused until {_time(pause.until)} by {by}: {reason}")
        self.go_on()
        return pause

    def go_on(self) -> None:
        """Show the pause and wait for its end, also where a former daemon began it."""
        self._attribute.assume(self._subject.record.node)
        self._look()

    def end(self, said: str) -> None:
        """Report again, first of all what was held back."""
        if self._timer and self._timer.active():
            self._timer.cancel()
        self._note(None, said)
        self._attribute.remove()
        self._subject.changed()  # a monitor that waits tells it first
        self._subject.reporter.look_again()

    def _look(self) -> None:
        """End the pause when its time is over, or look again."""
        if self._timer and self._timer.active():
            self._timer.cancel()
        pause = self._subject.record.pause
        if pause is None:
            return
        rest = pause.until - self._subject.now()
        if rest <= 0:
            self.end("the pause is over")
        else:
            self._show(pause)
            self._timer = self._clock.callLater(min(rest, LOOK_EVERY), self._look)

    def _show(self, pause: Pause) -> None:
        """Set the attribute, again and again: a restart of Pacemaker loses it, and unchanged it costs nothing."""
        node = self._subject.record.node
        if node:
            self._attribute.put(node, f"until {_time(pause.until)} by {pause.by}: {pause.reason}")

    def _note(self, pause: Pause | None, said: str) -> None:
        record = self._subject.record
        log.warn("{resource}: {said}", resource=record.resource, said=said)
        self._subject.change(replace(record, pause=pause), said)


def _time(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
