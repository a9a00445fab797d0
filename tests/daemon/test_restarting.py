"""A service that is restarted here: within a budget, and what does not come back is an incident."""

from __future__ import annotations

from tests.fakes.asking import CAUSE, defined
from tests.fakes.promotable import ASKED, heard, promoted
from tests.fakes.world import DEFINITION, Outside
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.incarnation import SETTLE
from tocsin_daemon.resource import Resource
from tocsin_daemon.restarting import CLEAR_GRACE


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


def test_a_local_restart_takes_what_waited_for_it() -> None:
    """The administrator changed it on purpose."""
    outside = Outside()
    resource = outside.running()
    resource.reloading.reload(defined(nice=5, restart_attempts=1))
    outside.service.on_end(-9)
    outside.service.on_cleared()
    assert outside.service.definition.nice == 5


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


def test_only_what_failed_alive_may_heal_after_the_daemon() -> None:
    """What could not be cleared is no healthy service, though its main process is there."""
    before = Outside()
    resource = before.running()
    resource.reloading.reload(defined(restart_attempts=1))
    before.watch.say(failed=CAUSE)
    before.clock.advance(60)
    assert resource.record.phase is Phase.FAILED
    after = Outside()
    taken = after.take_up(before.store.load("web"))
    after.clock.advance(SETTLE)
    assert not after.watch.running
    assert taken.record.phase is Phase.FAILED


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


def test_a_restart_here_has_the_time_of_a_start_not_of_a_demote() -> None:
    """A database may start for minutes, and change its role in a second."""
    outside = Outside()
    resource = promoted(outside, restart_attempts=1, stop_timeout="1s")
    resource.demote(5.0, ASKED)
    outside.command_ends()
    assert resource.record.phase is Phase.RUNNING
    outside.service.on_end(-9)
    outside.watch.say(ready=False)
    outside.service.on_cleared()
    heard(outside)
    outside.clock.advance(19.9)
    assert resource.record.phase is Phase.RETURNING
    outside.clock.advance(0.2)
    assert resource.record.phase is Phase.FAILED
