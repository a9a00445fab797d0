"""Metrics: what they say of a resource, and what they count."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.fakes.world import Outside
from tocsin_daemon.chronicle import Chronicle
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Failure, Incident, Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.watch import Row

exposition = pytest.importorskip("tocsin_daemon.metrics.exposition", reason="needs python3-prometheus-client")
ROWS = [Row("tcp:1", "failed", 1.0, "refused by hunter2", 0.25, 7, 2)]


class Told:
    """Metrics of a resource that a chronicle follows."""

    def __init__(self, failing: float | None = 2.0) -> None:
        """Know a resource that runs."""
        self.record = Record("web", phase=Phase.RUNNING, since=5.0)
        self.failing = failing
        self.metrics = exposition.Metrics(lambda: [(self.record, ROWS)], lambda _: self.failing)
        self.outside = Outside()
        self.chronicle = Chronicle(self.outside.store, lambda name: Record(name, phase=Phase.RUNNING))
        self.chronicle.followers.append(self.metrics.follow)

    def save(self, record: Record) -> None:
        """Have one more record."""
        self.record = record
        self.chronicle.save(record)

    def samples(self) -> dict[str, float]:
        """Return the page as Prometheus would read it."""
        text = b"".join(self.metrics.pieces()).decode()
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        assert len({name for name, _, _ in lines}) == len(lines)
        return {name: float(value) for name, _, value in lines}


def test_what_is_so_now_is_read_when_asked() -> None:
    """Phase, role, checks; no cause, text or pid: what grows without end is no label."""
    told = Told()
    found = told.samples()
    assert found['tocsin_resource_up{resource="web"}'] == 1
    assert found['tocsin_resource_phase{phase="running",resource="web"}'] == 1
    assert found['tocsin_check_state{check="tcp:1",resource="web",state="failed"}'] == 1
    assert found['tocsin_check_looks_total{check="tcp:1",resource="web"}'] == 7
    assert found["process_resident_memory_bytes"] > 0
    assert "hunter2" not in str(found)
    told.record = replace(told.record, phase=Phase.FAILED, incident=Incident("i", "c", stage=Stage.HELD))
    found = told.samples()
    assert found['tocsin_resource_up{resource="web"}'] == 0
    assert found['tocsin_report_pending{resource="web",stage="held"}'] == 1
    assert 'tocsin_resource_phase{phase="running",resource="web"}' not in found


def test_what_happens_is_counted_on_the_edge() -> None:
    """An incident of a check, its report, its recovery; saved a second time they count no more."""
    told = Told()
    incident = Incident("i", "check tcp failed").marked("detected", 10.0)
    failed = replace(
        told.record, phase=Phase.FAILED, incident=incident, incidents=1, failure=Failure(1, "c", lives=True)
    )
    sent = replace(failed, incident=replace(incident.marked("reported", 10.02), stage=Stage.ACKNOWLEDGED)).noted(1, "r")
    assert sent.incident
    well = replace(sent, phase=Phase.RUNNING, incident=sent.incident.marked("recovered", 10.2), restarts=(11.0,))
    for record in (failed, failed, sent, sent, well, well):
        told.save(record)
    found = told.samples()
    assert found['tocsin_incidents_total{cause="check",resource="web"}'] == 1
    assert found['tocsin_reports_total{outcome="acknowledged",resource="web"}'] == 1
    assert found['tocsin_restarts_total{resource="web"}'] == 1
    assert found["tocsin_check_detection_seconds_sum"] == 2.0
    assert found["tocsin_report_seconds_count"] == 1 and found['tocsin_report_seconds_bucket{le="0.025"}'] == 1
    assert found["tocsin_recovery_seconds_sum"] == pytest.approx(0.2)


def test_a_death_has_no_detection_time_of_checks() -> None:
    """It is told by the kernel."""
    told = Told()
    failed = replace(told.record, incident=Incident("i", "main process 7 exited with status 1"), incidents=1)
    told.save(replace(failed, failure=Failure(7, "")))
    assert told.samples()["tocsin_check_detection_seconds_count"] == 0
    assert told.samples()['tocsin_incidents_total{cause="exit",resource="web"}'] == 1


def test_what_a_real_resource_goes_through_is_counted() -> None:
    """From its start to an incident that is acknowledged by the stop."""
    told = Told()
    world = replace(told.outside.world, store=told.chronicle)
    told.outside.world = world
    resource = told.outside.running()
    told.outside.service.on_end(-9)
    resource.stop(5.0)
    found = told.samples()
    assert found['tocsin_incidents_total{cause="signal",resource="web"}'] == 1
    assert found['tocsin_reports_total{outcome="withdrawn",resource="web"}'] == 1


def test_a_follower_that_fails_and_a_disk_that_is_full_change_nothing(critical_events: list[object]) -> None:
    """The others are told all the same."""
    told = Told()
    told.chronicle.followers.insert(0, lambda *_: 1 / 0)  # type: ignore[arg-type, return-value]
    told.outside.store.full = True
    with pytest.raises(OSError, match="No space"):
        told.save(replace(told.record, restarts=(1.0,)))
    assert told.samples()['tocsin_restarts_total{resource="web"}'] == 1
    critical_events.clear()


def test_many_resources_come_in_pieces_with_one_head_each() -> None:
    """No piece has more than a hundred samples, and each metric is told in one place."""
    told = Told()
    told.metrics = exposition.Metrics(
        lambda: [(replace(told.record, resource=f"r{number}"), ROWS) for number in range(250)], lambda _: None
    )
    for number in range(250):
        told.metrics.follow((), told.record, Record(f"r{number}"))
    pieces = list(told.metrics.pieces())
    assert max(piece.count(b"\n") for piece in pieces) <= exposition.SLICE + 2
    heads = re.findall(rb"^# TYPE (\S+)", b"".join(pieces), re.MULTILINE)
    assert len(heads) == len(set(heads)) and len(told.samples()) > 2000
