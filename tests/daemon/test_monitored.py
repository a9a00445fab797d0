"""What a monitor is answered while an incident is under way: it may carry the failure itself, or wait for the stop."""

from __future__ import annotations

import pytest

from tests.fakes.asking import failed, incident, stage
from tests.fakes.world import DEFINITION, Outside, status_xml
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.record import Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.reporter import RECOVERY
from tocsin_daemon.resource import Resource
from tocsin_ocf.pacemaker import Reply


def test_an_incident_goes_through_the_monitor_that_waits_for_it() -> None:
    """With its own code and reason, counted once, and nothing is injected."""
    outside = Outside()
    resource = outside.running()
    got: list[Answer] = []
    for _ in range(2):
        resource.monitor(60.0, recurring=True, hold=40.0).addCallback(got.append)
    assert got == [Answer(0)]
    outside.service.on_end(-9)
    assert got[1].code == 7 and "KILL" in got[1].text
    assert stage(resource) is Stage.TOLD
    assert outside.cluster.asked == []
    resource.stop(20.0)
    assert stage(resource) is Stage.TOLD
    assert list(incident(resource).marks) == ["detected", "reported", "acknowledged"]


def test_a_monitor_is_held_no_longer_than_it_may_be() -> None:
    """Then the service is still running."""
    outside = Outside()
    resource = outside.running()
    got: list[Answer] = []
    for _ in range(2):
        resource.monitor(60.0, recurring=True, hold=600.0).addCallback(got.append)
    outside.clock.advance(44.9)
    assert len(got) == 1
    outside.clock.advance(0.2)
    assert got == [Answer(0), Answer(0)]


@pytest.mark.parametrize("between", ["nothing", "probe", "start", "vanished"])
def test_the_first_monitor_after_what_pacemaker_waits_for_is_answered_at_once(between: str) -> None:
    """After a start, a probe, or a client that vanished: a monitor in a transition would hold up the cluster."""
    outside = Outside()
    resource = outside.running()
    got: list[Answer] = []
    if between != "nothing":
        resource.monitor(60.0, recurring=True, hold=40.0)
    if between == "probe":
        resource.monitor(60.0, recurring=False, hold=40.0)
    if between == "start":
        resource.start(DEFINITION, "n1", 20.0)
    if between == "vanished":
        waiting = resource.monitor(60.0, recurring=True, hold=40.0)
        waiting.addErrback(lambda failure: None)
        waiting.cancel()
    resource.monitor(60.0, recurring=True, hold=40.0).addCallback(got.append)
    assert got == [Answer(0)]


def test_a_monitor_that_comes_after_the_injection_waits_for_the_stop() -> None:
    """A busy Pacemaker takes seconds to ask for it, and would count a failure that a monitor tells a second time."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    got: list[Answer] = []
    resource.monitor(18.0, recurring=True, hold=0.0).addCallback(got.append)
    outside.cluster.reply(0)
    outside.clock.advance(0)
    outside.cluster.reply(0, status_xml(call=12))
    outside.clock.advance(17.0)
    assert got == []
    assert stage(resource) is Stage.ACKNOWLEDGED
    resource.stop(20.0)
    assert stage(resource) is Stage.ACKNOWLEDGED


def test_a_monitor_that_waits_for_a_stop_tells_the_failure_when_its_time_is_over() -> None:
    """It calls an injection back that is still on its way, which would hit the next incarnation."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    got: list[Answer] = []
    resource.monitor(18.0, recurring=True, hold=0.0).addCallback(got.append)
    assert stage(resource) is Stage.SENDING
    outside.clock.advance(18.0)
    assert got[0].code == 7 and "KILL" in got[0].text
    assert stage(resource) is Stage.LEARNED
    assert outside.cluster.cancelled == 1


def test_a_pacemaker_that_asks_for_no_stop_gets_the_failure_from_each_monitor() -> None:
    """With on-fail=block or ignore nothing follows, and a dead service must not look as if it ran."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    outside.cluster.reply(0)
    outside.clock.advance(0)
    outside.cluster.reply(0, status_xml(call=12))
    outside.clock.advance(RECOVERY)
    got: list[Answer] = []
    resource.monitor(18.0, recurring=True, hold=0.0).addCallback(got.append)
    assert got[0].code == 7


@pytest.mark.parametrize(
    ("uuid", "hold", "warned"), [("n1", "0", True), ("n1", "", True), ("n1", "45", False), ("1", "0", False)]
)
def test_on_a_remote_node_only_a_held_monitor_tells(uuid: str, hold: str, warned: bool) -> None:
    """There crm_resource --fail exits 0 and does nothing: whoever does not hold a monitor should know."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    resource.service.roles.asked = {"OCF_RESKEY_CRM_meta_on_node_uuid": uuid, "OCF_RESKEY_monitor_hold": hold}
    resource.start(DEFINITION, "n1", 20.0)
    outside.clock.advance(0.2)
    outside.cluster.aside[-1][1].callback(Reply(0, '<primitive><op name="monitor" interval="60s"/></primitive>'))
    assert ("Pacemaker Remote node" in resource.record.warning) == warned
