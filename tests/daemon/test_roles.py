"""A service with roles: its commands, its checks, its score, and what Pacemaker is answered."""

from __future__ import annotations

import pytest

from tests.fakes.asking import CAUSE, monitored, now, stage
from tests.fakes.promotable import ASKED, heard, promoted, scores, unpromoted
from tests.fakes.world import Outside, status_xml
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.judgement import Verdict
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.core.report import Stage


def test_promote_runs_the_command_and_answers_when_the_checks_agree() -> None:
    """0 means that a monitor would say 8."""
    outside = Outside()
    resource = unpromoted(outside)
    assert outside.watch.role == "unpromoted"
    outside.watch.say(ready=True)
    got: list[Answer] = []
    resource.promote(20.0, ASKED).addCallback(got.append)
    assert resource.record.phase is Phase.PROMOTING
    outside.watch.verdict = Verdict(ready=False, waiting="check rw has not passed yet")
    program = outside.command_ends()
    assert program.argv[1:] == ("up",)
    assert outside.watch.role == "promoted"
    assert got == []
    outside.watch.say(ready=True)
    assert got == [Answer(0)]
    assert monitored(resource) == Answer(8)


@pytest.mark.parametrize("action", ["promote", "demote"])
def test_a_failed_command_fails_the_action_and_is_not_healed_by_checks(action: str) -> None:
    """Nobody knows which role it has: only a stop mends that."""
    outside = Outside()
    resource = unpromoted(outside) if action == "promote" else promoted(outside)
    got = getattr(resource, action)(20.0, ASKED)
    outside.command_ends(3, "no quorum\n")
    answer = now(got)
    assert answer == Answer(1, f"{action}: {action}_command exited with status 3: no quorum")
    assert resource.record.phase is Phase.FAILED
    outside.watch.say(ready=True)
    assert resource.record.phase is Phase.FAILED
    told = monitored(resource)
    assert told is not None and told.code == 9
    assert outside.cluster.asked == []  # the action tells it: no report


def test_the_role_of_a_failed_change_is_not_taken_up_as_well_by_the_next_daemon() -> None:
    """What stays, stays across a restart of the daemon."""
    outside = Outside()
    resource = unpromoted(outside)
    resource.promote(20.0, ASKED)
    outside.command_ends(1)
    later = Outside()
    taken = later.take_up(outside.store.load("web"))
    assert not later.watch.running
    told = monitored(taken)
    assert told is not None and told.code == 9


