"""What `tocsin status` and `tocsin explain` show: the record as plain JSON values, made in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tocsin_daemon.core.answers import WELL
from tocsin_daemon.core.journal import Line
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import MARKS, PROMOTED, Incident, Record
from tocsin_daemon.core.reload import compare

if TYPE_CHECKING:
    from tocsin_daemon.watch import Row

STARTED = frozenset({Phase.RUNNING, Phase.FAILED, Phase.PROMOTING})
"""Phases in which it is started, and not promoted, unless it was before it failed."""


def role(record: Record) -> str:
    """Return the role as Pacemaker spells it; what is on its way up or down is stopped for all who ask."""
    if record.phase in (Phase.PROMOTED, Phase.DEMOTING) or (record.phase is Phase.FAILED and record.role == PROMOTED):
        return "Promoted"
    definition = record.definition or {}
    started = "Unpromoted" if definition.get("promote_command") or definition.get("promote_signal") else "Started"
    return started if record.phase in STARTED else "Stopped"


class NoSuchIncident(Exception):
    """The number of an incident that is not kept; the text says which are."""


def as_json(
    record: Record,
    now: float,
    checks: Sequence[Row] = (),
    clock: float = 0.0,
    says: str = "",
    score: int | None = None,
) -> dict[str, Any]:
    """
    Return one resource's row of `status --json`; times are seconds since the epoch, `uptime` seconds.

    `waiting` are the keys of a changed definition that wait for a restart. `clock` is what the clock of the checks,
    which is another, says `now`, and `says` what the service says of itself (STATUS= of sd_notify(3)). `score` is the
    promotion score that Pacemaker was told last.
    """
    up = record.phase in WELL
    incident = record.incident
    return {
        "resource": record.resource,
        "node": record.node,
        "phase": record.phase.value,
        "role": role(record),
        "pid": record.main.pid if record.main and (up or checks) else None,  # checks look at what lives
        "since": record.since,
        "uptime": round(max(0.0, now - record.since), 3) if up else None,
        "incarnation": record.incarnation,
        "failure": record.failure.text if record.failure and not up else None,
        "restarts": len(record.restarts),
        "last_restart": record.restarts[-1] if record.restarts else None,
        "score": score,
        "paused": asdict(record.pause) if record.pause and record.pause.holds(now) else None,
        "warning": record.warning,
        "degraded": record.degraded,
        "refused": record.refused,
        "waiting": list(compare(record.definition or {}, record.next).waiting) if record.next else [],
        "says": says,
        "checks": [_check_json(check, now - clock) for check in checks],
        "incidents": record.incidents,
        "last_incident": incident_json(incident) if incident else None,  # without its evidence: `explain` shows that
        "report_pending": bool(incident and incident.pending),
    }


def _check_json(check: Row, epoch: float) -> dict[str, Any]:
    """Return a check; one that has not been judged yet is so since no time."""
    return {**asdict(check), "since": epoch + check.since if check.since else None, "took": round(check.took, 6)}


def incident_json(incident: Incident) -> dict[str, Any]:
    """Return an incident: its cause, when each step of it was reached, and its evidence."""
    return {
        "incarnation": incident.incarnation,
        "drill": incident.drill,
        "cause": incident.cause,
        "report": incident.stage.value,
        "why": incident.why,
        "pending": incident.pending,
        "attempts": incident.attempts,
        "injections": incident.injections,
        "times": {name: incident.marks[name] for name in MARKS if name in incident.marks},
    }


def timeline_json(record: Record, number: int | None = None) -> dict[str, Any]:
    """
    Return all that `explain` tells: incident `number`, or the last one, and the journal around it; NoSuchIncident.

    `until` is when the next incident began, and `earlier` are those before the last that are still known.
    """
    known, last = numbered(record), record.incidents
    number = last if number is None else number
    incident = record.incident if number == last else known.get(number)
    if incident is None and number != last:
        raise NoSuchIncident(f"{record.resource} has no incident {number} any more: {_kept(list(known))}")
    following = known.get(number + 1)
    failure = record.failure if record.phase not in WELL else None
    return {
        "resource": record.resource,
        "node": record.node,
        "phase": record.phase.value,
        "since": record.since,
        "failure": failure.text if failure else None,
        "failure_output": list(failure.output) if failure else [],
        "paused": asdict(record.pause) if record.pause else None,
        "incidents": record.incidents,
        "number": number,
        "incident": incident_json(incident) if incident else None,
        "until": following.marks.get("detected") if following else None,
        "earlier": [{"number": at, **incident_json(each)} for at, each in known.items() if at != record.incidents],
        "output": list(incident.output) if incident else [],
        "processes": list(incident.processes) if incident else [],
        "journal": [[entry.at, entry.text] for entry in record.journal],
    }


OLDER_ROW: dict[str, Any] = {"score": None, "paused": None, "last_restart": None}
OLDER_TIMELINE: dict[str, Any] = {"paused": None, "failure_output": [], "until": None, "earlier": [], "number": "last"}
"""What the daemon of an earlier version, which still runs after an upgrade, does not tell."""


def numbered(record: Record) -> dict[int, Incident]:
    """Return the incidents that are kept by their numbers, counted from the first that there ever was."""
    kept = [*record.past, *([record.incident] if record.incident else [])]
    return dict(enumerate(kept, record.incidents - len(kept) + 1))


def _kept(numbers: Sequence[int]) -> str:
    if not numbers:
        return "none is kept"
    return f"{numbers[0]} to {numbers[-1]} are kept" if len(numbers) > 1 else f"only {numbers[0]} is kept"


def events_json(lines: Sequence[Line], read: Mapping[str, int]) -> dict[str, Any]:
    """Return lines of journals, and what to ask for next: those after how many of each resource."""
    return {"events": [[line.at, line.resource, line.text] for line in lines], "after": dict(read)}
