"""From an incident to Pacemaker: each guard, each answer, each thing that can come between."""

from __future__ import annotations

import pytest
from twisted.logger import LogEvent

from tests.fakes.world import DEFINITION, Outside, status_xml
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Incident, Record
from tocsin_daemon.core.report import FINAL, HELD_RECHECK, Stage
from tocsin_daemon.daemon import RESUME_QUIET, Daemon
from tocsin_daemon.publisher import PUBLISH_AFTER
from tocsin_daemon.reporter import RECOVERY
from tocsin_daemon.resource import Resource
from tocsin_ocf.pacemaker import Reply

FAIL = "/sbin/crm_resource --fail --resource web --node n1"


def failed(outside: Outside) -> Resource:
    """Return `web` the moment after it was killed."""
    resource = outside.running()
    outside.service.on_end(-9)
    return resource


def incident(resource: Resource) -> Incident:
    """Return its incident."""
    assert resource.record.incident is not None
    return resource.record.incident


def test_a_death_is_looked_up_injected_and_verified() -> None:
    """The main job: look, `crm_resource --fail`, look."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    assert outside.cluster.asked[-1][0] == FAIL
    outside.cluster.reply(0)
    outside.clock.advance(0)
    outside.cluster.reply(0, status_xml(call=12))
    assert incident(resource).stage is Stage.ACKNOWLEDGED
    assert list(incident(resource).marks) == ["detected", "decided", "reported", "acknowledged"]
    assert incident(resource).injections == 1


def test_the_stage_is_on_disk_before_the_injection_runs() -> None:
    """A daemon that dies now is followed by one that looks before it sends again."""
    outside = Outside()
    failed(outside)
    outside.cluster.reply(0, status_xml())
    on_disk = outside.store.load("web").incident
    assert on_disk is not None
    assert (on_disk.stage, on_disk.injections) == (Stage.SENDING, 1)


def test_an_old_failure_of_the_same_kind_is_not_taken_for_the_new_one() -> None:
    """Failures stay in the CIB until a cleanup; only a higher call id is ours."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml(call=12))
    outside.cluster.reply(0)
    outside.cluster.reply(0, status_xml(call=12))
    assert incident(resource).stage is Stage.VERIFYING
    outside.clock.advance(0.25)
    outside.cluster.reply(0, status_xml(call=15))
    assert incident(resource).stage is Stage.ACKNOWLEDGED


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
    assert incident(resource).stage is Stage.HELD
    assert incident(resource).why
    outside.clock.advance(HELD_RECHECK)
    outside.cluster.reply(0, status_xml())
    assert outside.cluster.asked[-1][0] == FAIL


def test_a_failure_of_what_runs_on_another_node_is_dropped() -> None:
    """A stale injection would stop the healthy copy there."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml(nodes=("n2",)))
    assert incident(resource).stage is Stage.DROPPED
    assert outside.cluster.count("--fail") == 0


@pytest.mark.parametrize("reply", [(102, ""), (None, ""), (0, "no XML"), (0, "<a>")])
def test_a_cluster_that_cannot_be_asked_is_asked_again_with_back_off(reply: tuple[int | None, str]) -> None:
    """Pacemaker down, hanging, or talking rubbish."""
    outside = Outside()
    resource = failed(outside)
    for wait in (0.5, 1.0, 2.0):
        outside.cluster.reply(*reply)
        assert incident(resource).stage is Stage.WAITING
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
    assert incident(resource).stage is Stage.WAITING
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
    assert incident(resource).stage is Stage.WAITING
    assert "no failure" in incident(resource).why


def test_a_stop_during_the_injection_is_its_acknowledgement() -> None:
    """Pacemaker is as a rule quicker to stop than crm_resource is to return."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    resource.stop(20.0)
    assert incident(resource).stage is Stage.ACKNOWLEDGED
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
    assert incident(resource).stage is Stage.WITHDRAWN
    assert outside.cluster.count("--fail") == 0


def test_a_dry_run_executes_no_crm_resource() -> None:
    """Its own dry run is none before Pacemaker 3.0.1."""
    outside = Outside(dry_run=True)
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    assert incident(resource).stage is Stage.DRY
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


@pytest.mark.parametrize("cut", range(4))
def test_a_report_cut_at_any_step_and_resumed_from_disk_ends_in_the_same_place(cut: int) -> None:
    """Kill -9 of the daemon after each step: one more look, at most the one injection, acknowledged."""
    before = Outside()
    failed(before)
    steps = [(0, status_xml()), (0, ""), (0, status_xml(call=5))]
    sent = 0
    for code, xml in steps[:cut]:
        sent += "--fail" in before.cluster.reply(code, xml)
    record = before.store.load("web")

    after = Outside()
    after.survives = False
    daemon = Daemon(lambda _: after.world, 60.0, lambda: None)
    daemon.resume(record)
    resource = daemon.resources["web"]
    assert resource.record.phase is Phase.FAILED
    after.clock.advance(RESUME_QUIET)
    while incident(resource).stage not in FINAL:
        command = after.cluster.asked[-1][0]
        taken = sent or after.cluster.count("--fail")
        after.cluster.reply(0, "" if "--fail" in command else status_xml(call=5 if taken else 0))
        after.clock.pump([0.25, 0.25])
    assert incident(resource).stage is Stage.ACKNOWLEDGED
    assert sent + after.cluster.count("--fail") == 1


