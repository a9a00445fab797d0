"""What looks add up to: every short history against an independent reading of the rules, long ones at random."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.judging import SPEC, after, oracle, seen, specs
from tocsin_daemon.core.check import Spec, Window
from tocsin_daemon.core.judgement import Standing, State

SHORT, LONG = 6, 10


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
    compare(spec, "wb", LONG)


def compare(spec: Spec, letters: str, length: int) -> None:
    """Walk the tree of all histories; each standing is computed once, from that of its parent."""
    todo: list[tuple[str, Standing]] = [("", Standing())]
    while todo:
        past, standing = todo.pop()
        assert seen(standing) == oracle(past, spec), past
        if len(past) < length:
            todo += [(past + letter, after(letter, spec, standing, now=len(past))) for letter in letters]


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
