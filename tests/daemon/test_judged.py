"""A resource whose service lives, and what its checks make of it; and a definition that changes meanwhile."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tests.fakes.world import DEFINITION, Outside, status_xml
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.daemon import Daemon
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.incarnation import SETTLE
from tocsin_daemon.resource import Resource
from tocsin_daemon.restarting import CLEAR_GRACE
from tocsin_ocf import definition as definitions
from tocsin_ocf.processes import Process

CAUSE = "check tcp:127.0.0.1:80 failed 3 times: connection refused"


def defined(**keys: object) -> dict[str, object]:
    """Return a whole definition, as a START carries it."""
    found, faults = definitions.read({**DEFINITION, **keys})
    assert found is not None, faults
    return found.as_dict()


def now(deferred: Deferred[Answer]) -> Answer | None:
    """Return the answer, None where there is none yet."""
    got: list[Answer] = []
    deferred.addCallback(got.append)
    return got[0] if got else None


def monitored(resource: Resource, *, recurring: bool = True) -> Answer | None:
    """Return what a monitor is answered."""
    return now(resource.monitor(20.0, recurring=recurring, hold=0.0))


def stage(resource: Resource) -> Stage:
    """Return where the report stands."""
    assert resource.record.incident is not None
    return resource.record.incident.stage


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


def test_a_failed_check_within_the_budget_restarts_the_service_here() -> None:
    """The budget is one for all failures; the death that the restart causes is none of them."""
    outside = Outside()
    resource = outside.running()
    resource.reloading.reload(defined(restart_attempts=1))
    outside.watch.say(failed=CAUSE)
    assert resource.record.phase is Phase.RESTARTING
    outside.service.on_end(-15)
    assert resource.record.phase is Phase.RESTARTING
    outside.watch.say(failed="", ready=False)
    outside.service.on_cleared()
    assert resource.record.phase is Phase.RETURNING
    outside.clock.advance(SETTLE)
    assert resource.record.phase is Phase.RETURNING
    outside.watch.say(ready=True)
    assert resource.record.phase is Phase.RUNNING
    assert resource.record.incident is None
    outside.clock.advance(60 + CLEAR_GRACE)
    assert resource.record.phase is Phase.RUNNING


def test_a_restart_here_that_never_gets_ready_is_an_incident() -> None:
    """Nobody waits for it who could give it up."""
    outside = Outside()
    resource = outside.running()
    resource.reloading.reload(defined(restart_attempts=1))
    outside.service.on_end(-9)
    outside.watch.say(ready=False, waiting="check tcp: connection refused")
    outside.service.on_cleared()
    outside.clock.advance(20)
    assert resource.record.phase is Phase.FAILED
    assert resource.record.failure is not None
    assert "returning for too long; check tcp: connection refused" in resource.record.failure.text


def test_a_service_is_cleared_as_its_own_definition_says_not_as_the_next_one() -> None:
    """A start of what has failed brings another definition; what still runs knows only the signal of the old one."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    resource.start(defined(stop_signal="QUIT", stop_timeout="3s"), "n1", 30.0)
    outside.clock.advance(SETTLE)
    outside.watch.say(failed=CAUSE)
    resource.start(defined(stop_signal="INT", nice=5), "n1", 30.0)
    assert resource.record.phase is Phase.CLEARING
    assert (outside.service.signal, outside.service.plan.kill_after) == (3, 3.0)
    outside.service.on_cleared()
    assert outside.service.definition.nice == 5
    assert resource.record.next is None


def test_another_driver_takes_over_when_the_old_one_has_cleared() -> None:
    """A service that becomes a unit is ended as the process that it was."""
    outside = Outside()
    resource = outside.running()
    resource.stop(20.0)
    outside.service.on_cleared()
    unit, faults = definitions.read({"unit": "web.service"})
    assert unit is not None, faults
    resource.start(unit.as_dict(), "n1", 20.0)
    assert outside.kinds == ["process", "systemd"]
    assert outside.services[1].events == ["start"]


def test_a_daemon_that_died_while_the_service_got_ready_is_followed_by_one_that_waits_for_it() -> None:
    """A half-done start is finished, not believed."""
    before = Outside()
    before.ready = False
    Resource(Record("web"), before.world).start(DEFINITION, "n1", 90.0)
    after = Outside()
    after.ready = False
    daemon = Daemon(lambda _: after.world, 60.0, lambda: None)
    daemon.resume(before.store.load("web"))
    after.clock.advance(SETTLE)
    assert daemon.resources["web"].record.phase is Phase.STARTING
    after.watch.say(ready=True)
    assert daemon.resources["web"].record.phase is Phase.RUNNING


# A definition that changes


def test_reload_applies_what_it_can_and_names_what_waits() -> None:
    """Checks, thresholds and the way to stop: at once. The program: at the next start."""
    outside = Outside()
    resource = outside.running()
    checks = [{"tcp": "127.0.0.1:80"}]
    answer = resource.reloading.reload(defined(checks=checks, stop_timeout="3s", user="nobody"))
    assert answer == Answer(0, "applied: stop_timeout, checks; needs a restart: user")
    assert [spec.kind for spec in outside.watch.specs] == ["tcp"]
    assert outside.service.events == ["start"]
    resource.stop(30.0)
    assert outside.service.plan.kill_after == 3.0


