"""The score of a service with roles: told when it lasts, told again, and taken back before anything else is started."""

from __future__ import annotations

from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.logger import LogEvent

from tests.fakes.asking import monitored, now
from tests.fakes.promotable import KEYS, heard, promoted, scores, unpromoted
from tests.fakes.world import DEFINITION, Outside
from tocsin_daemon.checks.outside import Ended
from tocsin_daemon.children import Program
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase
from tocsin_ocf import roles


def test_what_comes_up_too_late_after_a_restart_here_has_a_score_again() -> None:
    """Its report was held, say, until it was well: without a score nobody would ever promote it."""
    outside = Outside()
    resource = unpromoted(outside, restart_attempts=1)
    heard(outside)
    outside.service.on_end(-9)
    outside.watch.say(ready=False)
    outside.service.on_cleared()
    heard(outside)
    outside.clock.advance(20)
    assert resource.record.phase is Phase.FAILED
    assert scores(outside)[-1] == "--delete"
    outside.watch.say(ready=True)
    assert resource.record.phase is Phase.RUNNING
    assert scores(outside)[-1] == "--update 100"


def test_the_score_is_told_when_it_is_up_and_taken_back_when_it_stops() -> None:
    """Without one Pacemaker promotes nobody."""
    outside = Outside()
    resource = unpromoted(outside)
    assert scores(outside) == ["--update 100"]
    resource.stop(20.0)
    assert scores(outside) == ["--update 100", "--delete"]


def test_a_death_leaves_the_score_until_pacemaker_recovers() -> None:
    """Or the change of the score would move the role before the failure is told, and none would be counted."""
    outside = Outside()
    resource = promoted(outside)
    outside.service.on_end(-9)
    assert scores(outside) == ["--update 100"]
    resource.demote(20.0, {})
    assert scores(outside)[-1] == "--delete"


def test_a_degraded_service_is_worth_less_when_that_lasts() -> None:
    """And what a stumble is worth nobody hears."""
    outside = Outside()
    unpromoted(outside)
    heard(outside)
    outside.watch.say(degraded="slow")
    outside.clock.advance(3)
    assert scores(outside) == ["--update 100"]
    outside.clock.advance(2)
    assert scores(outside) == ["--update 100", "--update 10"]


def test_a_command_says_the_score_again_and_again() -> None:
    """What it cannot say leaves the last one; what it says is told when it lasts."""
    outside = Outside()
    unpromoted(outside, promotion_score={"command": ["/bin/true", "score"], "interval": 2, "dampening": 3})
    assert scores(outside) == []
    outside.command_ends(0, "40\n")
    assert scores(outside) == ["--update 40"]
    heard(outside)
    for status, said in ((0, "50"), (1, "down"), (0, "rubbish"), (0, "50")):
        outside.clock.advance(2)
        outside.command_ends(status, said)
    assert scores(outside) == ["--update 40", "--update 50"]


@pytest.mark.parametrize("asking", [False, True])
def test_the_score_of_the_promoted_counts_at_once(asking: bool) -> None:
    """`pcs resource move` takes its constraint back when the move is done: only the score keeps the role then."""
    outside = Outside()
    resource = unpromoted(outside, promotion_score={"command": ["/bin/true", "score"], "interval": 2, "dampening": 30})
    outside.command_ends(0, "500\n")
    heard(outside)
    if asking:  # what a command says that began in the old role is of no account
        outside.clock.advance(2)
    resource.promote(20.0, {})
    outside.command_ends()
    assert resource.record.phase is Phase.PROMOTED
    outside.command_ends(0, "1000\n")
    assert scores(outside) == ["--update 500", "--update 1000"]
    heard(outside)
    outside.clock.advance(2)
    outside.command_ends(0, "900\n")
    outside.clock.advance(2)
    assert scores(outside) == ["--update 500", "--update 1000"]


def test_a_score_command_that_cannot_be_executed_is_asked_again_and_fails_nothing(
    critical_events: list[LogEvent],
) -> None:
    """Its package is being upgraded, say: the service is taken up by the next daemon all the same."""
    before, after = Outside(), Outside()
    unpromoted(before, promotion_score={"command": ["/bin/score"], "interval": "5s"})
    there: list[bool] = []

    def run(program: Program) -> Deferred[Ended]:
        return after._run(program) if there else fail(FileNotFoundError(2, "No such file", program.argv[0]))

    after.world = replace(after.world, run=run)
    resource = after.take_up(before.store.load("web"))
    assert monitored(resource) == Answer(0)
    there.append(True)
    after.clock.advance(5)
    after.command_ends(0, "40\n")
    assert scores(after) == ["--update 40"]
    assert critical_events == []