@pytest.mark.parametrize("how", ["stop", "start", "heal"])
def test_at_no_moment_is_a_report_on_disk_that_would_fail_what_has_failed_no_more(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was held; the end of a pause would have it looked at again, find the service managed, and fail it."""
    outside = Outside()
    resource = outside.running()
    outside.watch.say(failed="check http failed")
    outside.cluster.reply(0, status_xml(maintenance=True))
    assert incident(resource).stage is Stage.HELD
    saved: list[Record] = []
    monkeypatch.setattr(outside.store, "save", saved.append)
    asked = {
        "stop": lambda: resource.stop(20.0),
        "start": lambda: resource.start(DEFINITION, "n1", 20.0),
        "heal": lambda: outside.watch.say(failed=""),
    }
    asked[how]()
    assert len(saved) > 1
    for record in saved:
        after = Outside()
        daemon = Daemon(lambda _, after=after: after.world, 60.0, lambda: None)  # type: ignore[misc]
        daemon.resume(record)
        assert not incident(daemon.resources["web"]).pending


def test_at_no_moment_is_a_second_failure_on_disk_with_what_was_known_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first has passed, and its report with it: a daemon that dies there is followed by one that reports."""
    outside = Outside()
    resource = outside.running()
    outside.watch.say(failed="check http failed")
    outside.watch.say(failed="")
    assert incident(resource).stage is Stage.WITHDRAWN
    saved: list[Record] = []
    monkeypatch.setattr(outside.store, "save", saved.append)
    outside.service.on_end(-9)
    failed = [record for record in saved if record.phase is Phase.FAILED]
    assert len(failed) > 1
    for record in failed:
        after = Outside()
        after.survives = False
        daemon = Daemon(lambda _, after=after: after.world, 60.0, lambda: None)  # type: ignore[misc]
        daemon.resume(record)
        assert incident(daemon.resources["web"]).stage is Stage.CHECKING


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
    assert incident(resource).stage is Stage.TOLD
    assert outside.cluster.asked == []
    resource.stop(20.0)
    assert incident(resource).stage is Stage.TOLD
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


def test_a_death_within_the_budget_is_restarted_here_and_counted() -> None:
    """Nothing is reported; the next death beyond the budget is."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    resource.start({**DEFINITION, "restart_attempts": 1, "restart_window": 60}, "n1", 20.0)
    outside.clock.advance(0.2)
    outside.service.on_end(3)
    assert resource.record.phase is Phase.RESTARTING
    outside.service.on_cleared()
    outside.clock.advance(0.2)
    assert resource.record.phase is Phase.RUNNING
    assert outside.service.events == ["start", "clear", "start"]
    assert len(resource.record.restarts) == 1 and resource.record.incidents == 0
    assert outside.cluster.asked == []
    outside.service.on_end(3)
    assert resource.record.phase is Phase.FAILED
    assert outside.cluster.count("crm_mon") == 1


def test_a_restart_here_that_cannot_clear_is_reported() -> None:
    """A process that cannot be killed must not keep the failure from Pacemaker."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    resource.start({**DEFINITION, "restart_attempts": 1, "stop_timeout": 2}, "n1", 20.0)
    outside.clock.advance(0.2)
    outside.service.on_end(3)
    outside.clock.advance(8.0)
    assert resource.record.phase is Phase.FAILED
    assert outside.cluster.count("crm_mon") == 1


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
    daemon = Daemon(lambda _: after.world, 60.0, lambda: None)
    daemon.resume(before.store.load("web"))
    assert incident(daemon.resources["web"]).stage is Stage.LEARNED
    after.clock.advance(PUBLISH_AFTER)
    assert [command for command, _ in after.cluster.aside if "--name tocsin-fail-web --update" in command]


def test_a_daemon_that_ended_while_it_was_stopped_is_followed_by_one_that_withdraws_the_cause() -> None:
    """It had moved away, and the daemon had nothing to do; now it is up again here."""
    before, after = Outside(), Outside()
    resource = failed(before)
    before.clock.advance(PUBLISH_AFTER)
    resource.stop(20.0)
    before.service.on_cleared()
    daemon = Daemon(lambda _: after.world, 60.0, lambda: None)
    daemon.resume(before.store.load("web"))
    after.clock.advance(PUBLISH_AFTER)
    assert after.cluster.aside == []
    daemon.resources["web"].start(DEFINITION, "n1", 20.0)
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
    Daemon(lambda _: after.world, 60.0, lambda: None).resume(before.store.load("web"))
    after.clock.advance(PUBLISH_AFTER)
    assert after.cluster.aside == []


def test_an_injection_that_shows_late_is_not_repeated() -> None:
    """Pacemaker was busy; a second one would count, and restart the service once more."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    outside.cluster.reply(124)
    outside.clock.advance(0.5)
    outside.cluster.reply(0, status_xml(call=9))
    assert incident(resource).stage is Stage.ACKNOWLEDGED
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
    assert incident(resource).stage is Stage.ACKNOWLEDGED
    resource.stop(20.0)
    assert incident(resource).stage is Stage.ACKNOWLEDGED


def test_a_monitor_that_waits_for_a_stop_tells_the_failure_when_its_time_is_over() -> None:
    """It calls an injection back that is still on its way, which would hit the next incarnation."""
    outside = Outside()
    resource = failed(outside)
    outside.cluster.reply(0, status_xml())
    got: list[Answer] = []
    resource.monitor(18.0, recurring=True, hold=0.0).addCallback(got.append)
    assert incident(resource).stage is Stage.SENDING
    outside.clock.advance(18.0)
    assert got[0].code == 7 and "KILL" in got[0].text
    assert incident(resource).stage is Stage.LEARNED
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


def test_a_daemon_that_has_just_begun_listens_before_it_reports() -> None:
    """A stop may have started it."""
    before = Outside()
    failed(before)
    after = Outside()
    daemon = Daemon(lambda _: after.world, 60.0, lambda: None)
    daemon.resume(before.store.load("web"))
    assert after.cluster.asked == []
    daemon.resources["web"].stop(20.0)
    after.clock.advance(60)
    assert after.cluster.asked == []
