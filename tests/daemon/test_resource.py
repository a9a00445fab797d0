"""A resource from start to stop, with the world in memory."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from tests.fakes.service import FakeDriver
from tests.fakes.world import DEFINITION, Outside
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Event, Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.incarnation import SETTLE
from tocsin_daemon.resource import Resource
from tocsin_ocf.processes import Process


def answers(*deferreds: Deferred[Answer]) -> list[Answer]:
    """Collect the answers as they come."""
    got: list[Answer] = []
    for deferred in deferreds:
        deferred.addCallback(got.append)
    return got


def test_start_answers_when_the_service_has_settled_not_before() -> None:
    """A start that returns too early gives an endless loop of restarts."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    got = answers(resource.start(DEFINITION, "n1", 20.0))
    outside.clock.advance(SETTLE / 2)
    assert got == []
    outside.clock.advance(SETTLE)
    assert got == [Answer(0)]
    assert outside.store.load("web") == resource.record
    assert outside.clock.getDelayedCalls() == []


def test_a_service_that_dies_while_starting_fails_the_start_with_its_reason_and_no_report() -> None:
    """The failed start itself tells Pacemaker."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    got = answers(resource.start(DEFINITION, "n1", 20.0))
    outside.service.output.tail.append("bad port")
    outside.service.on_end(3)
    assert got[0].code == 1
    assert "exited with status 3: bad port" in got[0].text
    assert outside.cluster.count("crm_") == 0
    outside.clock.advance(SETTLE)
    assert resource.record.phase is Phase.FAILED


def test_a_service_that_cannot_be_executed_fails_the_start_with_its_own_code() -> None:
    """5 where the program is missing, 4 without rights: as the driver says."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    outside.service.refuses = CannotStart(5, "no such program")
    assert answers(resource.start(DEFINITION, "n1", 20.0)) == [Answer(5, "no such program")]
    assert answers(resource.monitor(18.0, recurring=False, hold=0.0)) == [Answer(7, "no such program")]


def test_start_of_the_started_and_stop_of_the_stopped_do_nothing() -> None:
    """Idempotent, as OCF asks."""
    outside = Outside()
    resource = outside.running()
    assert answers(resource.start({"command": ["/bin/other"]}, "n1", 20.0)) == [Answer(0)]
    assert outside.service.events == ["start"]
    assert answers(Resource(Record("db"), outside.world).stop(20.0)) == [Answer(0)]


def test_stop_answers_only_when_nothing_is_left() -> None:
    """However often it is asked."""
    outside = Outside()
    resource = outside.running()
    got = answers(resource.stop(20.0), resource.stop(20.0))
    outside.service.on_end(0)
    assert got == []
    outside.service.on_cleared()
    assert got == [Answer(0), Answer(0)]
    assert resource.record.phase is Phase.STOPPED
    assert outside.cluster.count("crm_") == 0


def test_a_stop_whose_time_is_over_says_what_is_left() -> None:
    """An honest error is better than being killed by Pacemaker."""
    outside = Outside()
    resource = outside.running()
    outside.service.remains = [Process(7, "db", "D", 1, 4711, 5)]
    got = answers(resource.stop(18.0))
    outside.clock.advance(18.0)
    assert got[0].code == 1
    assert "db[7] D" in got[0].text
    assert outside.service.plan.kill_after == 12.0


def test_a_death_while_running_is_an_incident_with_evidence() -> None:
    """Cause, last output and what is left of the service are kept, on disk too."""
    outside = Outside()
    resource = outside.running()
    outside.service.output.tail.append("segfault")
    outside.service.remains = [Process(8, "worker", "S", 1, 4711, 5)]
    outside.service.on_end(-9)
    incident = outside.store.load("web").incident
    assert incident is not None
    assert "signal 9 (KILL)" in incident.cause
    assert incident.output == ("segfault",)
    assert incident.processes == ("worker[8] S",)
    assert incident.stage is Stage.CHECKING
    assert resource.record.incidents == 1


def test_a_monitor_of_the_failed_carries_the_cause_and_ends_the_report() -> None:
    """Pacemaker knows now; a second count for one fault would be false."""
    outside = Outside()
    resource = outside.running()
    outside.service.on_end(-9)
    assert answers(resource.monitor(18.0, recurring=False, hold=0.0))[0].code == 7
    assert resource.record.incident is not None
    assert resource.record.incident.stage is Stage.CHECKING
    got = answers(resource.monitor(18.0, recurring=True, hold=0.0))
    assert got[0].code == 7
    assert "KILL" in got[0].text
    assert resource.record.incident.stage is Stage.LEARNED
    assert outside.cluster.cancelled == 1


def test_a_monitor_during_a_stop_waits_for_its_end() -> None:
    """Neither "running" nor "not running" would be true."""
    outside = Outside()
    resource = outside.running()
    resource.stop(20.0)
    got = answers(resource.monitor(18.0, recurring=False, hold=0.0))
    assert got == []
    outside.service.on_end(0)
    outside.service.on_cleared()
    assert got == [Answer(7)]


