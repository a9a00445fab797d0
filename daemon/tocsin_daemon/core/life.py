"""
The life of one resource on this node, from Pacemaker's `start` to its `stop`.

STOPPED is where a resource begins and where a successful `stop` leaves it: nothing of the service is left.
`start` opens a new *incarnation*, spawns the service (STARTING) and waits until it has proved itself
(RUNNING). When it ends on its own the service has FAILED: while RUNNING that is an *incident*,
which Pacemaker must be told of at once; while STARTING the failed `start` tells it. In FAILED, remains of the
service may still run (children that outlived their parent). Pacemaker recovers with `stop`, then `start`; a
`start` without a `stop` first CLEARs what is left, for two generations of one service must never overlap.

A service that lives may have failed all the same: its checks say so. That is an incident like a death, but one that
may pass. Where it does before Pacemaker has recovered the service (it is unmanaged, or in maintenance), the service is
RUNNING again and the report is withdrawn. A drill is a failure of what is well, for the administrator to see what
follows; only the recovery ends it.

Where the administrator grants a budget of local restarts, a failure inside it is not reported: the service is cleared
and started again here (RESTARTING, RETURNING). What fails then, or beyond the budget, is an incident like any other:
no `start` of Pacemaker waits that could tell it.

A service with roles is unpromoted when it is RUNNING. `promote` makes it PROMOTED by way of PROMOTING, `demote` RUNNING
again by way of DEMOTING. Whose role could not be changed has FAILED: nobody knows which one it has, and the action
tells Pacemaker. `demote` of what has failed ends it, for what does not work cannot be trusted to hand over: two
promoted ones are worse than none.

`stop` disarms any report before the service is touched: a failure that Pacemaker asked for is none, and a
report that arrives late would stop a healthy service somewhere else.

Who is answered when is decided in `answers`; whether and how an incident is reported, in `report`.
"""

from __future__ import annotations

from enum import Enum

from tocsin_daemon.core.machine import Table


class Phase(Enum):
    """Where a resource stands."""

    STOPPED = "stopped"
    CLEARING = "clearing"
    STARTING = "starting"
    RUNNING = "running"
    PROMOTING = "promoting"
    PROMOTED = "promoted"
    DEMOTING = "demoting"
    RESTARTING = "restarting"
    RETURNING = "returning"
    FAILED = "failed"
    STOPPING = "stopping"


UP = frozenset(Phase) - {Phase.STOPPED, Phase.FAILED, Phase.CLEARING, Phase.STOPPING}
"""Phases in which the service runs, or is about to, as the record defines it."""


class Event(Enum):
    """What can happen to a resource."""

    START = "start asked"
    STOP = "stop asked"
    PROMOTE = "promote asked"
    DEMOTE = "demote asked"
    SETTLED = "service is up"
    BROKEN = "service cannot be started"
    PROMOTED = "service is promoted"
    DEMOTED = "service is demoted"
    UNCHANGED = "its role cannot be changed"
    DIED = "service ended"
    JUDGED = "its checks have failed"
    DRILLED = "a drill is held"
    HEALED = "its checks pass again"
    SPARED = "it failed within the restart budget"
    CUT_SHORT = "local restart came to nothing"
    CLEARED = "nothing is left"


class Effect(Enum):
    """What the shell is to do."""

    BEGIN = "open an incarnation"
    SPAWN = "start the service"
    PROMOTE = "promote the service"
    DEMOTE = "demote the service"
    CLEAR = "end every process of it"
    DISARM = "withdraw the report"
    RELIEVE = "withdraw the report, for it is well again"
    RECOVERED = "close the incident"
    APPRAISE = "tell its promotion score"
    COMPARE = "compare on-fail of monitor and asyncmon"
    NOTE_FAILED_START = "keep the cause"
    NOTE_FAILED_CHANGE = "keep the cause, judge it no more"
    NOTE_INCIDENT = "keep the cause and last output"
    NOTE_RESTART = "count the restart"
    REPORT = "report to Pacemaker"
    GATHER = "keep its processes"


INCIDENT = (Effect.NOTE_INCIDENT, Effect.REPORT, Effect.GATHER)
"""The report goes out before the evidence is gathered: it takes longer, and the dead do not change."""

