"""
The report of one incident to Pacemaker: exactly one, never for the wrong incarnation, never too late.

`crm_resource --fail` is blind: it does not look where the resource runs, and a stale one stops the healthy
copy elsewhere. So the cluster is looked at (CHECKING) immediately before each injection (SENDING), and since
its exit status 0 only means that the controller answered, the failure is looked for afterwards (VERIFYING).

Where the cluster cannot be asked, or the injection did not take, it is tried again with back-off (WAITING).
Where the answer is "not now" (maintenance, unmanaged, ...) the report is HELD and the cluster looked at again
later. Where it is "not at all" (the resource is active on another node only) it is DROPPED.

A monitor that waits at the daemon (held) carries a failure at once, with its true code and reason, and Pacemaker
counts it once: an incident goes that way when there is one (TOLD), and by injection otherwise.

Four things end a report that is under way. Pacemaker asks for a stop or a new start: it is withdrawn, or, if
it had been sent, this is Pacemaker's acknowledgement. A recurring monitor returned the failure first: Pacemaker
knows, and a second count for one fault would be false (LEARNED). Or the service is well again before anybody was told
(HEALED): it is withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tocsin_daemon.core.machine import Table


class Stage(Enum):
    """Where a report stands; the last six are final."""

    NONE = "none"
    CHECKING = "checking"
    SENDING = "sending"
    VERIFYING = "verifying"
    WAITING = "waiting"
    HELD = "held"
    ACKNOWLEDGED = "acknowledged"
    LEARNED = "learned from a monitor"
    TOLD = "told by the held monitor"
    DROPPED = "dropped"
    WITHDRAWN = "withdrawn"
    DRY = "dry run"


class News(Enum):
    """What can happen to a report."""

    INCIDENT = "incident"
    HEARD = "incident, and a monitor waits for it"
    GO = "cluster agrees"
    HOLD = "not now"
    DROP = "not at all"
    UNKNOWN = "cluster cannot be asked"
    TAKEN = "crm_resource succeeded"
    REFUSED = "crm_resource failed"
    REHEARSED = "dry run"
    SEEN = "failure is recorded"
    UNSEEN = "failure is not recorded"
    DUE = "time to look again"
    MONITOR = "an action returned the failure"
    WITHDRAW = "stop or start asked"
    HEALED = "well again"
    RESUMED = "the daemon was restarted"


@dataclass(frozen=True)
class Verdict:
    """Whether a report may be sent: GO, HOLD, DROP or UNKNOWN, and why in words."""

    news: News
    why: str = ""


class Act(Enum):
    """What the shell is to do."""

    CHECK = "look at the cluster"
    SEND = "run crm_resource --fail"
    VERIFY = "look for the failure"
    BACK_OFF = "wait with back-off"
    WAIT = "wait a fixed time"
    CANCEL = "cancel what is under way"


FINAL = frozenset(
    {Stage.NONE, Stage.ACKNOWLEDGED, Stage.LEARNED, Stage.TOLD, Stage.DROPPED, Stage.WITHDRAWN, Stage.DRY}
)

REPORT: Table[Stage, News, Act] = Table(
    {
        **{(stage, News.INCIDENT): (Stage.CHECKING, (Act.CHECK,)) for stage in Stage if stage in FINAL},
        **{(stage, News.HEARD): (Stage.TOLD, ()) for stage in Stage if stage in FINAL},
        **{(stage, News.MONITOR): (stage, ()) for stage in Stage if stage in FINAL},
        **{(stage, News.WITHDRAW): (stage, ()) for stage in Stage if stage in FINAL},
        **{(stage, News.HEALED): (stage, ()) for stage in Stage if stage in FINAL},
        **{(stage, News.RESUMED): (stage, ()) for stage in Stage if stage in FINAL},
        (Stage.CHECKING, News.GO): (Stage.SENDING, (Act.SEND,)),
        (Stage.CHECKING, News.HOLD): (Stage.HELD, (Act.WAIT,)),
        # An earlier injection of this incident did arrive, only late, or without crm_resource learning of it.
        (Stage.CHECKING, News.SEEN): (Stage.ACKNOWLEDGED, ()),
        (Stage.CHECKING, News.DROP): (Stage.DROPPED, ()),
        (Stage.CHECKING, News.UNKNOWN): (Stage.WAITING, (Act.BACK_OFF,)),
        (Stage.CHECKING, News.MONITOR): (Stage.LEARNED, (Act.CANCEL,)),
        (Stage.CHECKING, News.WITHDRAW): (Stage.WITHDRAWN, (Act.CANCEL,)),
        (Stage.CHECKING, News.HEALED): (Stage.WITHDRAWN, (Act.CANCEL,)),
        (Stage.CHECKING, News.RESUMED): (Stage.CHECKING, (Act.CHECK,)),
        (Stage.SENDING, News.TAKEN): (Stage.VERIFYING, (Act.VERIFY,)),
        (Stage.SENDING, News.REFUSED): (Stage.WAITING, (Act.BACK_OFF,)),
        (Stage.SENDING, News.REHEARSED): (Stage.DRY, ()),
        # What has not arrived yet must not: Pacemaker knows, and a late injection would fail the next incarnation.
        (Stage.SENDING, News.MONITOR): (Stage.LEARNED, (Act.CANCEL,)),
        # The stop is as a rule what our own injection led to while crm_resource still waits for its answer.
        (Stage.SENDING, News.WITHDRAW): (Stage.ACKNOWLEDGED, (Act.CANCEL,)),
        (Stage.SENDING, News.HEALED): (Stage.WITHDRAWN, (Act.CANCEL,)),
        # Whether it went out before the daemon died is not known: look, before it is sent a second time.
        (Stage.SENDING, News.RESUMED): (Stage.VERIFYING, (Act.VERIFY,)),
        (Stage.VERIFYING, News.SEEN): (Stage.ACKNOWLEDGED, ()),
        (Stage.VERIFYING, News.UNSEEN): (Stage.WAITING, (Act.BACK_OFF,)),
        (Stage.VERIFYING, News.MONITOR): (Stage.ACKNOWLEDGED, (Act.CANCEL,)),
        (Stage.VERIFYING, News.WITHDRAW): (Stage.ACKNOWLEDGED, (Act.CANCEL,)),
        (Stage.VERIFYING, News.HEALED): (Stage.ACKNOWLEDGED, (Act.CANCEL,)),
        (Stage.VERIFYING, News.RESUMED): (Stage.VERIFYING, (Act.VERIFY,)),
        (Stage.WAITING, News.DUE): (Stage.CHECKING, (Act.CHECK,)),
        (Stage.WAITING, News.MONITOR): (Stage.LEARNED, (Act.CANCEL,)),
        (Stage.WAITING, News.WITHDRAW): (Stage.WITHDRAWN, (Act.CANCEL,)),
        (Stage.WAITING, News.HEALED): (Stage.WITHDRAWN, (Act.CANCEL,)),
        (Stage.WAITING, News.RESUMED): (Stage.CHECKING, (Act.CHECK,)),
        (Stage.HELD, News.DUE): (Stage.CHECKING, (Act.CHECK,)),
        (Stage.HELD, News.MONITOR): (Stage.LEARNED, (Act.CANCEL,)),
        (Stage.HELD, News.WITHDRAW): (Stage.WITHDRAWN, (Act.CANCEL,)),
        (Stage.HELD, News.HEALED): (Stage.WITHDRAWN, (Act.CANCEL,)),
        (Stage.HELD, News.RESUMED): (Stage.CHECKING, (Act.CHECK,)),
    }
)

FIRST_RETRY = 0.5
LONGEST_RETRY = 30.0
HELD_RECHECK = 5.0
"""Seconds between two looks at a cluster that said "not now"."""


def back_off(attempt: int) -> float:
    """Return the seconds to wait after the given failed attempt (1, 2, ...): doubled each time, with a ceiling."""
    return min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** (min(attempt, 10) - 1))
