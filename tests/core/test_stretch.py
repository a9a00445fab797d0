"""Deadlines of looks on a machine that is short of time, and when looks begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_daemon.core import cadence
from tocsin_daemon.core.stretch import LATE, MOST, left, lost, no_answer

positive = st.floats(0.001, 1000)


@pytest.mark.parametrize(
    ("elapsed", "lost_meanwhile", "more"),
    [(5.0, 0.0, 0.0), (5.0, 3.0, 3.0), (8.0, 4.5, 1.5), (5.0, 0.04, 0.0), (5.0, 99.0, 5.0), (50.0, 50.0, 0.0)],
)
def test_lost_time_does_not_count(elapsed: float, lost_meanwhile: float, more: float) -> None:
    """No more than has elapsed, nothing that is not worth it, and never beyond ten times."""
    assert left(5.0, elapsed, lost_meanwhile) == pytest.approx(more)


@given(positive, st.floats(0, 1))
def test_a_look_ends_whatever_is_lost(timeout: float, share: float) -> None:
    """With a constant share of time lost it takes timeout / (1 - share), at most MOST times its timeout."""
    elapsed, extensions = timeout, 0
    while more := left(timeout, elapsed, elapsed * share):
        elapsed, extensions = elapsed + more, extensions + 1
    assert extensions < 1000
    expected = min(timeout / (1 - share), timeout * MOST) if share < 1 else timeout * MOST
    assert expected * 0.85 <= elapsed <= expected * 1.001


def test_what_is_felt_twice_is_lost_once() -> None:
    """The loop comes late because others have the processor, or another machine has it."""
    assert lost(late=1.0, pressed=0.5, stolen=0.3) == 1.0
    assert lost(late=0.2, pressed=0.5, stolen=0.3) == 0.8
    assert lost(late=LATE / 2, pressed=0.0, stolen=0.0) == 0.0
    assert lost(late=-0.05, pressed=-1.0, stolen=0.0) == 0.0


def test_what_is_said_of_no_answer() -> None:
    """That it was stretched only where it was."""
    assert no_answer(5.0, 5.001) == "no answer within 5 s"
    assert no_answer(5.0, 12.04) == "no answer within 5 s (stretched to 12 s: the machine is starved)"
    assert no_answer(0.25, 0.25) == "no answer within 250 ms"


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.05, 1000))
def test_the_next_look_is_on_the_grid_and_still_to_come(now: float, origin: float, interval: float) -> None:
    """However many were overdue."""
    pause = cadence.next_on_grid(now, origin, interval)
    assert 0 < pause <= interval * 1.0001
    times = (now + pause - origin) / interval
    assert times == pytest.approx(round(times), abs=1e-4)


def test_services_are_looked_at_apart() -> None:
    """The spread is even enough that a thousand in one second are not a hundred in one tenth of it."""
    tenths = [0] * 10
    for number in range(1000):
        tenths[int(cadence.spread(f"service{number} tcp:127.0.0.1:80") * 10)] += 1
    assert max(tenths) < 150 and min(tenths) > 50
    assert cadence.spread("a") == cadence.spread("a")


def test_while_somebody_waits_looks_come_quicker() -> None:
    """Milliseconds at first, then as ever."""
    pauses = [cadence.while_waited_for(looks, 2.0) for looks in range(1, 30)]
    assert pauses[0] < 0.1
    assert pauses == sorted(pauses) and pauses[-1] == 2.0
    assert cadence.while_waited_for(1, 0.01) == 0.01