LIFE: Table[Phase, Event, Effect] = Table(
    {
        (Phase.STOPPED, Event.START): (Phase.STARTING, (Effect.BEGIN, Effect.SPAWN)),
        (Phase.STOPPED, Event.STOP): (Phase.STOPPED, ()),
        (Phase.STOPPED, Event.PROMOTE): (Phase.STOPPED, ()),
        (Phase.STOPPED, Event.DEMOTE): (Phase.STOPPED, ()),
        (Phase.STARTING, Event.START): (Phase.STARTING, ()),
        (Phase.STARTING, Event.STOP): (Phase.STOPPING, (Effect.CLEAR,)),
        (Phase.STARTING, Event.PROMOTE): (Phase.STARTING, ()),
        (Phase.STARTING, Event.DEMOTE): (Phase.STARTING, ()),
        (Phase.STARTING, Event.SETTLED): (Phase.RUNNING, (Effect.RECOVERED, Effect.APPRAISE, Effect.COMPARE)),
        (Phase.STARTING, Event.BROKEN): (Phase.FAILED, (Effect.NOTE_FAILED_START,)),
        (Phase.STARTING, Event.DIED): (Phase.FAILED, (Effect.NOTE_FAILED_START,)),
        (Phase.RUNNING, Event.START): (Phase.RUNNING, ()),
        (Phase.RUNNING, Event.STOP): (Phase.STOPPING, (Effect.DISARM, Effect.CLEAR)),
        (Phase.RUNNING, Event.PROMOTE): (Phase.PROMOTING, (Effect.PROMOTE,)),
        (Phase.RUNNING, Event.DEMOTE): (Phase.RUNNING, ()),
        (Phase.RUNNING, Event.DIED): (Phase.FAILED, INCIDENT),
        (Phase.RUNNING, Event.JUDGED): (Phase.FAILED, INCIDENT),
        (Phase.RUNNING, Event.DRILLED): (Phase.FAILED, INCIDENT),
        (Phase.RUNNING, Event.SPARED): (Phase.RESTARTING, (Effect.NOTE_RESTART, Effect.CLEAR)),
        # Asked again, the command is run again: the daemon that ran it has died.
        (Phase.PROMOTING, Event.PROMOTE): (Phase.PROMOTING, (Effect.PROMOTE,)),
        (Phase.PROMOTING, Event.DEMOTE): (Phase.DEMOTING, (Effect.DEMOTE,)),
        (Phase.PROMOTING, Event.START): (Phase.DEMOTING, (Effect.DEMOTE,)),
        (Phase.PROMOTING, Event.STOP): (Phase.STOPPING, (Effect.CLEAR,)),
        (Phase.PROMOTING, Event.PROMOTED): (Phase.PROMOTED, (Effect.APPRAISE,)),
        (Phase.PROMOTING, Event.UNCHANGED): (Phase.FAILED, (Effect.NOTE_FAILED_CHANGE,)),
        (Phase.PROMOTING, Event.DIED): (Phase.FAILED, (Effect.NOTE_FAILED_CHANGE,)),
        # What was started is unpromoted, says OCF 1.1.
        (Phase.PROMOTED, Event.START): (Phase.DEMOTING, (Effect.DEMOTE,)),
        (Phase.PROMOTED, Event.STOP): (Phase.STOPPING, (Effect.DISARM, Effect.CLEAR)),
        (Phase.PROMOTED, Event.PROMOTE): (Phase.PROMOTED, ()),
        (Phase.PROMOTED, Event.DEMOTE): (Phase.DEMOTING, (Effect.DEMOTE,)),
        (Phase.PROMOTED, Event.DIED): (Phase.FAILED, INCIDENT),
        (Phase.PROMOTED, Event.JUDGED): (Phase.FAILED, INCIDENT),
        (Phase.PROMOTED, Event.DRILLED): (Phase.FAILED, INCIDENT),
        (Phase.DEMOTING, Event.START): (Phase.DEMOTING, (Effect.DEMOTE,)),
        (Phase.DEMOTING, Event.STOP): (Phase.STOPPING, (Effect.CLEAR,)),
        (Phase.DEMOTING, Event.PROMOTE): (Phase.PROMOTING, (Effect.PROMOTE,)),
        (Phase.DEMOTING, Event.DEMOTE): (Phase.DEMOTING, (Effect.DEMOTE,)),
        (Phase.DEMOTING, Event.DEMOTED): (Phase.RUNNING, ()),
        (Phase.DEMOTING, Event.UNCHANGED): (Phase.FAILED, (Effect.NOTE_FAILED_CHANGE,)),
        (Phase.DEMOTING, Event.DIED): (Phase.FAILED, (Effect.NOTE_FAILED_CHANGE,)),
        (Phase.RESTARTING, Event.START): (Phase.RESTARTING, ()),
        (Phase.RESTARTING, Event.STOP): (Phase.STOPPING, (Effect.CLEAR,)),
        (Phase.RESTARTING, Event.PROMOTE): (Phase.RESTARTING, ()),
        (Phase.RESTARTING, Event.DEMOTE): (Phase.RESTARTING, ()),
        (Phase.RESTARTING, Event.CLEARED): (Phase.RETURNING, (Effect.BEGIN, Effect.SPAWN)),
        (Phase.RESTARTING, Event.DIED): (Phase.RESTARTING, ()),
        (Phase.RESTARTING, Event.CUT_SHORT): (Phase.FAILED, INCIDENT),
        (Phase.RETURNING, Event.START): (Phase.RETURNING, ()),
        (Phase.RETURNING, Event.STOP): (Phase.STOPPING, (Effect.CLEAR,)),
        (Phase.RETURNING, Event.PROMOTE): (Phase.RETURNING, ()),
        (Phase.RETURNING, Event.DEMOTE): (Phase.RETURNING, ()),
        (Phase.RETURNING, Event.SETTLED): (Phase.RUNNING, (Effect.APPRAISE,)),
        (Phase.RETURNING, Event.BROKEN): (Phase.FAILED, INCIDENT),
        (Phase.RETURNING, Event.DIED): (Phase.FAILED, INCIDENT),
        (Phase.RETURNING, Event.CUT_SHORT): (Phase.FAILED, INCIDENT),
        (Phase.RETURNING, Event.SPARED): (Phase.RESTARTING, (Effect.NOTE_RESTART, Effect.CLEAR)),
        (Phase.FAILED, Event.START): (Phase.CLEARING, (Effect.DISARM, Effect.CLEAR)),
        (Phase.FAILED, Event.STOP): (Phase.STOPPING, (Effect.DISARM, Effect.CLEAR)),
        (Phase.FAILED, Event.PROMOTE): (Phase.FAILED, ()),
        (Phase.FAILED, Event.DEMOTE): (Phase.STOPPING, (Effect.DISARM, Effect.CLEAR)),
        (Phase.FAILED, Event.DIED): (Phase.FAILED, (Effect.GATHER,)),
        # A restart here took its score back; one that was up by then gets it now.
        (Phase.FAILED, Event.HEALED): (Phase.RUNNING, (Effect.RELIEVE, Effect.RECOVERED, Effect.APPRAISE)),
        (Phase.FAILED, Event.PROMOTED): (Phase.PROMOTED, (Effect.RELIEVE, Effect.RECOVERED)),
        (Phase.CLEARING, Event.START): (Phase.CLEARING, ()),
        (Phase.CLEARING, Event.STOP): (Phase.STOPPING, (Effect.CLEAR,)),
        (Phase.CLEARING, Event.PROMOTE): (Phase.CLEARING, ()),
        (Phase.CLEARING, Event.DEMOTE): (Phase.CLEARING, ()),
        (Phase.CLEARING, Event.CLEARED): (Phase.STARTING, (Effect.BEGIN, Effect.SPAWN)),
        (Phase.CLEARING, Event.DIED): (Phase.CLEARING, ()),
        # Whoever asked for the stop is gone: Pacemaker runs one action of a resource at a time.
        (Phase.STOPPING, Event.START): (Phase.CLEARING, ()),
        (Phase.STOPPING, Event.STOP): (Phase.STOPPING, (Effect.CLEAR,)),
        (Phase.STOPPING, Event.PROMOTE): (Phase.STOPPING, ()),
        (Phase.STOPPING, Event.DEMOTE): (Phase.STOPPING, ()),
        (Phase.STOPPING, Event.DIED): (Phase.STOPPING, ()),
        (Phase.STOPPING, Event.CLEARED): (Phase.STOPPED, ()),
    }
)
