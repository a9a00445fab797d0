"""A service with roles: its commands, its checks, its score, and what Pacemaker is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.logger import LogEvent

from tests.daemon.test_judged import CAUSE, monitored, now, stage
from tests.fakes.world import DEFINITION, FakeDriver, Outside, status_xml
from tocsin_daemon.checks.outside import Ended
from tocsin_daemon.children import Program
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.judgement import Verdict
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.daemon import Daemon
from tocsin_daemon.resource import Resource
from tocsin_ocf import definition as definitions
from tocsin_ocf import roles
from tocsin_ocf.pacemaker import Reply

KEYS = {"promote_command": ["/bin/true", "up"], "demote_command": ["/bin/true", "down"]}
ASKED = {"OCF_RESKEY_CRM_meta_notify_type": "post", "LD_PRELOAD": "/tmp/evil.so"}


def unpromoted(outside: Outside, **keys: object) -> Resource:
    """Return `web`, up and unpromoted; what was told of an earlier one has been taken back."""
    resource = outside.running(**{**KEYS, **keys})
    aside = outside.cluster.aside
    command, gone = next(each for each in aside if "--delete" in each[0])
    aside.remove((command, gone))
    gone.callback(Reply(0))
    return resource


def promoted(outside: Outside, **keys: object) -> Resource:
    """Return `web`, promoted."""
    resource = unpromoted(outside, **keys)
    resource.promote(20.0, ASKED)
    outside.command_ends()
    assert resource.record.phase is Phase.PROMOTED
    return resource


def scores(outside: Outside) -> list[str]:
    """Return what crm_attribute was to do."""
    return [command.split("--node n1 ")[1] for command, _ in outside.cluster.aside if "crm_attribute" in command]


def heard(outside: Outside, code: int = 0) -> None:
    """Let the last crm_attribute answer."""
    [done for command, done in outside.cluster.aside if "crm_attribute" in command][-1].callback(Reply(code))


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


def test_a_command_gets_pacemakers_environment_and_nothing_that_loads_code() -> None:
    """The whole notify environment, and who asks."""
    outside = Outside()
    unpromoted(outside).promote(20.0, ASKED)
    environment = outside.commands[-1][0].environment
    assert environment["OCF_RESKEY_CRM_meta_notify_type"] == "post"
    assert environment["TOCSIN_RESOURCE"] == "web"
    assert environment["TOCSIN_ACTION"] == "promote"
    assert environment["TOCSIN_NODE"] == "n1"
    assert environment["TOCSIN_ROLE"] == "unpromoted"
    assert "LD_PRELOAD" not in environment
    assert "TOCSIN_INCARNATION" not in environment


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
    daemon = Daemon(lambda _: later.world, 60.0, lambda: None)
    daemon.resume(outside.store.load("web"))
    assert not later.watch.running
    told = monitored(daemon.resources["web"])
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
    daemon = Daemon(lambda _: later.world, 60.0, lambda: None)
    daemon.resume(failed[0])
    answer = now(daemon.resources["web"].promote(20.0, ASKED))
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


def test_a_command_that_takes_too_long_is_killed_in_time_to_say_so() -> None:
    """What it might still do after Pacemaker has gone on would be nobody's order."""
    outside = Outside()
    resource = unpromoted(outside)
    got = resource.promote(20.0, ASKED)
    outside.clock.advance(19.9)
    assert now(got) == Answer(1, "promote: promote_command took longer than 20 s")
    assert outside.killed == 1
    assert resource.record.phase is Phase.FAILED


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
    daemon = Daemon(lambda _: later.world, 60.0, lambda: None)
    daemon.resume(outside.store.load("web"))
    resource = daemon.resources["web"]
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
    daemon = Daemon(lambda _: later.world, 60.0, lambda: None)
    daemon.resume(outside.store.load("web"))
    assert later.watch.role == "promoted"
    assert monitored(daemon.resources["web"]) == Answer(8)
    assert scores(later) == ["--update 100"]


def test_notify_runs_its_command_and_cannot_fail() -> None:
    """Pacemaker ignores its result; the log does not."""
    outside = Outside()
    resource = unpromoted(outside, notify_command=["/bin/true", "told"])
    got = resource.notify(20.0, ASKED)
    assert now(got) is None
    program = outside.command_ends(1, "oops")
    assert program.environment["OCF_RESKEY_CRM_meta_notify_type"] == "post"
    assert resource.record.phase is Phase.RUNNING


def test_notify_ends_with_its_time_and_needs_no_command() -> None:
    """Nothing waits for ever."""
    outside = Outside()
    assert now(unpromoted(outside).notify(20.0, ASKED)) == Answer(0)
    resource = unpromoted(outside, notify_command=["/bin/true"])
    got: Deferred[Answer] = resource.notify(5.0, ASKED)
    outside.clock.advance(5)
    assert now(got) == Answer(0)
    assert outside.killed == 1


