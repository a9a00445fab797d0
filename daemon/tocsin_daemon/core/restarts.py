"""The budget of local restarts: how many deaths within which time are nobody's business but ours."""

from __future__ import annotations


def allowed(past: tuple[float, ...], now: float, attempts: int, window: float) -> bool:
    """
    Tell whether one more restart fits: fewer than `attempts` lie within the last `window` seconds.

    A restart dated later than now comes from before the clock was set back; it counts, for the budget must not
    grow by that.
    """
    return len(recent(past, now, window)) < attempts


def recent(past: tuple[float, ...], now: float, window: float) -> tuple[float, ...]:
    """Return the restarts that still count; the others are forgotten."""
    return tuple(at for at in past if at > now - window)
