"""How long a watch waits for a look: cadence, deadlines, and time in which the machine did not run."""

from __future__ import annotations

import pytest

from tests.fakes.checks import BAD, ERROR, WELL, Watched, spec


def test_looks_keep_their_cadence(web: Watched) -> None:
    """Once an interval, the first within it."""
    web.tcp.answer = WELL
    web.begin(spec(interval=2.0))
    web.pass_time(20)
    assert len(web.tcp.begun) == 10


def test_an_overdue_look_is_skipped_and_never_made_beside_another(web: Watched) -> None:
    """It answers after 5 s where one is due every 2 s."""
    web.begin(spec(interval=2.0, timeout=100.0))
    web.pass_time(2)
    web.pass_time(5)
    assert len(web.tcp.looks) == 1
    web.tcp.looks[0].callback(WELL)
    assert len(web.tcp.looks) == 1
    web.pass_time(2.1)
    assert len(web.tcp.looks) == 2
    assert web.watch.rows()[0].skipped in (2, 3)


def test_no_answer_in_time_is_bad_and_the_look_is_cancelled(web: Watched) -> None:
    """The check need not know about time."""
    web.begin(spec(interval=10.0, timeout=1.0, fall=1))
    while not web.tcp.looks:
        web.clock.advance(0.01)
    web.pass_time(1.04, 0.01)
    assert web.tcp.cancelled == 1
    assert web.watch.verdict.failed == "check one failed once: no answer within 1 s"


def test_a_service_that_hangs_is_not_given_a_rest(web: Watched) -> None:
    """The next look follows the one that was cut off, whenever its turn would be; one that fails at once waits."""
    web.begin(spec(interval=10.0, timeout=1.0, fall=3))
    while not web.tcp.looks:
        web.clock.advance(0.01)
    web.pass_time(3.3)
    assert web.watch.verdict.failed == "check one failed 3 times: no answer within 1 s"


def test_time_that_was_lost_stretches_the_deadline(web: Watched) -> None:
    """And what was lost in that time again; the text says so."""
    web.begin(spec(interval=50.0, timeout=1.0, fall=1))
    while not web.tcp.looks:
        web.clock.advance(0.1)
    for second in range(8):
        web.clock.advance(0.2)
        web.pulse.total += 0.1
        assert web.tcp.cancelled == 0, second
    web.pass_time(1)
    assert web.tcp.cancelled == 1
    assert "stretched to" in web.watch.verdict.failed


def test_a_machine_that_is_always_starved_hides_no_service_that_hangs(web: Watched) -> None:
    """Ten times its timeout, and not longer."""
    web.begin(spec(interval=50.0, timeout=1.0, fall=1))
    while not web.tcp.looks:
        web.clock.advance(0.1)
    for _ in range(98):
        web.clock.advance(0.1)
        web.pulse.total += 0.1
    assert web.tcp.cancelled == 0
    web.clock.advance(0.3)
    assert web.tcp.cancelled == 1


@pytest.mark.parametrize(("share", "cut_off_after"), [(0.0, 2), (0.05, 2), (0.5, 10), (None, 10)])
def test_a_service_that_waits_for_nothing_itself_gets_one_extension(
    web: Watched, share: float | None, cut_off_after: int
) -> None:
    """The machine is starved, but it hangs: its cgroup tells, where there is one."""
    web.waited = None if share is None else 0.0
    web.begin(spec(interval=50.0, timeout=1.0, fall=1))
    while not web.tcp.looks:
        web.clock.advance(0.1)
    begun = web.clock.seconds()
    while not web.tcp.cancelled:
        web.clock.advance(0.1)
        web.pulse.total += 0.1
        if share is not None:
            assert web.waited is not None
            web.waited += 0.1 * share
    assert web.clock.seconds() - begun == pytest.approx(cut_off_after, abs=0.3)


def test_an_answer_that_comes_as_the_look_is_cancelled_counts(web: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was there in time, only not heard."""
    web.begin(spec(interval=50.0, timeout=1.0, fall=1))
    while not web.tcp.looks:
        web.clock.advance(0.1)
    monkeypatch.setattr(web.tcp.looks[0], "_canceller", lambda looking: looking.callback(WELL))
    web.clock.advance(1)
    assert web.watch.verdict.failed == ""
    assert web.watch.rows()[0].text == "well"


def test_a_start_is_told_soon(web: Watched) -> None:
    """Looks come quicker while it waits, and at their interval afterwards."""
    web.begin(spec(interval=10.0), settled=False)
    web.tcp.answer = BAD
    web.pass_time(1, 0.01)
    assert len(web.tcp.begun) > 5
    assert not web.watch.verdict.ready
    assert web.watch.verdict.waiting == "check one has not passed yet: refused"
    web.tcp.answer = WELL
    web.pass_time(1, 0.01)
    assert web.watch.verdict.ready
    assert [verdict.ready for verdict in web.verdicts] == [True]
    web.tcp.begun.clear()
    web.pass_time(20)
    assert len(web.tcp.begun) == 2


def test_what_cannot_be_checked_is_not_tried_quicker(web: Watched) -> None:
    """A start would believe within a blink that it never can be."""
    web.tcp.answer = ERROR
    web.begin(spec(interval=2.0), settled=False)
    web.pass_time(1.9)
    assert not web.watch.verdict.ready
    web.pass_time(4.1)
    assert web.watch.verdict.ready
    assert web.watch.verdict.degraded == "check one could not be made 3 times: no descriptors"


def test_only_so_many_costly_looks_at_a_time_in_the_order_of_asking(web: Watched) -> None:
    """Of all resources; waiting is not the check's time."""
    others = [web.another(f"other{number}") for number in range(3)]
    for number, other in enumerate(others):
        other.replace([spec(f"c{number}", "exec", timeout=5.0, interval=1.0)])
        other.begin(web.clock.seconds(), settled=True)
    web.pass_time(4)
    assert len(web.exec.begun) == 2
    last = ({"c0", "c1", "c2"} - set(web.exec.begun)).pop()
    web.exec.looks[0].callback(WELL)
    web.clock.advance(0)
    assert web.exec.begun[2] == last
    web.pass_time(1.0)
    web.exec.looks[1].callback(WELL)
    web.pass_time(3.9)
    assert web.exec.cancelled == 0
    for other in others:
        other.end()
    assert web.exec.cancelled >= 1


def test_whoever_waits_for_a_turn_can_be_ended(web: Watched) -> None:
    """And never gets it."""
    web.begin(*(spec(f"c{number}", "exec", interval=1.0) for number in range(4)))
    web.pass_time(1)
    assert len(web.exec.begun) == 2
    web.watch.end()
    assert len(web.exec.begun) == 2
    assert web.exec.cancelled == 2