@pytest.mark.parametrize("action", ["promote", "demote"])
def test_at_no_moment_is_a_failed_change_on_disk_without_its_failure(
    action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that dies there is followed by one that takes FAILED without a failure for PROMOTED, and says 0."""
    outside = Outside()
    resource = unpromoted(outside) if action == "promote" else promoted(outside)
    getattr(resource, action)(20.0, ASKED)
    saved: list[Record] = []
    monkeypatch.setattr(outside.store, "save", saved.append)
    outside.command_ends(1)
    failed = [record for record in saved if record.phase is Phase.FAILED]
    assert failed and all(record.failure and record.failure.stays for record in failed)
    later = Outside()
    taken = later.take_up(failed[0])
    answer = now(taken.promote(20.0, ASKED))
    assert answer is not None and answer.code == 1


def test_demote_goes_back_and_does_not_wait_for_the_checks_of_the_other_role() -> None:
    """A replica has nobody to replicate before somebody else is promoted, and that waits for the demote."""
    outside = Outside()
    resource = promoted(outside)
    got = resource.demote(20.0, ASKED)
    assert resource.record.phase is Phase.DEMOTING
    outside.watch.verdict = Verdict(ready=False)
    program = outside.command_ends()
    assert program.argv[1:] == ("down",)
    assert program.environment["TOCSIN_ROLE"] == "promoted"  # what it is, not what it is to be
    assert now(got) == Answer(0)
    assert outside.watch.role == "unpromoted"
    assert outside.watch.settled
    assert monitored(resource) == Answer(0)


def test_the_death_of_the_promoted_one_is_reported_and_the_demote_that_follows_ends_what_is_left() -> None:
    """As Pacemaker recovers: demote, stop, start. The demote of the dead succeeds."""
    outside = Outside()
    resource = promoted(outside)
    outside.service.on_end(-9)
    assert stage(resource) is Stage.CHECKING
    outside.cluster.reply(0, status_xml())
    assert stage(resource) is Stage.SENDING
    got = resource.demote(20.0, ASKED)
    assert resource.record.phase is Phase.STOPPING
    assert outside.service.events[-1] == "clear"
    outside.service.on_cleared()
    heard(outside)
    assert now(got) == Answer(0)
    stopped = resource.stop(20.0)
    assert now(stopped) == Answer(0)


def test_a_promote_that_finds_it_dead_tells_it_and_nothing_is_injected_as_well() -> None:
    """Pacemaker counts the failed promote: a second failure would be that of the next incarnation."""
    outside = Outside()
    resource = unpromoted(outside)
    outside.service.on_end(-9)
    assert stage(resource) is Stage.CHECKING
    answer = now(resource.promote(20.0, ASKED))
    assert answer is not None and answer.code == 1
    assert stage(resource) is Stage.LEARNED
    assert outside.cluster.cancelled == 1
    outside.clock.advance(60)
    assert outside.cluster.count("--fail") == 0


def test_a_promoted_service_is_never_restarted_here() -> None:
    """It would come back unpromoted, and nobody would know."""
    outside = Outside()
    resource = promoted(outside, restart_attempts=5)
    outside.service.on_end(-9)
    assert resource.record.phase is Phase.FAILED
    assert stage(resource) is Stage.CHECKING


def test_a_promoted_service_whose_checks_heal_is_promoted_again() -> None:
    """In maintenance nobody has touched it."""
    outside = Outside()
    resource = promoted(outside)
    outside.watch.say(failed=CAUSE)
    assert resource.record.phase is Phase.FAILED
    outside.watch.say(failed="")
    assert resource.record.phase is Phase.PROMOTED


def test_what_has_no_roles_implements_no_promote() -> None:
    """3, which is how OCF says so; and the service goes on."""
    outside = Outside()
    resource = outside.running()
    for action in (resource.promote, resource.demote):
        answer = now(action(20.0, {}))
        assert answer is not None and answer.code == 3
    assert resource.record.phase is Phase.RUNNING
    assert outside.watch.role == ""


def test_a_stop_gives_up_a_promotion() -> None:
    """Its command is killed, and its end is not heard."""
    outside = Outside()
    resource = unpromoted(outside)
    resource.promote(20.0, ASKED)
    resource.stop(20.0)
    assert outside.killed == 1
    assert resource.record.phase is Phase.STOPPING


def test_a_promotion_that_waits_for_its_checks_too_long_names_them() -> None:
    """Not only that time has passed."""
    outside = Outside()
    resource = unpromoted(outside)
    got = resource.promote(20.0, ASKED)
    outside.watch.verdict = Verdict(ready=False, waiting="check rw has not passed yet")
    outside.command_ends()
    outside.clock.advance(20)
    answer = now(got)
    assert answer == Answer(1, "promote: still promoting after 20 s; check rw has not passed yet")


def test_a_promotion_that_a_dead_daemon_left_is_made_again_when_it_is_asked_again() -> None:
    """The agent asks the next daemon; until then nothing is said to be promoted."""
    outside = Outside()
    unpromoted(outside).promote(20.0, ASKED)
    later = Outside()
    resource = later.take_up(outside.store.load("web"))
    later.watch.say(ready=True)
    assert resource.record.phase is Phase.PROMOTING
    got = resource.promote(20.0, ASKED)
    later.command_ends()
    assert now(got) == Answer(0)


def test_a_promoted_service_is_taken_up_promoted() -> None:
    """With the checks of its role, and its score told again: the former daemon may have died before it could."""
    outside = Outside()
    promoted(outside)
    later = Outside()
    resource = later.take_up(outside.store.load("web"))
    assert later.watch.role == "promoted"
    assert monitored(resource) == Answer(8)
    assert scores(later) == ["--update 100"]
