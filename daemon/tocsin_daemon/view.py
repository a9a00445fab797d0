"""What `tocsin status` and `tocsin explain` show: the record as plain JSON values, made in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tocsin_daemon.core.answers import WELL
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import MARKS, PROMOTED, Incident, Record
from tocsin_daemon.core.reload import compare

if TYPE_CHECKING:
    from tocsin_daemon.watch import Row

UP = frozenset({Phase.RUNNING, Phase.FAILED, Phase.PROMOTING})
"""Phases in which it is started, and not promoted, unless it was before it failed."""


def role(record: Record) -> str:
    """Return the role as Pacemaker spells it; what is on its way up or down is stopped for all who ask."""
    if record.phase in (Phase.PROMOTED, Phase.DEMOTING) or (record.phase is Phase.FAILED and record.role == PROMOTED):
        return "Promoted"
    definition = record.definition or {}
    started = "Unpromoted" if definition.get("promote_command") or definition.get("promote_signal") else "Started"
    return started if record.phase in UP else "Stopped"


def as_json(
    record: Record, now: float, checks: Sequence[Row] = (), clock: float = 0.0, says: str = ""
) -> dict[str, Any]:
    """
    Return one resource's row of `status --json`; times are seconds since the epoch, `uptime` seconds.

    `waiting` are the keys of a changed definition that wait for a restart. `clock` is what the clock of the checks,
    which is another, says `now`, and `says` what the service says of itself (STATUS= of sd_notify(3)).
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
        "cause": incident.cause,
        "report": incident.stage.value,
        "why": incident.why,
        "pending": incident.pending,
        "attempts": incident.attempts,
        "injections": incident.injections,
        "times": {name: incident.marks[name] for name in MARKS if name in incident.marks},
    }


def timeline_json(record: Record) -> dict[str, Any]:
    """Return all that `explain` tells: the last incident, and the journal around it."""
    return {
        "resource": record.resource,
        "node": record.node,
        "phase": record.phase.value,
        "failure": record.failure.text if record.failure and record.phase not in WELL else None,
        "incidents": record.incidents,
        "incident": incident_json(record.incident) if record.incident else None,
        "output": list(record.incident.output) if record.incident else [],
        "processes": list(record.incident.processes) if record.incident else [],
        "journal": [[entry.at, entry.text] for entry in record.journal],
    }
