"""The promotion score: what a command's word is worth, and when Pacemaker is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_daemon.core.score import Dampened, parse, worth
from tocsin_ocf.roles import INFINITY
from tocsin_ocf.values import Wrong


@pytest.mark.parametrize(
    ("line", "score"),
    [
        ("100", 100),
        (" -5 ", -5),
        ("", None),
        ("INFINITY", INFINITY),
        ("+INFINITY", INFINITY),
        ("-INFINITY", -INFINITY),
        ("1000000", INFINITY),
    ],
)
def test_a_score_is_read_as_pacemaker_writes_it(line: str, score: int | None) -> None:
    """Nothing is no score."""
    assert parse(line) == score


@pytest.mark.parametrize("line", ["many", "1.5", "0x10", "--INFINITY", "1e3", "1000001", "9" * 5000])
def test_what_is_no_score_is_said(line: str) -> None:
    """Never guessed: a wrong score promotes the wrong node."""
    with pytest.raises(Wrong, match="is not a score"):
        parse(line)


def test_a_degraded_service_is_worth_no_more_than_that() -> None:
    """And less, if its command says so; one without a score gets none by being degraded."""
    assert worth(100, 10, degraded=False) == 100
    assert worth(100, 10, degraded=True) == 10
    assert worth(5, 10, degraded=True) == 5
    assert worth(None, 10, degraded=True) is None


def test_the_first_score_is_told_at_once_and_each_later_one_when_it_has_lasted() -> None:
    """Without one nobody is promoted; with too many nothing is ever finished."""
    state = Dampened().want(100, 10.0)
    assert state.due(10.0, 5.0) == 0.0
    state = state.tell()
    assert state.due(10.0, 5.0) is None
    state = state.want(90, 11.0)
    assert state.due(11.0, 5.0) == 5.0
    assert state.want(90, 13.0).due(13.0, 5.0) == 3.0
    assert state.want(80, 13.0).due(13.0, 5.0) == 5.0
    assert state.due(16.0, 5.0) == 0.0


def test_the_score_of_a_new_role_does_not_wait() -> None:
    """Nor does it wait on when it was waiting; what follows does."""
    state = Dampened().want(500, 10.0).tell()
    assert state.want(1000, 11.0, settled=True).due(11.0, 5.0) == 0.0
    assert state.want(1000, 11.0).want(1000, 12.0, settled=True).due(12.0, 5.0) == 0.0
    assert state.want(500, 11.0, settled=True).due(11.0, 5.0) is None
    assert state.want(1000, 11.0, settled=True).tell().want(900, 12.0).due(12.0, 5.0) == 5.0


def test_a_score_that_comes_back_is_not_told() -> None:
    """A stumble of a second is nobody's business."""
    state = Dampened().want(100, 0.0).tell().want(10, 1.0).want(100, 2.0)
    assert state.due(100.0, 5.0) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.01, 10)), max_size=40))
def test_never_told_more_often_than_the_dampening_allows(wishes: list[tuple[int, float]]) -> None:
    """Whatever the command says, two tellings are `dampening` apart, but for the first."""
    state, now, told = Dampened(), 0.0, []
    for score, passed in wishes:
        state = state.want(score, now)
        for moment in (now, now + passed):
            if state.due(moment, 5.0) == 0.0:
                state = state.tell()
                told.append(moment)
        now += passed
    assert all(later - earlier >= 5.0 for earlier, later in zip(told[1:], told[2:]))
