"""What the standings of all checks add up to: failed, degraded, ready, and in which words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.judging import SPEC, after, seen, specs
from tocsin_daemon.core.check import On, Spec, Window
from tocsin_daemon.core.judgement import Standing, Verdict, overall


def verdict(looks: str, **spec: object) -> Verdict:
    """Return the verdict of one check after these looks."""
    one = replace(SPEC, **spec)  # type: ignore[arg-type]
    return overall([(one, after(looks, one))])


def test_a_verdict_names_the_check_how_often_and_why() -> None:
    """It is what Pacemaker's status shows; it does not change while the service goes on failing."""
    said = verdict("wbbb").failed
    assert said == "check tcp:127.0.0.1:6379 failed 3 times: look 3"
    assert verdict("wbbbbb").failed == said
    assert verdict("wb", fall=1).failed == "check tcp:127.0.0.1:6379 failed once: look 1"
    assert verdict("wbwbb", window=Window(3, 5)).failed == "check tcp:127.0.0.1:6379 failed 3 of 5 times: look 4"


@pytest.mark.parametrize(
    ("on", "looks", "failed", "degraded"),
    [
        (On.FAIL, "bbb", True, False),
        (On.FAIL, "sss", False, True),
        (On.FAIL, "sbs", False, True),
        (On.DEGRADE, "bbb", False, True),
        (On.DEGRADE, "sss", False, True),
        (On.LOG, "bbb", False, False),
        (On.LOG, "sss", False, False),
        (On.LOG, "eee", False, False),
        (On.FAIL, "bbbs", False, True),
        (On.FAIL, "bbbsw", False, False),
        (On.FAIL, "bb", False, False),
    ],
)
def test_what_a_check_asks_for(on: On, looks: str, failed: bool, degraded: bool) -> None:
    """`on` is the most that it may do."""
    said = verdict(looks, on=on)
    assert (bool(said.failed), bool(said.degraded)) == (failed, degraded)


def test_what_recovers_halfway_says_so() -> None:
    """Its cause is not the last good news."""
    assert verdict("bbbs").degraded == "check tcp:127.0.0.1:6379 is degraded, after it had failed: look 3"


@pytest.mark.parametrize(
    ("on", "on_error", "failed", "degraded"),
    [
        (On.FAIL, On.DEGRADE, False, True),
        (On.FAIL, On.IGNORE, False, False),
        (On.FAIL, On.FAIL, True, False),
        (On.DEGRADE, On.FAIL, False, True),
        (On.LOG, On.FAIL, False, False),
    ],
)
def test_a_check_that_cannot_be_made(on: On, on_error: On, failed: bool, degraded: bool) -> None:
    """It has a policy of its own, never harsher than the check's."""
    said = verdict("weee", on=on, on_error=on_error)
    assert (bool(said.failed), bool(said.degraded)) == (failed, degraded)
    assert all("could not be made 3 times: look 3" in text for text in (said.failed, said.degraded) if text)
    assert verdict("wee", on=on, on_error=on_error) == verdict("w", on=on)
    assert verdict("weeew", on=on, on_error=on_error) == verdict("w", on=on)


def test_what_failed_before_it_could_not_be_checked_stays_failed() -> None:
    """No news is not good news."""
    said = verdict("bbbeee")
    assert said.failed
    assert said.degraded


def test_ready_when_each_check_that_may_fail_it_has_passed_once() -> None:
    """Whatever it does afterwards; others are not waited for."""
    assert not verdict("").ready
    assert not verdict("b").ready
    assert verdict("w").ready
    assert verdict("s").ready
    assert verdict("wb").ready
    assert not verdict("w", rise=2).ready
    assert verdict("", on=On.DEGRADE).ready
    assert overall([]).ready


def test_whoever_waits_learns_what_for() -> None:
    """A start that times out has to say it."""
    assert verdict("bb").waiting == "check tcp:127.0.0.1:6379 has not passed yet: look 1"
    assert verdict("w").waiting == ""


def test_a_start_does_not_wait_for_what_cannot_be_checked() -> None:
    """It would wait for ever, and take a healthy service down with it; unless a check that fails is to fail it."""
    assert not verdict("ee").ready
    assert verdict("eee").ready
    assert not verdict("eee", on_error=On.FAIL).ready


def test_of_many_causes_the_first_is_told() -> None:
    """And that there are more."""
    checks = [(replace(SPEC, name=name), after("bbb", SPEC)) for name in ("a", "b", "c")]
    assert overall(checks).failed == "check a failed 3 times: look 2 (and 2 more)"


@given(specs, st.text("wsbe", max_size=40))
def test_a_verdict_changes_only_on_an_edge(spec: Spec, looks: str) -> None:
    """Its words do not move with every look, so nobody is told twice."""
    standing = Standing()
    for letter in looks:
        before, told = standing, overall([(spec, standing)])
        standing = after(letter, spec, standing)
        now = overall([(spec, standing)])
        if seen(before) == seen(standing):
            assert replace(now, waiting="") == replace(told, waiting="")
