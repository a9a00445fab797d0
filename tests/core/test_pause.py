"""A pause: it holds until its end, and with it what the report machine may do."""

from __future__ import annotations

from itertools import product

import pytest

from tests.core.test_guard import SITUATIONS
from tocsin_daemon.core.guard import judge
from tocsin_daemon.core.pause import Pause, held_back
from tocsin_daemon.core.report import FINAL, REPORT, Act, News, Stage

PAUSE = Pause("new disk", "alice", 100.0, 200.0)


@pytest.mark.parametrize(("now", "holds"), [(50.0, True), (100.0, True), (199.9, True), (200.0, False), (1e9, False)])
def test_a_pause_holds_until_its_end(now: float, holds: bool) -> None:
    """Also where the clock was set back behind its beginning."""
    assert PAUSE.holds(now) is holds
    verdict = held_back(PAUSE, now)
    assert (verdict is not None) is holds
    assert verdict is None or (verdict.news, verdict.why) == (News.HOLD, "paused by alice: new disk")


def test_without_a_pause_nothing_is_held_back() -> None:
    """The guard decides."""
    assert held_back(None, 0.0) is None


@pytest.mark.parametrize(("paused", "situation"), list(product([True, False], SITUATIONS)), ids=str)
def test_no_situation_of_the_cluster_lets_a_report_out_of_a_pause(paused: bool, situation: tuple) -> None:  # type: ignore[type-arg]
    """Whatever the guard would say; and without a pause it has its say."""
    _, cluster, expected = situation
    verdict = held_back(PAUSE if paused else None, 150.0) or judge(cluster, "web", "n1")
    after, acts = REPORT.step(Stage.CHECKING, verdict.news)
    assert verdict.news is (News.HOLD if paused else expected)
    assert (Act.SEND in acts) == (not paused and expected is News.GO)
    assert after is Stage.HELD if paused else after is not Stage.CHECKING


def test_every_report_that_is_not_sent_comes_to_the_guard_again() -> None:
    """So a pause that begins at any stage before the injection is seen before it."""
    for stage in set(Stage) - FINAL - {Stage.CHECKING, Stage.SENDING, Stage.VERIFYING}:
        assert REPORT.step(stage, News.DUE) == (Stage.CHECKING, (Act.CHECK,))
