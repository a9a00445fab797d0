"""A definition that changes while its service runs: what applies at once, and what waits for a restart."""

from __future__ import annotations

from tests.fakes.asking import CAUSE, defined, monitored, now
from tests.fakes.promotable import ASKED, KEYS, promoted, scores
from tests.fakes.world import DEFINITION, Outside
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.incarnation import SETTLE
from tocsin_daemon.resource import Resource
from tocsin_ocf import definition as definitions


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


def test_roles_are_not_taken_away_from_what_runs() -> None:
    """A promoted one could not be demoted any more, and its score would stay for ever."""
    outside = Outside()
    resource = promoted(outside)
    plain, _ = definitions.read(DEFINITION)
    assert plain is not None
    answer = resource.reloading.reload(plain.as_dict())
    assert "needs a restart: promote_command, demote_command, promotion_score" in answer.text
    got = resource.demote(20.0, ASKED)
    outside.command_ends()
    assert now(got) == Answer(0)


def test_roles_can_be_given_to_what_runs() -> None:
    """It is unpromoted from then on: the checks of that role begin, and its score is told."""
    outside = Outside()
    resource = outside.running()
    wanted, _ = definitions.read({**DEFINITION, **KEYS})
    assert wanted is not None
    resource.reloading.reload(wanted.as_dict())
    assert outside.watch.role == "unpromoted"
    assert scores(outside) == ["--update 100"]
