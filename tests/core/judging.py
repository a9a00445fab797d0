"""Histories of looks, and an independent reading of the rules that judge them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tocsin_daemon.core.check import Outcome, Result, Spec, Window
from tocsin_daemon.core.judgement import Standing, State, judge

LETTERS = {"w": Result.WELL, "s": Result.SOFT, "b": Result.BAD, "e": Result.ERROR}
SPEC = Spec("tcp", "127.0.0.1:6379", "tcp:127.0.0.1:6379")


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


specs = st.builds(
    Spec,
    st.just("tcp"),
    st.just(""),
    st.just("one"),
    rise=st.integers(1, 5),
    fall=st.integers(1, 5),
    window=st.none() | st.integers(1, 8).flatmap(lambda y: st.integers(1, y).map(lambda x: Window(x, y))),
)