def test_a_score_that_was_not_heard_is_told_again() -> None:
    """The cluster may just be electing."""
    outside = Outside()
    unpromoted(outside)
    heard(outside, 102)
    outside.clock.advance(2)
    assert scores(outside) == ["--update 100", "--update 100"]


def test_a_stop_is_done_when_its_score_is_gone() -> None:
    """Else what Pacemaker starts next it may promote by what its predecessor was worth, and that one had data."""
    outside = Outside()
    resource = promoted(outside)
    got: list[Answer] = []
    resource.stop(20.0).addCallback(got.append)
    outside.service.on_cleared()
    assert got == []
    heard(outside)
    assert got == [Answer(0)]


@pytest.mark.parametrize(("seconds", "patience"), [(20.0, 2.0), (4.0, 1.0)])
def test_a_stop_does_not_fail_for_a_score_that_cannot_be_taken_back(seconds: float, patience: float) -> None:
    """A failed stop fences. It is taken back later."""
    outside = Outside()
    resource = promoted(outside)
    got = resource.stop(seconds)
    outside.service.on_cleared()
    outside.clock.advance(patience)
    assert now(got) == Answer(0)
    heard(outside, 102)
    outside.clock.advance(2)
    assert scores(outside) == ["--update 100", "--delete", "--delete"]


def test_a_beginner_does_not_inherit_a_score() -> None:
    """Of one that was stopped while there was no daemon: until its own command says something there is none."""
    outside = Outside()
    resource = outside.running(**KEYS, promotion_score={"command": ["/bin/true", "score"]})
    assert scores(outside) == ["--delete"]
    heard(outside)
    resource.stop(20.0)
    heard(outside)
    outside.service.on_cleared()
    resource.start({**DEFINITION, **KEYS}, "n1", 20.0)
    assert scores(outside) == ["--delete", "--delete"]  # it is gone, and Pacemaker has said so


def test_no_score_is_something_to_tell_after_a_former_daemon() -> None:
    """Which may have told one: a replica that has fallen behind since must not be promoted by it."""
    outside = Outside()
    unpromoted(outside, promotion_score={"command": ["/bin/true", "score"]})
    outside.command_ends(0, "100\n")
    assert scores(outside) == ["--update 100"]
    later = Outside()
    later.take_up(outside.store.load("web"))
    later.command_ends(0, "")
    assert scores(later) == ["--delete"]


@pytest.mark.parametrize(("recurring", "seconds"), [(False, 1), (True, 30)])
def test_a_score_is_told_again_when_pacemaker_monitors(recurring: bool, seconds: float) -> None:
    """It forgets it with its attribute daemon, and when it is started again beside a service in maintenance."""
    outside = Outside()
    resource = promoted(outside)
    heard(outside)
    resource.monitor(20.0, recurring=True, hold=0)
    outside.clock.advance(seconds - 0.5)
    resource.monitor(20.0, recurring=recurring, hold=0)
    assert scores(outside) == ["--update 100"]
    outside.clock.advance(0.5)
    resource.monitor(20.0, recurring=recurring, hold=0)
    assert scores(outside) == ["--update 100", "--update 100"]


def test_nothing_is_told_of_what_has_died() -> None:
    """Neither the score again, nor a change that was waiting."""
    outside = Outside()
    resource = promoted(outside)
    outside.service.on_end(-9)
    heard(outside, 102)
    outside.clock.advance(60)
    resource.monitor(20.0, recurring=False, hold=0)
    assert scores(outside) == ["--update 100"]


def test_a_score_that_has_changed_while_an_older_one_was_told_in_vain_is_told_next() -> None:
    """The definition has been reloaded meanwhile."""
    outside = Outside()
    resource = unpromoted(outside)
    assert resource.record.definition is not None
    resource.reloading.reload({**resource.record.definition, "promotion_score": roles.promotion_score(50)})
    assert scores(outside) == ["--update 100"]
    heard(outside, 102)
    assert scores(outside) == ["--update 100", "--update 50"]


def test_what_cannot_be_told_is_told_ever_more_rarely() -> None:
    """Pacemaker may be down for the night, with the service in maintenance."""
    outside = Outside()
    unpromoted(outside)
    for pause in (2, 4, 8, 16, 32, 60, 60):
        heard(outside, 102)
        count = len(scores(outside))
        outside.clock.advance(pause - 0.5)
        assert len(scores(outside)) == count
        outside.clock.advance(0.5)
        assert len(scores(outside)) == count + 1
