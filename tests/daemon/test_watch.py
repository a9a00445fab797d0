"""The watch over one resource: when it looks, how long it waits, what it tells; on a clock, without a socket."""

from __future__ import annotations

import pytest
from twisted.logger import LogEvent

from tests.fakes.checks import BAD, WELL, Watched, spec
from tocsin_daemon.core.check import On, Outcome, Result


def test_after_a_start_what_never_passed_may_fail(web: Watched) -> None:
    """A check that only degrades is not waited for; once the service is up its looks count."""
    web.tcp.answer = BAD
    web.begin(spec(interval=1.0, on=On.DEGRADE), settled=False)
    assert web.watch.verdict.ready
    web.pass_time(5)
    assert web.watch.verdict.degraded


def test_a_service_that_was_taken_over_has_no_time_to_start(web: Watched) -> None:
    """It has been up long since."""
    web.tcp.answer = BAD
    web.begin(spec(interval=1.0), settled=True)
    web.pass_time(5)
    assert web.watch.verdict.failed == "check one failed 3 times: refused"
    assert len(web.verdicts) == 1


@pytest.mark.parametrize("answer", [ValueError("bug"), "nonsense"])
def test_a_check_that_is_broken_has_not_looked(web: Watched, answer: object, critical_events: list[LogEvent]) -> None:
    """It is logged, and looks again; the service is none the worse, only not checked."""
    web.tcp.answer = answer
    web.begin(spec(interval=1.0))
    web.pass_time(4)
    assert len(web.tcp.begun) >= 3
    assert web.watch.verdict.failed == ""
    assert "could not be made 3 times: the check is broken" in web.watch.verdict.degraded
    assert critical_events
    critical_events.clear()
    web.tcp.answer = WELL
    web.pass_time(2)
    assert web.watch.verdict.degraded == ""


def test_a_check_that_cannot_be_built_is_tried_again(web: Watched, critical_events: list[LogEvent]) -> None:
    """Its module may be missing now."""
    web.tcp.wrong = web.systemd.wrong = ImportError("no module")
    web.begin(spec(interval=1.0), spec("two", "systemd", interval=1.0, fall=1))
    web.pass_time(1.5)
    assert [row.state for row in web.watch.rows()] == ["unknown", "not checked"]
    web.tcp.wrong = web.systemd.wrong = None
    web.tcp.answer = WELL
    web.pass_time(2)
    web.systemd.tells[0](WELL)
    assert [row.state for row in web.watch.rows()] == ["well", "well"]
    critical_events.clear()


def test_a_deaf_listener_does_not_end_the_watch(web: Watched, critical_events: list[LogEvent]) -> None:
    """What the verdict is told to may have a bug."""
    web.watch._on_verdict = lambda verdict: 1 / 0  # type: ignore[assignment,return-value]
    web.tcp.answer = BAD
    web.begin(spec(interval=1.0))
    web.pass_time(10)
    assert len(web.tcp.begun) == 10
    assert len(critical_events) == 1
    critical_events.clear()


def test_what_is_told_counts_at_once(web: Watched) -> None:
    """And no timer runs for it."""
    web.begin(spec("unit", "systemd", fall=1))
    web.systemd.tells[0](Outcome(Result.BAD, "unit failed"))
    assert web.watch.verdict.failed == "check unit failed once: unit failed"
    assert web.clock.getDelayedCalls() == []
    web.watch.end()
    assert web.systemd.ended == ["unit"]
    web.systemd.tells[0](WELL)
    assert web.watch.verdict.failed


def test_what_is_told_once_counts_again_until_it_is_enough(web: Watched) -> None:
    """Three in a row are three intervals, unless something else is told meanwhile."""
    web.begin(spec("unit", "systemd", fall=3, interval=2.0))
    web.systemd.tells[0](BAD)
    web.pass_time(3.5)
    assert web.watch.verdict.failed == ""
    web.systemd.tells[0](WELL)
    web.systemd.tells[0](BAD)
    web.pass_time(3.5)
    assert web.watch.verdict.failed == ""
    web.pass_time(1)
    assert web.watch.verdict.failed
    web.pass_time(10)
    assert web.clock.getDelayedCalls() == []


