"""What has happened between two records, and what hooks are told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tocsin_daemon.core.cause import category, ended
from tocsin_daemon.core.edges import OUTCOMES, Edge, edges, elapsed
from tocsin_daemon.core.happening import Happening, happenings
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Failure, Incident, Record
from tocsin_daemon.core.report import FINAL, Stage

BEFORE = Record("web", node="n1", phase=Phase.RUNNING)
INCIDENT = Incident("i1", "main process 7 was killed by signal 9 (KILL)").marked("detected", 10.0)
FAILED = replace(BEFORE, phase=Phase.FAILED, incident=INCIDENT, incidents=1, failure=Failure(7, INCIDENT.cause))


def staged(record: Record, stage: Stage, line: str = "report: it moves") -> Record:
    """Return the record with its report at a stage, and a line of it if there is one."""
    assert record.incident
    moved = replace(record, incident=replace(record.incident, stage=stage))
    return moved.noted(11.0, line) if line else moved


def test_nothing_has_happened_where_nothing_has_changed() -> None:
    """No change yields no edge, whatever the record holds."""
    for record in (BEFORE, FAILED, *(staged(FAILED, stage) for stage in Stage)):
        assert edges(record, record) == ()


def test_an_incident_is_one_edge_and_its_phase_another() -> None:
    """The second one of the same incarnation counts as the first did."""
    assert edges(BEFORE, FAILED) == (Edge.PHASE, Edge.INCIDENT)
    assert edges(FAILED, replace(FAILED, incidents=2)) == (Edge.INCIDENT,)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.NONE])
def test_each_stage_is_told_and_outcomes_as_such(stage: Stage) -> None:
    """What is final, and what is held, is an outcome."""
    happened = edges(FAILED, staged(FAILED, stage))
    assert Edge.STAGE in happened
    assert (Edge.OUTCOME in happened) is (stage in FINAL or stage is Stage.HELD) is (stage in OUTCOMES)


def test_a_report_that_stays_held_is_told_once() -> None:
    """It is looked at again every few seconds: without a line in the journal that is no news."""
    held = staged(FAILED, Stage.HELD)
    looking = staged(held, Stage.CHECKING, "")
    assert edges(held, looking) == () and edges(looking, staged(looking, Stage.HELD, "")) == ()


def test_marks_are_edges_and_a_clock_set_back_is_no_negative_time() -> None:
    """Reported and recovered, once each."""
    told = replace(FAILED, incident=INCIDENT.marked("reported", 10.5))
    well = replace(told, incident=INCIDENT.marked("reported", 10.5).marked("recovered", 9.0))
    assert edges(FAILED, told) == (Edge.REPORTED,) and edges(told, well) == (Edge.RECOVERY,)
    assert told.incident and well.incident
    assert elapsed(told.incident, "reported") == 0.5 and elapsed(well.incident, "recovered") == 0.0


def test_a_restart_is_an_edge_and_forgetting_old_ones_is_none() -> None:
    """The last restart is the one that counts."""
    restarted = replace(BEFORE, restarts=(1.0, 2.0))
    assert edges(BEFORE, restarted) == (Edge.RESTART,)
    assert edges(restarted, replace(restarted, restarts=(2.0,))) == ()
    assert edges(restarted, replace(restarted, restarts=())) == ()


@pytest.mark.parametrize(
    ("pid", "status", "expected"),
    [(7, -9, "signal"), (7, 0, "exit"), (7, 3, "exit"), (7, None, "other"), (0, 1, "other")],
)
def test_a_cause_has_a_category(pid: int, status: int | None, expected: str) -> None:
    """By the words that causes are made of: a new wording is seen here."""
    assert category(ended(pid, status), lives=False) == expected
    assert category(ended(pid, status), lives=True) == "check"
    assert category("", lives=True, drill=True) == "drill"
    assert category("", lives=False) == category("main process", lives=False) == "other"


def test_hooks_are_told_three_things() -> None:
    """Of every combination of edges just those, in their order."""
    told = [what for what, _ in happenings(tuple(Edge), FAILED, 12.0)]
    assert told == [Happening.INCIDENT, Happening.REPORT, Happening.RECOVERY]
    assert list(happenings(tuple(Edge), BEFORE, 12.0)) == []


def test_an_event_says_all_but_the_output() -> None:
    """What the service wrote may hold anybody's secrets."""
    loud = replace(FAILED, incident=replace(INCIDENT, output=("password=hunter2",), processes=("7 sh hunter2",)))
    ((_, event),) = happenings((Edge.INCIDENT,), loud, 12.0)
    assert event["event"] == "incident" and event["resource"] == "web" and event["node"] == "n1"
    assert event["kind"] == "signal" and event["times"] == {"detected": 10.0} and event["number"] == 1
    assert "hunter2" not in str(event)