def test_notify_of_what_does_not_run_does_nothing() -> None:
    """Its own pre-start is none of its business."""
    outside = Outside()
    assert now(Resource(Record("web"), outside.world).notify(5.0, {})) == Answer(0)
    assert outside.commands == []


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
    daemon = Daemon(lambda _: after.world, 60.0, lambda: None)
    daemon.resume(before.store.load("web"))
    assert monitored(daemon.resources["web"]) == Answer(0)
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
    Daemon(lambda _: later.world, 60.0, lambda: None).resume(outside.store.load("web"))
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


def test_a_signal_changes_the_role_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of exactly the main process."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr("tocsin_daemon.roles.processes.look", lambda pid: _Alive(pid))
    monkeypatch.setattr("tocsin_daemon.roles.processes.send_signal", lambda p, number: sent.append((p.pid, number)))
    outside = Outside()
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    got = resource.promote(20.0, {})
    outside.clock.advance(0)
    assert now(got) == Answer(0)
    now(resource.demote(20.0, {}))
    outside.clock.advance(0)
    assert sent == [(4711, 10), (4711, 12)]
    assert resource.record.phase is Phase.RUNNING


def test_signals_keep_their_order_with_what_is_asked_in_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that did not run for a while finds several requests; what it is asked last is what holds."""
    outside = Outside()
    monkeypatch.setattr("tocsin_daemon.roles.processes.look", lambda pid: _Alive(pid))
    monkeypatch.setattr(
        "tocsin_daemon.roles.processes.send_signal", lambda _, number: outside.service.events.append(f"signal {number}")
    )
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    for ask in (resource.promote, resource.demote, resource.promote):
        ask(20.0, {})
    outside.clock.advance(0)
    assert (resource.record.phase, resource.record.role) == (Phase.PROMOTED, "promoted")
    resource.demote(20.0, {})
    resource.stop(20.0)
    outside.clock.advance(0)
    assert outside.service.events == ["start", "signal 10", "signal 12", "signal 10", "signal 12", "clear"]


def test_a_service_that_is_no_process_hears_no_signal() -> None:
    """Which is said at once."""
    outside = Outside()
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    resource.service.up(None)
    assert now(resource.promote(20.0, {})) == Answer(
        1, "promote: promote_signal is not heard: there is no main process"
    )


def test_a_signal_to_what_has_ended_is_answered_by_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which the driver is about to tell."""
    monkeypatch.setattr("tocsin_daemon.roles.processes.look", lambda pid: None)
    outside = Outside()
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    got = resource.promote(20.0, {})
    outside.service.on_end(-9)
    answer = now(got)
    assert answer is not None and "was killed" in answer.text
    outside.clock.advance(30)
    assert resource.record.phase is Phase.FAILED


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


@pytest.mark.parametrize(
    ("command", "notify", "warned"),
    [(["/bin/true"], "true", False), (["/bin/true"], "false", True), (["/bin/true"], "", True), ([], "", False)],
)
def test_a_notify_command_that_nobody_will_run_is_a_warning(command: list[str], notify: str, warned: bool) -> None:
    """Pacemaker calls `notify` only for clones with meta notify=true, and says in each start whether it will."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    resource.service.roles.asked = {"OCF_RESKEY_CRM_meta_notify": notify} if notify else {}
    definition, _ = definitions.read({**DEFINITION, **KEYS, **({"notify_command": command} if command else {})})
    assert definition is not None
    resource.start(definition.as_dict(), "n1", 20.0)
    outside.clock.advance(0.2)
    asked = [done for argv, done in outside.cluster.aside if "cibadmin" in argv]
    asked[-1].callback(Reply(0, '<primitive><op name="monitor" interval="60s"/></primitive>'))
    assert ("notify_command is never run" in resource.record.warning) == warned


def test_a_command_that_cannot_be_executed_says_so(critical_events: list[LogEvent]) -> None:
    """A user that is gone, as an example."""
    outside = Outside()
    resource = outside.running(**KEYS)
    assert resource.service.definition is not None
    resource.service.definition.user = "no-such-user"
    answer = now(resource.promote(20.0, {}))
    assert answer is not None
    assert answer.text.startswith("promote: promote_command cannot be executed")
    critical_events.clear()


def test_a_stopped_process_hears_no_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would change its role when it goes on, and until then somebody else is promoted."""
    sent: list[int] = []
    monkeypatch.setattr("tocsin_daemon.roles.processes.look", lambda pid: _Alive(pid, "T"))
    monkeypatch.setattr("tocsin_daemon.roles.processes.send_signal", lambda p, number: sent.append(number))
    outside = Outside()
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    got = resource.promote(20.0, {})
    outside.clock.advance(0)
    answer = now(got)
    assert answer is not None and answer.code == 1
    assert answer.text.startswith("promote: promote_signal is not heard")
    assert sent == []


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