def test_a_start_of_the_failed_clears_what_is_left_first() -> None:
    """Two generations of one service never overlap."""
    outside = Outside()
    resource = outside.running()
    outside.service.on_end(-9)
    got = answers(resource.start(DEFINITION, "n1", 20.0))
    assert outside.service.events == ["start", "clear"]
    outside.service.on_cleared()
    outside.clock.advance(SETTLE)
    assert outside.service.events == ["start", "clear", "start"]
    assert got == [Answer(0)]
    assert resource.record.incident is not None
    assert "recovered" in resource.record.incident.marks


def test_a_settled_timer_of_a_former_incarnation_means_nothing() -> None:
    """Stopped and started again within the settling time: the new one has its own."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    resource.start(DEFINITION, "n1", 20.0)
    outside.clock.advance(SETTLE * 0.8)
    resource.stop(20.0)
    outside.service.on_end(0)
    outside.service.on_cleared()
    got = answers(resource.start(DEFINITION, "n1", 20.0))
    outside.clock.advance(SETTLE * 0.5)
    assert got == []


def test_an_event_without_a_row_is_logged_and_changes_nothing() -> None:
    """The watch goes on."""
    outside = Outside()
    resource = outside.running()
    before = resource.record
    resource.feed(Event.CLEARED)
    assert resource.record == before


def test_a_full_disk_stops_neither_watch_nor_report() -> None:
    """It is logged, and memory is the truth until there is room again."""
    outside = Outside()
    resource = outside.running()
    outside.store.full = True
    outside.service.on_end(-9)
    assert resource.record.phase is Phase.FAILED
    assert outside.cluster.count("crm_mon") == 1


def test_a_client_that_vanishes_is_forgotten() -> None:
    """Pacemaker kills its actions when they take too long."""
    outside = Outside()
    resource = outside.running()
    waiting = resource.stop(20.0)
    waiting.addErrback(lambda failure: None)
    waiting.cancel()
    outside.service.on_end(0)
    outside.service.on_cleared()
    assert resource.record.phase is Phase.STOPPED
    assert outside.clock.getDelayedCalls() == []


def test_fakes_keep_the_signatures_of_the_real_things() -> None:
    """A fake that drifts would prove nothing."""
    from inspect import signature

    from tocsin_daemon.driver import Driver

    for name in ("start", "adopt", "members", "clear", "left", "cancel", "evidence"):
        real, fake = signature(getattr(Driver, name)), signature(getattr(FakeDriver, name))
        assert list(real.parameters) == list(fake.parameters), name


def test_a_start_during_a_stop_that_nobody_waits_for_takes_over() -> None:
    """Pacemaker runs one action at a time: who asked for the stop is gone."""
    outside = Outside()
    resource = outside.running()
    stopped = answers(resource.stop(20.0))
    got = answers(resource.start(DEFINITION, "n1", 20.0))
    assert stopped[0].code == 1
    outside.service.on_end(0)
    outside.service.on_cleared()
    outside.clock.advance(SETTLE)
    assert got == [Answer(0)]


def test_a_start_whose_state_cannot_be_saved_fails() -> None:
    """The next daemon would know nothing of the service, and start it a second time."""
    outside = Outside()
    outside.store.full = True
    resource = Resource(Record("web"), outside.world)
    (answer,) = answers(resource.start(DEFINITION, "n1", 20.0))
    assert answer.code == 1 and "No space left" in answer.text
    assert outside.service.events == []


def test_evidence_that_cannot_be_had_stops_no_report(critical_events: list[LogEvent]) -> None:
    """Whatever is wrong with it."""
    outside = Outside()
    outside.running()
    outside.service.output.rest = lambda: 1 // 0  # type: ignore[method-assign,assignment,return-value]
    outside.service.on_end(-9)
    assert outside.cluster.count("crm_mon") == 0  # without an incident there is nothing to report
    assert len(critical_events) == 1
    critical_events.clear()


def test_a_bug_in_a_start_is_an_answer(critical_events: list[LogEvent]) -> None:
    """And not a start that never ends."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    outside.service.start = lambda *_: 1 // 0  # type: ignore[method-assign,assignment]
    (answer,) = answers(resource.start(DEFINITION, "n1", 20.0))
    assert answer.code == 1
    assert len(critical_events) == 1
    critical_events.clear()


def test_a_kill_is_noted_with_what_there_was_to_see() -> None:
    """Why did it not end by itself? Afterwards nobody can look."""
    outside = Outside()
    resource = outside.running()
    resource.stop(20.0)
    outside.service.on_kill(("db[7] D io_schedule",))
    assert "db[7] D io_schedule" in resource.record.journal[-1].text
