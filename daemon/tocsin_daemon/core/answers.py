"""
What a request is answered, and when: a function of the resource's record, so that it takes no time.

None means: not yet. A `start` waits until the service is up or has failed, a `stop` until nothing of it is
left, and a monitor that comes in between until it is settled which of the two it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import PROMOTED, Record
from tocsin_ocf.exit_codes import (
    OCF_DEGRADED,
    OCF_DEGRADED_PROMOTED,
    OCF_ERR_GENERIC,
    OCF_FAILED_PROMOTED,
    OCF_NOT_RUNNING,
    OCF_RUNNING_PROMOTED,
    OCF_SUCCESS,
)


@dataclass(frozen=True)
class Answer:
    """An OCF exit code, and the exit reason that goes with it."""

    code: int
    text: str = ""


DONE = Answer(OCF_SUCCESS)
WELL = {Phase.RUNNING: OCF_SUCCESS, Phase.PROMOTED: OCF_RUNNING_PROMOTED}
"""Phases in which the service is up, and what a monitor says of them."""
DEGRADED = {Phase.RUNNING: OCF_DEGRADED, Phase.PROMOTED: OCF_DEGRADED_PROMOTED}
CHANGING = frozenset({Phase.PROMOTING, Phase.DEMOTING})
UNSETTLED = CHANGING | {Phase.STARTING, Phase.CLEARING, Phase.STOPPING, Phase.RESTARTING, Phase.RETURNING}


def to_start(record: Record) -> Answer | None:
    """Answer `start`: 0 when the service is up, unpromoted, else why not."""
    if record.phase is Phase.RUNNING:
        return DONE
    if record.phase is Phase.FAILED and record.failure:
        return Answer(record.failure.code, record.failure.text)
    if record.phase in (Phase.STOPPING, Phase.STOPPED):
        return Answer(OCF_ERR_GENERIC, f"{record.resource} was asked to stop while it was to start")
    return None


def to_stop(record: Record) -> Answer | None:
    """Answer `stop`: 0 when nothing is left. What the service's end looked like does not matter."""
    if record.phase is Phase.STOPPING:
        return None
    if record.phase is Phase.STOPPED:
        return DONE
    return Answer(OCF_ERR_GENERIC, f"{record.resource} was asked to start while it was to stop")


def to_promote(record: Record) -> Answer | None:
    """Answer `promote`: 0 when the service is promoted. What does not run, or not yet, cannot be."""
    if record.phase is Phase.PROMOTED:
        return DONE
    if record.phase is Phase.PROMOTING:
        return None
    if record.phase is Phase.FAILED and record.failure:
        return Answer(OCF_ERR_GENERIC, record.failure.text)
    if record.phase is Phase.STOPPED:
        return Answer(OCF_NOT_RUNNING, f"{record.resource} is stopped, and cannot be promoted")
    return Answer(OCF_ERR_GENERIC, f"{record.resource} is {record.phase.value}, and cannot be promoted")


def to_demote(record: Record) -> Answer | None:
    """Answer `demote`: 0 when the service is not promoted, if only because it does not run any more."""
    if record.phase in (Phase.DEMOTING, Phase.STOPPING):
        return None
    if record.phase is Phase.FAILED and record.failure:
        return Answer(OCF_ERR_GENERIC, record.failure.text)
    if record.phase in (Phase.PROMOTING, Phase.PROMOTED):
        return Answer(OCF_ERR_GENERIC, f"{record.resource} was asked to promote while it was to demote")
    return DONE


def to_monitor(record: Record, left: list[str]) -> Answer | None:
    """
    Answer `monitor`; `left` names the processes that are left of a failed service.

    190 or 191 where it runs, but not quite well: Pacemaker shows it, and leaves it alone.
    7 where nothing runs: Pacemaker then starts anew. With remains it must be an error, or a probe that answers
    "not running" would let the service be started elsewhere beside them.
    """
    if record.phase in WELL:
        return Answer(DEGRADED[record.phase], record.degraded) if record.degraded else Answer(WELL[record.phase])
    if record.phase in UNSETTLED:
        return None
    if record.phase is Phase.STOPPED:
        return Answer(OCF_NOT_RUNNING)
    cause = record.failure.text if record.failure else "failed"
    cause = f"{cause}; {record.warning}" if record.warning else cause
    failed = OCF_FAILED_PROMOTED if record.role == PROMOTED else OCF_ERR_GENERIC
    if left:
        return Answer(failed, f"{cause}; still running: {', '.join(left)}")
    lives = record.failure is not None and record.failure.lives  # it may have no process: a mount, something far away
    return Answer(failed if lives else OCF_NOT_RUNNING, cause)


def too_late(verb: str, record: Record, seconds: float, left: list[str], checks: str = "") -> Answer:
    """Answer a request whose time is over, with what it still waits for: processes that are `left`, or `checks`."""
    what = f"{verb}: still {record.phase.value} after {seconds:.0f} s"
    waits = f"left: {', '.join(left)}" if left else checks
    return Answer(OCF_ERR_GENERIC, f"{what}; {waits}" if waits else what)
