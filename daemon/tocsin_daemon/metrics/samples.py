"""
What a resource looks like at this moment, as samples: values in, values out.

Labels are names of the configuration, or words of closed sets: never a cause, a pid or whatever else grows without end.
Of a phase, and of a check's state, there is only the one that holds: with all of them a page would be far longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin_daemon.core.answers import WELL
from tocsin_daemon.core.record import PROMOTED, Record

if TYPE_CHECKING:
    from tocsin_daemon.watch import Row


@dataclass(frozen=True)
class Family:
    """One metric: its name, what it means, its labels, and whether it only grows."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ("resource",)
    grows: bool = False


BUILD = Family("tocsin_build_info", "1; the version is a label.", ("version",))
UP_NOW = Family("tocsin_resource_up", "1 while the service is up, and not failed.")
PHASE = Family("tocsin_resource_phase", "1 for the phase that the resource is in.", ("resource", "phase"))
PHASE_SINCE = Family("tocsin_resource_phase_start_time_seconds", "When that phase began, in Unix time.")
ROLE = Family("tocsin_resource_promoted", "1 while the service is promoted.")
DEGRADED = Family("tocsin_resource_degraded", "1 while the service runs and is degraded.")
PENDING = Family(
    "tocsin_report_pending", "1 while a report to Pacemaker is under way, by its stage.", ("resource", "stage")
)
CHECK = ("resource", "check")
CHECK_STATE = Family("tocsin_check_state", "1 for the state that the check is in.", (*CHECK, "state"))
CHECK_TOOK = Family("tocsin_check_last_duration_seconds", "What the last look of the check took.", CHECK)
CHECK_LOOKS = Family("tocsin_check_looks", "Looks made in this incarnation.", CHECK, grows=True)
CHECK_SKIPPED = Family(
    "tocsin_check_looks_skipped", "Looks left out, for the one before took too long.", CHECK, grows=True
)
FAMILIES = (
    *(BUILD, UP_NOW, PHASE, PHASE_SINCE, ROLE, DEGRADED, PENDING),
    *(CHECK_STATE, CHECK_TOOK, CHECK_LOOKS, CHECK_SKIPPED),
)

Sample = tuple[Family, "tuple[str, ...]", float]
"""A metric, the values of its labels, and its own."""


def samples(record: Record, rows: Iterable[Row]) -> Iterator[Sample]:
    """Yield what there is to tell of a resource and its checks."""
    name = record.resource
    yield UP_NOW, (name,), float(record.phase in WELL)
    yield PHASE, (name, record.phase.value), 1.0
    yield PHASE_SINCE, (name,), record.since
    yield ROLE, (name,), float(record.role == PROMOTED)
    yield DEGRADED, (name,), float(bool(record.degraded))
    if record.incident and record.incident.pending:
        yield PENDING, (name, record.incident.stage.value), 1.0
    for row in rows:
        yield CHECK_STATE, (name, row.name, row.state), 1.0
        yield CHECK_TOOK, (name, row.name), row.took
        yield CHECK_LOOKS, (name, row.name), float(row.looks)
        yield CHECK_SKIPPED, (name, row.name), float(row.skipped)
