"""
How a service is ended: asked first, then killed, early enough that the `stop` operation can still say so.

The main process alone gets the stop signal, for it knows best how to end its children. What it leaves behind
is terminated, and killed when the time is over. Only a look that finds nothing ends a stop.
"""

from __future__ import annotations

from dataclasses import dataclass

KILL_SHARE = 2 / 3
"""Default part of the operation's time after which the kernel is asked instead of the service."""
LAST_SHARE = 0.9
"""However long stop_timeout is, KILL must come while there is time to see whether it worked."""
FIRST_LOOK = 0.01
LONGEST_LOOK = 0.25


@dataclass(frozen=True)
class Plan:
    """Seconds after which what is left is killed."""

    kill_after: float


def plan(operation: float, stop_timeout: float | None) -> Plan:
    """Return when to kill, from the operation's time and the definition's `stop_timeout`, both in seconds."""
    wanted = operation * KILL_SHARE if stop_timeout is None else stop_timeout
    return Plan(kill_after=min(wanted, operation * LAST_SHARE))


def pause(look: int) -> float:
    """Return the seconds before the next look (0, 1, ...) for what is left: soon at first, then calmly."""
    return min(LONGEST_LOOK, FIRST_LOOK * 1.5 ** min(look, 20))
