"""
What hooks are told: an incident, what became of its report, a recovery, as one JSON object each.

`packaging/examples/event.schema.json` is its schema, which only grows: SCHEMA changes when a field changes its meaning.
The output of a service is not in it: that may hold anybody's secrets, and hooks send it away.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

from tocsin_daemon.core.cause import category
from tocsin_daemon.core.edges import Edge
from tocsin_daemon.core.record import Record

SCHEMA = 1


class Happening(Enum):
    """What a hook can be told of."""

    INCIDENT = "incident"
    REPORT = "report"
    RECOVERY = "recovery"


OF = {Edge.INCIDENT: Happening.INCIDENT, Edge.OUTCOME: Happening.REPORT, Edge.RECOVERY: Happening.RECOVERY}


def happenings(happened: tuple[Edge, ...], record: Record, at: float) -> Iterator[tuple[Happening, dict[str, Any]]]:
    """Yield what hooks are told of these edges, at this time in seconds since 1970."""
    for edge in happened:
        if edge in OF and record.incident:
            yield OF[edge], told(OF[edge], record, at)


def told(what: Happening, record: Record, at: float) -> dict[str, Any]:
    """Return the event as JSON has it."""
    incident = record.incident
    assert incident is not None, "it is about an incident"
    lives = record.failure is not None and record.failure.lives
    return {
        "schema": SCHEMA,
        "event": what.value,
        "at": at,
        "node": record.node,
        "resource": record.resource,
        "number": record.incidents,
        "incarnation": incident.incarnation,
        "phase": record.phase.value,
        "role": record.role,
        "kind": category(incident.cause, lives=lives, drill=incident.drill),
        "cause": incident.cause,
        "report": incident.stage.value,
        "why": incident.why,
        "times": dict(incident.marks),
    }
