"""From an incident to Pacemaker: each guard, each answer, each thing that can come between."""

from __future__ import annotations

import pytest

from tests.fakes.asking import failed, incident, stage
from tests.fakes.world import DEFINITION, Outside, status_xml
from tocsin_daemon.core.report import HELD_RECHECK, Stage

FAIL = "/sbin/crm_resource --fail --resource web --node n1"


def test_a_death_is_looked_up_injected_and_verified() -> None:
    """The main job: look, `crm_resource --fail`, look."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    assert outside.cluster.asked[-1][0] == FAIL
    outside.cluster.reply(0)
    outside.clock.advance(0)
    outside.cluster.reply(0, status_xml(call=12))
    assert stage(resource) is Stage.ACKNOWLEDGED
    assert list(incident(resource).marks) == ["detected", "decided", "reported", "acknowledged"]
    assert incident(resource).injections == 1


def test_an_old_failure_of_the_same_kind_is_not_taken_for_the_new_one() -> None:
    """Failures stay in the CIB until a cleanup; only a higher call id is ours."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml(call=12))
    outside.cluster.reply(0)
    outside.cluster.reply(0, status_xml(call=12))
    assert stage(resource) is Stage.VERIFYING
    outside.clock.advance(0.25)
    outside.cluster.reply(0, status_xml(call=15))
    assert stage(resource) is Stage.ACKNOWLEDGED


@pytest.mark.parametrize(
    "xml",
    [status_xml(managed=False), status_xml(maintenance=True), status_xml(nodes=())],
    ids=["unmanaged", "maintenance", "not active"],
)
def test_a_held_report_is_looked_at_again_and_sent_when_the_cluster_agrees(xml: str) -> None:
    """In maintenance nothing is injected; afterwards, if it is still failed, it is."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, xml)
    assert stage(resource) is Stage.HELD
    assert incident(resource).why
    outside.clock.advance(HELD_RECHECK)
    outside.cluster.reply(0, status_xml())
    assert outside.cluster.asked[-1][0] == FAIL


def test_a_failure_of_what_runs_on_another_node_is_dropped() -> None:
    """A stale injection would stop the healthy copy there."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml(nodes=("n2",)))
    assert stage(resource) is Stage.DROPPED
    assert outside.cluster.count("--fail") == 0


@pytest.mark.parametrize("reply", [(102, ""), (None, ""), (0, "no XML"), (0, "<a>")])
def test_a_cluster_that_cannot_be_asked_is_asked_again_with_back_off(reply: tuple[int | None, str]) -> None:
    """Pacemaker down, hanging, or talking rubbish."""
    outside = Outside()
    resource = failed(outside)
    for wait in (0.5, 1.0, 2.0):
        outside.cluster.reply(*reply)
        assert stage(resource) is Stage.WAITING
        asked = len(outside.cluster.asked)
        outside.clock.advance(wait - 0.01)
        assert len(outside.cluster.asked) == asked
        outside.clock.advance(0.02)
        assert len(outside.cluster.asked) == asked + 1


@pytest.mark.parametrize("code", [1, 64, 102, 105, 124, None])
def test_an_injection_that_fails_is_repeated_after_another_look(code: int | None) -> None:
    """With back-off, and never without looking."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    outside.cluster.reply(code)
    assert stage(resource) is Stage.WAITING
    outside.clock.advance(0.5)
    outside.cluster.reply(0, status_xml())
    assert outside.cluster.count("--fail") == 2


def test_an_injection_that_left_no_trace_is_repeated() -> None:
    """Exit 0 proves nothing."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    outside.cluster.reply(0)
    for _ in range(4):
        outside.cluster.reply(0, status_xml())
        outside.clock.advance(0.25)
    assert stage(resource) is Stage.WAITING
    assert "no failure" in incident(resource).why


def test_a_stop_during_the_injection_is_its_acknowledgement() -> None:
    """Pacemaker is as a rule quicker to stop than crm_resource is to return."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    resource.stop(20.0)
    assert stage(resource) is Stage.ACKNOWLEDGED
    assert outside.cluster.cancelled == 1


@pytest.mark.parametrize("steps", [0, 1])
def test_a_stop_before_the_injection_withdraws_the_report(steps: int) -> None:
    """While the cluster is looked at, or the back-off runs: nothing is sent any more."""
    outside = Outside()
    resource = failed(outside)
    if steps:
        outside.cluster.reply(102)
    resource.stop(20.0)
    outside.clock.advance(60)
    assert stage(resource) is Stage.WITHDRAWN
    assert outside.cluster.count("--fail") == 0


def test_a_dry_run_executes_no_crm_resource() -> None:
    """Its own dry run is none before Pacemaker 3.0.1."""
    outside = Outside(dry_run=True)
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    assert stage(resource) is Stage.DRY
    assert incident(resource).why == FAIL
    assert outside.cluster.count("--fail") == 0


def test_one_report_per_incarnation_over_many_recoveries() -> None:
    """Ten kills, ten recoveries, ten injections."""
    outside = Outside()
    resource = outside.running()
    for number in range(1, 11):
        outside.service.on_end(-9)
        outside.cluster.reply(0, status_xml(call=number))
        outside.cluster.reply(0)
        resource.stop(20.0)
        outside.service.on_cleared()
        resource.start(DEFINITION, "n1", 20.0)
        outside.clock.advance(0.2)
        assert outside.cluster.count("--fail") == number
    assert resource.record.incidents == 10


def test_an_injection_that_shows_late_is_not_repeated() -> None:
    """Pacemaker was busy; a second one would count, and restart the service once more."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    outside.cluster.reply(124)
    outside.clock.advance(0.5)
    outside.cluster.reply(0, status_xml(call=9))
    assert stage(resource) is Stage.ACKNOWLEDGED
    assert outside.cluster.count("--fail") == 1


def test_hours_of_maintenance_do_not_fill_the_journal() -> None:
    """A round that ends as the last one is not noted again."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml(maintenance=True))
    before = len(resource.record.journal)
    for _ in range(100):
        outside.clock.advance(HELD_RECHECK)
        outside.cluster.reply(0, status_xml(maintenance=True))
    assert len(resource.record.journal) == before
    assert "maintenance" in incident(resource).why
