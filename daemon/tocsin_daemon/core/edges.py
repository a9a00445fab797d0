"""
What has happened between two records of a resource: the edges that metrics count, hooks are told of, and the log shows.

Nothing here decides anything for the resource itself: whoever follows it reads what the machines have decided.
"""

from __future__ import annotations

from enum import Enum

from tocsin_daemon.core.record import Incident, Record
from tocsin_daemon.core.report import Stage


class Edge(Enum):
    """What can have happened."""

    LINE = "one more line in the journal"
    PHASE = "another phase"
    INCIDENT = "an incident"
    STAGE = "its report has moved on"
    OUTCOME = "its report has an outcome, or is held"
    REPORTED = "Pacemaker has been given the failure"
    RECOVERY = "the service is up again"
    RESTART = "it is restarted here, and nobody is told"


OUTCOMES = frozenset(Stage) - {Stage.NONE, Stage.CHECKING, Stage.SENDING, Stage.VERIFYING, Stage.WAITING}
"""Stages that an operator wants to hear of."""


def edges(before: Record, after: Record) -> tuple[Edge, ...]:
    """Return what has happened since `before`, in the order of the enumeration."""
    then, now = _same_incident(before, after), after.incident
    line = after.journal is not before.journal and bool(after.journal)
    # A report that is held is looked at again every few seconds, without a line where nothing has changed.
    moved = line and now is not None and now.stage is not (then.stage if then else Stage.NONE)
    found = {
        Edge.LINE: line,
        Edge.PHASE: after.phase is not before.phase,
        Edge.INCIDENT: after.incidents > before.incidents,
        Edge.STAGE: moved,
        Edge.OUTCOME: moved and now is not None and now.stage in OUTCOMES,
        Edge.REPORTED: _reached("reported", then, now),
        Edge.RECOVERY: _reached("recovered", then, now),
        Edge.RESTART: bool(after.restarts) and after.restarts[-1:] != before.restarts[-1:],
    }
    return tuple(edge for edge, happened in found.items() if happened)


def _same_incident(before: Record, after: Record) -> Incident | None:
    """Return the last incident as it was before; None where it is a new one."""
    return before.incident if before.incidents == after.incidents else None


def _reached(mark: str, then: Incident | None, now: Incident | None) -> bool:
    return now is not None and mark in now.marks and (then is None or mark not in then.marks)


def elapsed(incident: Incident, mark: str) -> float:
    """Return the seconds from the detection of an incident to a mark of it; never less than none, if a clock is set."""
    return max(0.0, incident.marks[mark] - incident.marks.get("detected", incident.marks[mark]))
