"""A resource whose service lives, and what its checks, and the service itself, make of it."""

from __future__ import annotations

from tests.fakes.asking import CAUSE, defined, monitored, stage
from tests.fakes.world import DEFINITION, Outside, status_xml
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.incarnation import SETTLE
from tocsin_daemon.resource import Resource
from tocsin_ocf.processes import Process


def test_start_answers_when_the_checks_have_passed_not_before() -> None:
    """Not after a sleep: a database may take a minute to recover."""
    outside = Outside()
    outside.ready = False
    resource = Resource(Record("web"), outside.world)
    got: list[Answer] = []
    resource.start(DEFINITION, "n1", 90.0).addCallback(got.append)
    outside.clock.advance(60)
    assert got == []
    outside.watch.say(ready=True)
    assert got == [Answer(0)]


def test_a_check_that_passes_at_once_does_not_cut_the_settling_short() -> None:
    """A service may answer once and die of its configuration."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    got: list[Answer] = []
    resource.start(DEFINITION, "n1", 90.0).addCallback(got.append)
    outside.watch.say(ready=True)
    assert got == []
    outside.clock.advance(SETTLE)
    assert got == [Answer(0)]


def test_a_start_that_is_too_late_says_what_it_waits_for() -> None:
    """The reason is what the checks say, not that time has passed."""
    outside = Outside()
    outside.ready = False
    resource = Resource(Record("web"), outside.world)
    got: list[Answer] = []
    resource.start(DEFINITION, "n1", 20.0).addCallback(got.append)
    outside.watch.say(waiting="check tcp: connection refused")
    outside.clock.advance(20)
    assert got[0].code == 1
    assert got[0].text.endswith("check tcp: connection refused")
    resource.stop(20.0)  # as Pacemaker does next
    assert resource.record.failure is not None and resource.record.failure.text == got[0].text
    assert any(entry.text == got[0].text for entry in resource.record.journal)


def test_a_failed_check_is_an_incident_of_a_service_that_lives() -> None:
    """Reported like a death, but a monitor must not say that it does not run."""
    outside = Outside()
    resource = outside.running()
    outside.service.remains = [Process(4711, "serve", "S", 1, 4711, 99)]
    outside.watch.say(failed=CAUSE)
    assert resource.record.phase is Phase.FAILED
    assert stage(resource) is Stage.CHECKING
    answer = monitored(resource, recurring=False)
    assert answer is not None
    assert answer.code == 1
    assert answer.text.startswith(CAUSE)
    assert "serve[4711]" in answer.text


def test_a_service_that_is_well_again_before_pacemaker_was_told_is_not_failed() -> None:
    """In maintenance it is held; when that ends there is nothing to report any more."""
    outside = Outside()
    resource = outside.running()
    outside.watch.say(failed=CAUSE)
    outside.cluster.reply(0, status_xml(maintenance=True))
    assert stage(resource) is Stage.HELD
    outside.watch.say(failed="")
    assert resource.record.phase is Phase.RUNNING
    assert stage(resource) is Stage.WITHDRAWN
    assert monitored(resource) == Answer(0)
    outside.watch.say(failed=CAUSE)
    assert stage(resource) is Stage.CHECKING
    assert resource.record.incidents == 2


def test_a_service_that_died_of_what_its_checks_had_seen_does_not_heal() -> None:
    """The dead pass no check, whatever the last verdict was."""
    outside = Outside()
    resource = outside.running()
    outside.watch.say(failed=CAUSE)
    outside.service.on_end(-9)
    assert not outside.watch.running
    outside.watch.say(failed="")
    assert resource.record.phase is Phase.FAILED
    assert resource.record.incidents == 1
    answer = monitored(resource)
    assert answer is not None and answer.code == 7


def test_what_led_to_a_verdict_is_in_the_journal() -> None:
    """`explain` shows which check turned, not only that one did."""
    outside = Outside()
    resource = outside.running()
    resource.service.note("check tcp failed: refused")
    assert resource.record.journal[-1].text == "check tcp failed: refused"


def test_degraded_is_190_and_no_incident() -> None:
    """Pacemaker shows it and leaves the service alone; a monitor that is held is answered."""
    outside = Outside()
    resource = outside.running()
    assert monitored(resource) == Answer(0)
    held: list[Answer] = []
    resource.monitor(60.0, recurring=True, hold=45.0).addCallback(held.append)
    assert held == []
    outside.watch.say(degraded="check http: 503")
    assert held == [Answer(190, "check http: 503")]
    assert resource.record.incident is None
    assert outside.store.load("web").degraded == "check http: 503"
    outside.watch.say(degraded="")
    assert monitored(resource) == Answer(0)


def test_a_daemon_that_died_while_the_service_got_ready_is_followed_by_one_that_waits_for_it() -> None:
    """A half-done start is finished, not believed."""
    before = Outside()
    before.ready = False
    Resource(Record("web"), before.world).start(DEFINITION, "n1", 90.0)
    after = Outside()
    after.ready = False
    resource = after.take_up(before.store.load("web"))
    after.clock.advance(SETTLE)
    assert resource.record.phase is Phase.STARTING
    after.watch.say(ready=True)
    assert resource.record.phase is Phase.RUNNING


def test_a_service_that_says_when_it_is_ready_is_waited_for() -> None:
    """READY=1, beside the checks."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    got: list[Answer] = []
    resource.start(defined(ready="notify"), "n1", 20.0).addCallback(got.append)
    assert outside.notify.listens
    assert outside.service.definition.environment["NOTIFY_SOCKET"] == "/run/notify"
    outside.clock.advance(10)
    assert got == []
    outside.notify.say(ready=True)
    assert got == [Answer(0)]
    resource.stop(20.0)
    assert not outside.notify.listens


def test_what_was_said_before_the_daemon_died_is_said_once_and_for_all() -> None:
    """READY=1 just before: the service has no reason to say it again, and the start must not time out."""
    before, after = Outside(), Outside()
    resource = Resource(Record("web"), before.world)
    resource.start(defined(ready="notify"), "n1", 20.0)
    before.notify.say(ready=True)
    assert resource.record.phase is Phase.STARTING
    taken = after.take_up(before.store.load("web"))
    after.clock.advance(SETTLE)
    assert taken.record.phase is Phase.RUNNING


def test_a_service_that_never_says_so_fails_the_start_with_that() -> None:
    """Not with "too late"."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    got: list[Answer] = []
    resource.start(defined(ready="notify"), "n1", 20.0).addCallback(got.append)
    outside.clock.advance(20)
    assert got[0].text.endswith("it has not said READY=1")


def test_a_service_that_is_to_give_signs_of_life_is_told_how_often() -> None:
    """As systemd tells it."""
    outside = Outside()
    Resource(Record("web"), outside.world).start(defined(checks=[{"sd_notify": "30s"}]), "n1", 20.0)
    assert outside.service.definition.environment["WATCHDOG_USEC"] == "30000000"


def test_without_a_need_nobody_listens() -> None:
    """Services never inherit a NOTIFY_SOCKET that they did not ask for."""
    outside = Outside()
    outside.running()
    assert not outside.notify.listens
    assert "NOTIFY_SOCKET" not in outside.service.definition.environment


def test_what_its_checks_failed_may_heal_after_the_daemon() -> None:
    """The record says that it lived."""
    before = Outside()
    before.running()
    before.watch.say(failed=CAUSE)
    after = Outside()
    resource = after.take_up(before.store.load("web"))
    after.clock.advance(SETTLE)
    assert resource.record.phase is Phase.RUNNING
