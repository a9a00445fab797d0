"""
How long a monitor may wait at the daemon for something to happen.

Pacemaker counts the first monitor after a start, promote, demote or reload as part of its transition, and waits for
it; a probe it waits for too. Only those that follow may be held, and none so long that Pacemaker loses patience.
"""

from __future__ import annotations

SHARE = 0.75
"""Part of the operation's time that may be spent waiting; a late answer is a failure."""


def hold(wanted: float, operation: float, *, recurring: bool, settled: bool) -> float:
    """
    Return the seconds that a monitor may be held, 0 for: answer at once.

    `wanted` and `operation` are seconds; `settled` tells whether a recurring monitor of this incarnation has been
    answered, and nothing has happened since that makes Pacemaker wait for the next one.
    """
    return min(wanted, operation * SHARE) if recurring and settled else 0.0