def test_a_check_that_stays_the_same_keeps_its_standing(web: Watched) -> None:
    """Others are exchanged while the watch goes on."""
    web.tcp.answer = BAD
    web.begin(spec("a", interval=1.0), spec("b", interval=1.0))
    web.pass_time(4)
    since = web.watch.rows()[0].since
    web.tcp.answer = WELL
    web.watch.replace([spec("c", interval=1.0), spec("a", interval=1.0)])
    assert [(row.name, row.state) for row in web.watch.rows()] == [("c", "unknown"), ("a", "failed")]
    assert web.watch.rows()[1].since == since
    web.tcp.begun.clear()
    web.pass_time(2)
    assert set(web.tcp.begun) == {"a", "c"}
    assert web.watch.verdict.failed == ""


def test_checks_may_be_replaced_before_there_is_a_watch(web: Watched) -> None:
    """A definition is read before the service is started."""
    web.watch.replace([spec()])
    assert web.watch.rows() == []
    assert not web.watch.running


def test_a_new_incarnation_knows_nothing_of_the_last(web: Watched) -> None:
    """Its failures were those of another process."""
    web.tcp.answer = BAD
    web.begin(spec(interval=1.0))
    web.pass_time(5)
    web.watch.begin(web.clock.seconds())
    assert web.watch.verdict.failed == ""
    assert not web.watch.verdict.ready
    assert web.watch.rows()[0].state == "unknown"


def test_a_check_of_another_role_does_not_look(web: Watched) -> None:
    """What only the promoted one can pass says nothing of the others, and would cost them time."""
    web.begin(spec(interval=1.0, role="promoted"))
    web.pass_time(5)
    assert web.tcp.looks == []
    assert web.watch.verdict.ready


def test_a_new_role_is_judged_by_its_checks_from_now_on(web: Watched) -> None:
    """What it was before the change does not count, and those of the former role end."""
    web.tcp.answer = BAD
    web.begin(spec("mine", interval=1.0, role="promoted"), spec("old", interval=1.0, role="unpromoted"))
    web.watch.set_role("promoted", settled=True)
    assert [row.name for row in web.watch.rows()] == ["mine"]
    assert not web.watch.verdict.failed
    web.pass_time(5)
    assert web.watch.verdict.failed.startswith("check mine failed 3 times")


def test_a_promotion_waits_for_the_checks_of_its_role(web: Watched) -> None:
    """As a start waits: what has not passed yet has not failed either, as long as somebody with a time limit waits."""
    web.tcp.answer = BAD
    web.begin(spec(interval=1.0, role="promoted"))
    web.watch.set_role("promoted", settled=False)
    web.pass_time(30)
    assert not web.watch.verdict.ready
    assert not web.watch.verdict.failed
    web.tcp.answer = WELL
    web.pass_time(2)
    assert web.watch.verdict.ready


def test_a_check_of_any_role_goes_on_when_the_role_changes(web: Watched) -> None:
    """Its standing is the same service's."""
    web.tcp.answer = WELL
    web.begin(spec(interval=1.0))
    web.pass_time(5)
    looks = web.watch.rows()[0].looks
    web.watch.set_role("promoted", settled=True)
    assert web.watch.rows()[0].looks == looks
    assert web.watch.verdict.ready


def test_a_verdict_may_end_the_watch(web: Watched) -> None:
    """The service failed: it is cleared, and not looked at any more."""
    web.tcp.answer = BAD
    web.watch._on_verdict = lambda verdict: web.watch.end()
    web.begin(spec("a", interval=1.0), spec("b", interval=1.0))
    web.pass_time(5)
    assert not web.watch.running
    assert web.clock.getDelayedCalls() == []


def test_a_row_says_what_was_found(web: Watched) -> None:
    """As `tocsin status` shows it."""
    web.begin(spec(interval=1.0))
    while not web.tcp.looks:
        web.clock.advance(0.1)
    web.clock.advance(0.4)
    web.tcp.looks[0].callback(Outcome(Result.WELL, "x" * 1000))
    row = web.watch.rows()[0]
    assert (row.name, row.state, row.looks, len(row.text)) == ("one", "well", 1, 300)
    assert row.took == pytest.approx(0.4)


def test_lost_time_is_felt_only_where_there_is_a_check_whose_time_it_is(web: Watched) -> None:
    """The pulse beats ten times a second: a daemon whose services only have to live sleeps."""
    web.begin()
    assert web.pulse.users == 0
    web.watch.replace([spec(interval=1.0)])
    web.watch.replace([spec(interval=1.0), spec("two", interval=2.0)])
    assert web.pulse.users == 1
    web.watch.replace([])
    assert web.pulse.users == 0