@pytest.mark.parametrize(("action", "talkative"), [("promote", True), ("notify", True), ("score", False)])
def test_a_command_may_say_much_but_for_that_of_the_score(action: str, talkative: bool) -> None:
    """Of which the first line counts."""
    outside = Outside()
    resource = unpromoted(outside, notify_command=["/bin/true"], promotion_score={"command": ["/bin/true"]})
    if action != "score":
        getattr(resource, action)(20.0, ASKED)
    assert outside.commands[-1][0].talkative == talkative


class _Alive:
    def __init__(self, pid: int, state: str = "S") -> None:
        self.pid, self.start, self.alive, self.state = pid, 99, True, state


class Changing:
    """What a driver has besides whose service can be promoted: it does what the test says."""

    def __init__(self) -> None:
        """Nothing was asked."""
        self.asked: list[tuple[str, str]] = []
        self.done: Deferred[None] = Deferred()

    def change_role(self, role: str, asked: Mapping[str, str]) -> Deferred[None]:
        """Note the role, and the environment of the action."""
        self.asked.append((role, asked["OCF_RESKEY_CRM_meta_notify_type"]))
        self.done = Deferred()
        return self.done


def driven(outside: Outside) -> tuple[Resource, Changing]:
    """Return `web`, whose definition names no command for roles, but whose driver changes them."""
    resource = outside.running(driver="acme-vm", promotion_score=50)
    changing = Changing()
    resource.service.driver.change_role = changing.change_role  # type: ignore[attr-defined]
    return resource, changing


def test_a_beginner_of_a_driver_that_changes_roles_does_not_inherit_a_score_either() -> None:
    """The definition names no command for roles; the driver that it names can."""
    outside = Outside()
    make = outside.world.driver

    def changing(name: str, kind: str) -> FakeDriver:
        made = make(name, kind)
        made.change_role = Changing().change_role  # type: ignore[attr-defined]
        return made  # type: ignore[return-value]

    outside.world = replace(outside.world, driver=changing)  # type: ignore[arg-type]
    outside.running(driver="acme-vm", promotion_score=50)
    assert scores(outside) == ["--delete"]


def test_a_driver_can_change_the_role() -> None:
    """Pacemaker is answered when it says so, and the checks of that role agree."""
    outside = Outside()
    resource, changing = driven(outside)
    got: list[Answer] = []
    resource.promote(20.0, ASKED).addCallback(got.append)
    assert (changing.asked, got, resource.record.phase) == ([("promoted", "post")], [], Phase.PROMOTING)
    changing.done.callback(None)
    assert (got, outside.watch.role, monitored(resource)) == ([Answer(0)], "promoted", Answer(8))
    resource.demote(20.0, ASKED).addCallback(got.append)
    changing.done.callback(None)
    assert (changing.asked[-1], got[1:], resource.record.phase) == (("unpromoted", "post"), [Answer(0)], Phase.RUNNING)
    assert outside.commands == []


def test_a_driver_tells_why_it_could_not_change_the_role() -> None:
    """Nobody knows which role it has, so it has failed; also where it raises at once."""
    for fails in (lambda made: made.done.errback(OSError("no quorum")), None):
        outside = Outside()
        resource, changing = driven(outside)
        if fails is None:
            resource.service.driver.change_role = lambda *_: 1 // 0  # type: ignore[attr-defined]
        got: list[Answer] = []
        resource.promote(20.0, ASKED).addCallback(got.append)
        if fails:
            fails(changing)
        why = "no quorum" if fails else "integer division or modulo by zero"
        assert (got[0].code, got[0].text, resource.record.phase) == (1, f"promote: {why}", Phase.FAILED)


def test_a_driver_that_takes_too_long_is_cancelled_and_not_believed_afterwards() -> None:
    """Pacemaker was told of the failure in time."""
    outside = Outside()
    resource, changing = driven(outside)
    cancelled: list[Deferred[None]] = []
    changing.done = Deferred()

    def late(role: str, asked: Mapping[str, str]) -> Deferred[None]:
        def absorb(done: Deferred[None]) -> None:
            cancelled.append(done)
            done.callback(None)

        return Deferred(absorb)

    resource.service.driver.change_role = late  # type: ignore[attr-defined]
    got: list[Answer] = []
    resource.promote(20.0, ASKED).addCallback(got.append)
    outside.clock.advance(19.9)
    assert (got[0].code, got[0].text) == (1, "promote: its driver took longer than 20 s")
    assert len(cancelled) == 1 and resource.record.phase is Phase.FAILED


def test_a_driver_without_roles_and_without_commands_is_asked_for_none() -> None:
    """3: promotable was a slip of the pen."""
    outside = Outside()
    resource = outside.running(driver="acme-vm")
    got: list[Answer] = []
    resource.promote(20.0, ASKED).addCallback(got.append)
    assert got[0].code == 3


def test_commands_of_the_definition_count_before_the_driver() -> None:
    """The administrator knows better."""
    outside = Outside()
    resource = unpromoted(outside)
    resource.service.driver.change_role = lambda *_: 1 // 0  # type: ignore[attr-defined]
    resource.promote(20.0, ASKED)
    outside.command_ends()
    assert resource.record.phase is Phase.PROMOTED
