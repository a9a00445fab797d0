"""
How long a look may take when the machine is short of time: lost time does not count against the service.

Time is *lost* while we were not running (the loop came late) or while others waited for a processor or for memory
(pressure) or another virtual machine had ours (stolen). Where all are felt at once it is the same time, lost once.
A deadline moves by what was lost since the look began, and then by what is lost meanwhile, but never beyond MOST times
what was asked for: on a machine that is always overloaded, a service that hangs must still be found.

Sooner, where the kernel tells what the service's own processes wait for (the pressure of its cgroup). One that hangs
waits for nothing that a machine could give, however hard others press: after one extension in which it did not, its
time is over.
"""

from __future__ import annotations

MOST = 10.0
"""How many times its timeout a look may take at most."""
NEAR = 0.01
"""Share of a timeout that is not worth another extension."""
WORTH_SAYING = 1.1
IDLE = 0.1
"""Share of a time that a service may wait for the machine and still be held responsible for what it did in it."""
LATE = 0.01
"""Seconds that a loop may come late without having lost time: others have work to do."""


def lost(late: float, pressed: float, stolen: float) -> float:
    """Return the seconds that were lost, from how late the loop came and what the kernel counted meanwhile."""
    return max(late if late > LATE else 0.0, pressed + stolen, 0.0)


def is_idle(waited: float, seconds: float) -> bool:
    """Tell whether a service that has `waited` so long, of so many seconds, for the machine is not starved."""
    return waited < seconds * IDLE


def left(timeout: float, elapsed: float, lost_meanwhile: float, late: float = 0.0) -> float:
    """
    Return the seconds that a look has left, 0 where its time is over.

    No more can have been lost than has elapsed, whatever was counted: the same time may be felt in several ways.
    `late` is how late its deadlines came: that time was nobody's, and MOST does not bound it. We were stopped, perhaps
    with the whole machine, and its answer may be there, not read yet.
    """
    allowed = min(timeout + min(lost_meanwhile, elapsed), timeout * MOST + late)
    more = allowed - elapsed
    return more if more > timeout * NEAR else 0.0


def no_answer(timeout: float, elapsed: float) -> str:
    """Say that a look has got no answer in its time."""
    said = f"no answer within {_seconds(timeout)}"
    if elapsed > timeout * WORTH_SAYING:
        said += f" (stretched to {_seconds(elapsed)}: the machine is starved)"
    return said


def _seconds(seconds: float) -> str:
    return f"{round(seconds * 1000)} ms" if seconds < 1 else f"{seconds:.3g} s"