def test_a_local_restart_takes_what_waited_for_it() -> None:
    """The administrator changed it on purpose."""
    outside = Outside()
    resource = outside.running()
    resource.reloading.reload(defined(nice=5, restart_attempts=1))
    outside.service.on_end(-9)
    outside.service.on_cleared()
    assert outside.service.definition.nice == 5


def test_a_reload_that_takes_a_change_back_leaves_nothing_waiting() -> None:
    """And one that changes nothing says nothing."""
    outside = Outside()
    resource = outside.running()
    resource.reloading.reload(defined(nice=5))
    assert resource.record.next is not None
    assert resource.reloading.reload(defined()) == Answer(0)
    assert resource.record.next is None
    entries = len(resource.record.journal)
    resource.reloading.reload(defined())
    assert len(resource.record.journal) == entries


def test_a_faulty_definition_leaves_the_old_one_and_is_shown_until_it_is_mended() -> None:
    """A slip of the pen must not restart a service."""
    outside = Outside()
    resource = outside.running()
    resource.reloading.refuse("web.yaml:3: checks[0].interval: ...")
    assert resource.record.refused.startswith("web.yaml:3")
    assert monitored(resource) == Answer(0)
    resource.reloading.reload(defined())
    assert resource.record.refused == ""


# What the service says itself


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


def test_a_restart_here_that_has_not_said_so_in_time_heals_only_by_saying_so() -> None:
    """Whatever else it says meanwhile."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    resource.start(defined(ready="notify", restart_attempts=1), "n1", 20.0)
    outside.notify.say(ready=True)
    outside.clock.advance(SETTLE)
    outside.service.on_end(-9)
    outside.service.on_cleared()
    outside.clock.advance(20)
    assert resource.record.phase is Phase.FAILED
    outside.notify.say(status="recovers, 40 %")
    assert resource.record.phase is Phase.FAILED
    outside.notify.say(ready=True)
    assert resource.record.phase is Phase.RUNNING


def test_what_was_said_before_the_daemon_died_is_said_once_and_for_all() -> None:
    """READY=1 just before: the service has no reason to say it again, and the start must not time out."""
    before, after = Outside(), Outside()
    resource = Resource(Record("web"), before.world)
    resource.start(defined(ready="notify"), "n1", 20.0)
    before.notify.say(ready=True)
    assert resource.record.phase is Phase.STARTING
    daemon = Daemon(lambda _: after.world, 60.0, lambda: None)
    daemon.resume(before.store.load("web"))
    after.clock.advance(SETTLE)
    assert daemon.resources["web"].record.phase is Phase.RUNNING


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


def test_limits_are_applied_to_what_runs_where_the_driver_can() -> None:
    """As far as they are set; what is taken back was something else before, and waits."""
    outside = Outside()
    resource = outside.running()
    assert resource.reloading.reload(defined(limits={"nofile": 100})) == Answer(0)
    assert outside.service.limits == {"nofile": [100, 100]}
    assert resource.reloading.reload(defined()) == Answer(0, "needs a restart: limits")


def test_limits_that_cannot_be_applied_wait_for_a_restart() -> None:
    """Whatever the reason."""
    outside = Outside()
    resource = outside.running()
    outside.service.refuses = CannotStart(1, "not now")
    assert resource.reloading.reload(defined(limits={"nofile": 100})) == Answer(0, "needs a restart: limits")


def test_a_check_that_was_wrong_can_be_mended_while_the_service_is_failed_by_it() -> None:
    """In maintenance: what is well by the new definition need not be restarted."""
    outside = Outside()
    resource = outside.running()
    outside.watch.say(failed=CAUSE)
    outside.watch.verdict = outside.watch.verdict.__class__(ready=True)
    resource.reloading.reload(defined(checks=[{"tcp": "127.0.0.1:81"}]))
    assert resource.record.phase is Phase.RUNNING


def test_only_what_failed_alive_may_heal_after_the_daemon() -> None:
    """What could not be cleared is no healthy service, though its main process is there."""
    before = Outside()
    resource = before.running()
    resource.reloading.reload(defined(restart_attempts=1))
    before.watch.say(failed=CAUSE)
    before.clock.advance(60)
    assert resource.record.phase is Phase.FAILED
    after = Outside()
    daemon = Daemon(lambda _: after.world, 60.0, lambda: None)
    daemon.resume(before.store.load("web"))
    after.clock.advance(SETTLE)
    assert not after.watch.running
    assert daemon.resources["web"].record.phase is Phase.FAILED


def test_what_its_checks_failed_may_heal_after_the_daemon() -> None:
    """The record says that it lived."""
    before = Outside()
    before.running()
    before.watch.say(failed=CAUSE)
    after = Outside()
    daemon = Daemon(lambda _: after.world, 60.0, lambda: None)
    daemon.resume(before.store.load("web"))
    after.clock.advance(SETTLE)
    assert daemon.resources["web"].record.phase is Phase.RUNNING
