"""What the cluster shows of a failure beside the report: a node attribute, and a warning of what it will do then."""

from __future__ import annotations

from twisted.logger import LogEvent

from tests.fakes.asking import failed, stage
from tests.fakes.world import DEFINITION, Outside
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.report import Stage
from tocsin_daemon.publisher import PUBLISH_AFTER
from tocsin_ocf.pacemaker import Reply


def test_a_different_on_fail_is_a_warning_everywhere() -> None:
    """In `status`, the journal, and the reason of a failure."""
    outside = Outside()
    resource = outside.running()
    command, done = outside.cluster.aside[-1]
    assert "cibadmin" in command
    xml = (
        '<primitive id="web"><operations><op name="monitor" interval="60s" on-fail="standby"/></operations></primitive>'
    )
    done.callback(Reply(0, xml))
    assert "on-fail of monitor is standby" in resource.record.warning
    outside.service.on_end(-9)
    got: list[Answer] = []
    resource.monitor(18.0, recurring=True, hold=0.0).addCallback(got.append)
    assert "on-fail of monitor is standby" in got[0].text


def test_the_cause_becomes_a_node_attribute_when_the_recovery_takes_long() -> None:
    """And goes when the service is up again; a quick recovery is not disturbed by it."""
    outside = Outside()
    resource = outside.running()
    before = len(outside.cluster.aside)
    outside.service.on_end(-9)
    outside.clock.advance(1.9)
    assert len(outside.cluster.aside) == before
    outside.clock.advance(0.2)
    assert "--name tocsin-fail-web --update main process 4711 was killed" in outside.cluster.aside[-1][0]
    resource.start(DEFINITION, "n1", 20.0)
    outside.service.on_cleared()
    outside.clock.advance(0.2)
    assert any("--name tocsin-fail-web --delete --node n1" in command for command, _ in outside.cluster.aside)


def test_the_cause_does_not_come_after_its_withdrawal(critical_events: list[LogEvent]) -> None:
    """Two tools at once may arrive in either order: what is still under way when it is up again is given up."""
    outside = Outside()
    resource = failed(outside)
    outside.clock.advance(PUBLISH_AFTER)
    assert "--update" in outside.cluster.aside[-1][0]
    resource.start(DEFINITION, "n1", 20.0)
    outside.service.on_cleared()
    cancelled = outside.cluster.cancelled
    outside.clock.advance(0.2)
    assert outside.cluster.cancelled == cancelled + 1
    assert any("--delete" in command for command, _ in outside.cluster.aside)
    assert critical_events == []


def test_a_daemon_that_died_before_it_had_published_is_followed_by_one_that_does() -> None:
    """The attribute also makes Pacemaker think anew when it has lost what the monitor told it."""
    before, after = Outside(), Outside()
    resource = failed(before)
    resource.monitor(18.0, recurring=True, hold=0.0)
    after.survives = False
    taken = after.take_up(before.store.load("web"))
    assert stage(taken) is Stage.LEARNED
    after.clock.advance(PUBLISH_AFTER)
    assert [command for command, _ in after.cluster.aside if "--name tocsin-fail-web --update" in command]


def test_a_daemon_that_ended_while_it_was_stopped_is_followed_by_one_that_withdraws_the_cause() -> None:
    """It had moved away, and the daemon had nothing to do; now it is up again here."""
    before, after = Outside(), Outside()
    resource = failed(before)
    before.clock.advance(PUBLISH_AFTER)
    resource.stop(20.0)
    before.service.on_cleared()
    taken = after.take_up(before.store.load("web"))
    after.clock.advance(PUBLISH_AFTER)
    assert after.cluster.aside == []
    taken.start(DEFINITION, "n1", 20.0)
    after.clock.advance(0.2)
    assert any("--name tocsin-fail-web --delete --node n1" in command for command, _ in after.cluster.aside)


def test_the_cause_of_an_incident_that_is_over_is_not_published_after_a_failed_start() -> None:
    """Which is no incident: its own answer has told it."""
    before, after = Outside(), Outside()
    resource = failed(before)
    resource.start(DEFINITION, "n1", 20.0)
    before.service.on_cleared()
    before.clock.advance(0.2)
    resource.stop(20.0)
    before.service.on_cleared()
    resource.start(DEFINITION, "n1", 20.0)
    before.service.on_end(1)
    after.survives = False
    after.take_up(before.store.load("web"))
    after.clock.advance(PUBLISH_AFTER)
    assert after.cluster.aside == []
