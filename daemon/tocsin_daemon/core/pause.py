"""
A pause: the administrator's word that failures of a resource are not to be reported for a while.

It has a reason, an author and an end, for a silence that nobody ends hides the next failure. It holds back what the
daemon tells by itself; what a monitor is answered stays the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin_daemon.core.report import News, Verdict

LONGEST = 30 * 86400.0
"""Seconds that a pause may last: what is to be longer is a change of the cluster's configuration."""


@dataclass(frozen=True)
class Pause:
    """Why, by whom, and from when until when, in wall-clock seconds."""

    reason: str
    by: str
    since: float
    until: float

    def holds(self, now: float) -> bool:
        """Tell whether it is not over yet."""
        return now < self.until

    def __str__(self) -> str:
        """Return who paused it, and why."""
        return f"paused by {self.by}: {self.reason}"


def held_back(pause: Pause | None, now: float) -> Verdict | None:
    """Return that a report waits for the end of a pause, None where there is none."""
    return Verdict(News.HOLD, str(pause)) if pause and pause.holds(now) else None
