"""What looks add up to: every short history against an independent reading of the rules, long ones at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_daemon.core.check import On, Outcome, Result, Spec, Window
from tocsin_daemon.core.judgement import Standing, State, Verdict, judge, overall

LETTERS = {"w": Result.WELL, "s": Result.SOFT, "b": Result.BAD, "e": Result.ERROR}
SPEC = Spec("tcp", "127.0.0.1:6379", "tcp:127.0.0.1:6379")
SHORT, LONG = 6, 8


def after(
    looks: Sequence[str], spec: Spec, standing: Standing | None = None, *, now: float = 100.0, starting: bool = False
) -> Standing:
    """Return the standing after these looks, one a second."""
    standing = standing or Standing()
    for second, letter in enumerate(looks):
        outcome = Outcome(LETTERS[letter], f"look {second}")
        standing = judge(standing, outcome, now + second, spec, starting=starting)
    return standing


def oracle(looks: Sequence[str], spec: Spec) -> tuple[State, bool, bool]:
    """Return state, passed and not checked, from regular rules over the whole history instead of step by step."""
    counted = "".join(look for look in looks if look != "e")
    failed = level(counted, "b", spec)
    soft = level(counted, "bs", spec)
    passed = any(all(c != "b" for c in counted[i : i + spec.rise]) for i in range(len(counted) - spec.rise + 1))
    state = State.WELL if passed else State.UNKNOWN
    if failed:
        state = State.FAILED
    elif soft:
        state = State.DEGRADED
    trailing = len(looks) - len("".join(looks).rstrip("e"))
    return state, passed, trailing >= spec.fall


def level(counted: str, bad: str, spec: Spec) -> bool:
    """Tell on which side of a threshold a history ends: look back for the last moment that put it on either."""
    for end in range(len(counted), 0, -1):
        past = counted[:end]
        if past[-1] in bad and trips(past, bad, spec):
            return True
        if past[-1] not in bad and len(past) >= spec.rise and not set(past[-spec.rise :]) & set(bad):
            return False
    return False


def trips(past: str, bad: str, spec: Spec) -> bool:
    """Tell whether the last look of a history crosses a threshold."""
    if spec.window:
        return len([c for c in past[-spec.window.looks :] if c in bad]) >= spec.window.failures
    return len(past) >= spec.fall and set(past[-spec.fall :]) <= set(bad)


def seen(standing: Standing) -> tuple[State, bool, bool]:
    """Return of a standing what the oracle tells."""
    return standing.state, standing.passed, standing.not_checked


@pytest.mark.parametrize(("rise", "fall"), list(product((1, 2, 3), (1, 2, 3))))
def test_every_short_history_of_rise_and_fall(rise: int, fall: int) -> None:
    """All 4^6 of them, and those before: each step is compared."""
    compare(replace(SPEC, rise=rise, fall=fall), "wsbe", SHORT)


@pytest.mark.parametrize("rise", [1, 2])
@pytest.mark.parametrize("window", [Window(1, 1), Window(2, 3), Window(3, 5), Window(2, 2)])
def test_every_short_history_of_a_window(window: Window, rise: int) -> None:
    """What flaps is caught: so many of the last so many."""
    compare(replace(SPEC, rise=rise, window=window), "wsbe", SHORT)


@pytest.mark.parametrize("spec", [replace(SPEC, rise=2), replace(SPEC, window=Window(3, 6))])
def test_every_longer_history_of_well_and_bad(spec: Spec) -> None:
    """Longer than any window, without what does not count."""
    compare(spec, "wb", LONG + 2)


def compare(spec: Spec, letters: str, length: int) -> None:
    """Walk the tree of all histories; each standing is computed once, from that of its parent."""
    todo: list[tuple[str, Standing]] = [("", Standing())]
    while todo:
        past, standing = todo.pop()
        assert seen(standing) == oracle(past, spec), past
        if len(past) < length:
            todo += [(past + letter, after(letter, spec, standing, now=len(past))) for letter in letters]


specs = st.builds(
    Spec,
    st.just("tcp"),
    st.just(""),
    st.just("one"),
    rise=st.integers(1, 5),
    fall=st.integers(1, 5),
    window=st.none() | st.integers(1, 8).flatmap(lambda y: st.integers(1, y).map(lambda x: Window(x, y))),
)


@given(specs, st.text("wsbe", max_size=60))
def test_long_histories(spec: Spec, looks: str) -> None:
    """Any numbers; and what is remembered does not grow with the history."""
    standing = after(looks, spec)
    assert seen(standing) == oracle(looks, spec)
    assert len(standing.recent) <= max(spec.rise, spec.fall, spec.window.looks if spec.window else 0)
    assert standing.errors <= spec.fall


@given(specs, st.text("wsb", max_size=20), st.data())
def test_errors_change_nothing_that_is_known_of_the_service(spec: Spec, looks: str, data: st.DataObject) -> None:
    """Wherever they are put in."""
    mixed = "".join(look + "e" * data.draw(st.integers(0, 4)) for look in looks)
    assert (after(mixed, spec).state, after(mixed, spec).recent) == (
        after(looks, spec).state,
        after(looks, spec).recent,
    )


@given(specs, st.text("wsbe", max_size=30), st.floats(0, 40))
def test_nothing_fails_within_the_grace_before_it_was_seen_up(spec: Spec, looks: str, grace: float) -> None:
    """And a first look that is not bad ends the grace."""
    graced = replace(spec, start_grace=grace)
    bad = len(looks) - len(looks.lstrip("be"))
    forgiven = min(bad, len([second for second in range(len(looks)) if second < grace]))
    standing = after(looks, graced, Standing(begun=100.0))
    errors = "".join(look for look in looks[:forgiven] if look == "e")
    assert standing.state is oracle(errors + looks[forgiven:], spec)[0]


def test_a_start_without_a_grace_is_patient() -> None:
    """Somebody with a time limit waits: only what has passed once can fail; then the usual numbers count."""
    spec = replace(SPEC, rise=2)
    assert after("b" * 50, spec, starting=True).state is State.UNKNOWN
    assert after("bwbw", spec, starting=True).state is State.UNKNOWN  # not two in a row
    assert after("bwwbbb", spec, starting=True).state is State.FAILED
    assert after("bbb", spec, starting=False).state is State.FAILED


def test_a_start_with_a_grace_fails_when_it_is_over() -> None:
    """Whoever says how long it may take learns of it then, not when the operation times out."""
    spec = replace(SPEC, start_grace=5.0)
    assert after("b" * 7, spec, Standing(begun=100.0), starting=True).state is State.UNKNOWN
    assert after("b" * 8, spec, Standing(begun=100.0), starting=True).state is State.FAILED


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
