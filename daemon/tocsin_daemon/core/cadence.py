"""
When the looks of a check begin: at fixed times of its own, apart from those of others, never two at once.

The times are a grid: an overdue look is skipped, not made up for. While a start waits for the check to pass, looks come
quicker, at first after milliseconds, so that the start is told soon.
"""

from __future__ import annotations

from math import floor
from zlib import crc32

SOONEST = 0.05
GROWTH = 1.15
"""A start is told of what it waited for this much later than it could, at most: a seventh of its time."""


def spread(name: str) -> float:
    """Return a fraction of an interval, the same for the same name on every node and in every life of the daemon."""
    return crc32(name.encode(errors="surrogateescape")) / 2**32


def next_on_grid(now: float, origin: float, interval: float) -> float:
    """Return the seconds until the first time of the grid that is still to come."""
    passed = floor((now - origin) / interval)
    pause = origin + (passed + 1) * interval - now
    return pause if pause > 0 else interval  # what floating point has rounded away


def while_waited_for(looks: int, interval: float) -> float:
    """Return the seconds before the next look, when so many have not passed yet."""
    return min(interval, SOONEST * GROWTH ** min(looks, 50))
