"""
What looks add up to: the standing of one check, and the verdict of all checks of a resource.

Two thresholds with hysteresis, over the looks that count: a check *fails* when `fall` looks in a row were BAD (or as
many of the last ones as its window says) and recovers after `rise` in a row that were not; it is *degraded* by the
same numbers of looks that were not WELL. So what is failed is degraded too, and a service that recovers halfway is
degraded, not well.

A look does not count where it says nothing of the service: an ERROR (the check itself could not be made), and a BAD one
before the first that is not, as long as the service may still be starting. ERRORs have their own count: `fall` of them
in a row, and the check is *not checked*; what follows, `on_error` says, and never more than `on`: that a check cannot
be made is no worse than what it would have found.

Causes are worded when a threshold is crossed, so that a verdict changes on the edge, not with every look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from tocsin_daemon.core.check import On, Outcome, Result, Spec

NOT_BAD = frozenset({Result.WELL, Result.SOFT})
WELL = frozenset({Result.WELL})
MILDEST = (On.IGNORE, On.LOG, On.DEGRADE, On.FAIL)


class State(Enum):
    """How one check sees the service."""

    UNKNOWN = "unknown"
    WELL = "well"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True)
class Standing:
    """
    What is known of one check in this incarnation; times are the clock's seconds.

    `begun` is when the incarnation began, `since` when the state last changed, `cause` why, in words. `passed`: it
    has been seen well (or merely degraded) `rise` times. `recent` are the last looks that count, newest last, and
    `bad_since` is when the first of those that were BAD in a row was made.
    """

    begun: float = 0.0
    state: State = State.UNKNOWN
    since: float = 0.0
    cause: str = ""
    passed: bool = False
    recent: tuple[Result, ...] = ()
    bad_since: float = 0.0
    errors: int = 0
    error: str = ""
    last: Outcome | None = None

    @property
    def not_checked(self) -> bool:
        """Tell whether the check has been impossible for so long that its state is no news any more."""
        return bool(self.error)


@dataclass(frozen=True)
class Verdict:
    """
    What all checks of a resource say: "" or the cause in words.

    `ready`: every check that may fail it has passed once. `waiting`: why it is not ready, for whoever gives up.
    """

    failed: str = ""
    degraded: str = ""
    ready: bool = False
    waiting: str = ""


def judge(standing: Standing, outcome: Outcome, now: float, spec: Spec, *, starting: bool = False) -> Standing:
    """
    Return the standing after one more look.

    `starting`: the service has not been up yet, and somebody with a time limit waits for it, so a check without a
    `start_grace` is patient until it first passes.
    """
    longest = max(spec.rise, spec.fall, spec.window.looks if spec.window else 0)
    recent = (*standing.recent, outcome.result)[-longest:]
    if outcome == standing.last and recent == standing.recent and not standing.errors:
        return standing  # the same as ever: a thousand times a second
    standing = replace(standing, last=outcome)
    if outcome.result is Result.ERROR:
        return _not_made(standing, outcome, spec)
    standing = replace(standing, errors=0, error="")
    if outcome.result is Result.BAD and _is_forgiven(standing, now, spec, starting=starting):
        return replace(standing, recent=())
    if outcome.result is Result.BAD and standing.recent[-1:] != (Result.BAD,):
        standing = replace(standing, bad_since=now)
    state = _state(standing.state, recent, spec)
    passed = standing.passed or (recent[-1] is not Result.BAD and _risen(recent, NOT_BAD, spec))
    standing = replace(standing, recent=recent, passed=passed)
    if state is standing.state:
        return standing
    return replace(standing, state=state, since=now, cause=_cause(standing.state, state, recent, outcome, spec))


def _not_made(standing: Standing, outcome: Outcome, spec: Spec) -> Standing:
    errors = min(standing.errors + 1, spec.fall)
    if errors < spec.fall or standing.error:
        return replace(standing, errors=errors)
    return replace(standing, errors=errors, error=f"could not be made {_times(errors)}{_because(outcome)}")


def _is_forgiven(standing: Standing, now: float, spec: Spec, *, starting: bool) -> bool:
    """Tell whether a BAD look only means that the service is not up yet."""
    if starting and not spec.start_grace:
        return not standing.passed
    return now - standing.begun < spec.start_grace and not standing.recent and not standing.passed


def _state(before: State, recent: tuple[Result, ...], spec: Spec) -> State:
    """Return the state after the last of the looks: each threshold is crossed upwards by bad news, down by good."""
    failed = _crossed(before is State.FAILED, recent, NOT_BAD, spec)
    degraded = _crossed(before in (State.FAILED, State.DEGRADED), recent, WELL, spec)
    if failed:
        return State.FAILED
    if degraded:
        return State.DEGRADED
    if before is State.UNKNOWN and not _risen(recent, NOT_BAD, spec):
        return State.UNKNOWN
    return State.WELL


def _crossed(before: bool, recent: tuple[Result, ...], good: frozenset[Result], spec: Spec) -> bool:  # noqa: FBT001
    """Tell whether a threshold is crossed, of which `good` looks are on the right side."""
    if recent[-1] in good:
        return before and not _risen(recent, good, spec)
    return before or _fallen(recent, good, spec)


def _risen(recent: tuple[Result, ...], good: frozenset[Result], spec: Spec) -> bool:
    last = recent[-spec.rise :]
    return len(last) == spec.rise and all(result in good for result in last)


def _fallen(recent: tuple[Result, ...], good: frozenset[Result], spec: Spec) -> bool:
    needed, looks = (spec.window.failures, spec.window.looks) if spec.window else (spec.fall, spec.fall)
    return sum(result not in good for result in recent[-looks:]) >= needed


def _cause(before: State, state: State, recent: tuple[Result, ...], outcome: Outcome, spec: Spec) -> str:
    if state not in (State.FAILED, State.DEGRADED):
        return ""
    if before is State.FAILED:
        return f"is degraded, after it had failed{_because(outcome)}"
    often = _times(spec.fall)
    if spec.window:
        good = NOT_BAD if state is State.FAILED else WELL
        looks = recent[-spec.window.looks :]
        often = f"{sum(result not in good for result in looks)} of {len(looks)} times"
    return f"{state.value} {often}{_because(outcome)}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _because(outcome: Outcome) -> str:
    return f": {outcome.text}" if outcome.text else ""


def overall(checks: Iterable[tuple[Spec, Standing]]) -> Verdict:
    """Return what the checks say together."""
    judged = list(checks)
    waiting = [_waits_for(spec, standing) for spec, standing in judged if not _let_through(spec, standing)]
    return Verdict(
        failed=_first([cause for spec, standing in judged for cause in _causes(spec, standing, On.FAIL)]),
        degraded=_first([cause for spec, standing in judged for cause in _causes(spec, standing, On.DEGRADE)]),
        ready=not waiting,
        waiting=_first(waiting),
    )


def _causes(spec: Spec, standing: Standing, severity: On) -> list[str]:
    """Return why a check asks for this severity: for its state, and for that it cannot be made."""
    asked = {State.FAILED: spec.on, State.DEGRADED: _milder(spec.on, On.DEGRADE)}
    causes = [standing.cause] if asked.get(standing.state) is severity else []
    causes += [standing.error] if standing.error and _milder(spec.on, spec.on_error) is severity else []
    return [f"check {spec.name} {cause}" for cause in causes]


def _milder(one: On, other: On) -> On:
    return min(one, other, key=MILDEST.index)


def _let_through(spec: Spec, standing: Standing) -> bool:
    """Tell whether a check does not keep a start waiting: what cannot be checked would keep it for ever."""
    return spec.on is not On.FAIL or standing.passed or (standing.not_checked and spec.on_error is not On.FAIL)


def _waits_for(spec: Spec, standing: Standing) -> str:
    outcome = standing.last
    return f"check {spec.name} has not passed yet" + (_because(outcome) if outcome else "")


def _first(causes: list[str]) -> str:
    """Return the first cause, and that there are more."""
    more = f" (and {len(causes) - 1} more)" if len(causes) > 1 else ""
    return causes[0] + more if causes else ""
