"""The check kind `systemd`: the state of a unit, told by signals of systemd's; nothing is polled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin_daemon.bus.systemd import systemd_of
from tocsin_daemon.checks.outside import Outside, Tell
from tocsin_daemon.core.check import Outcome, Result, Spec
from tocsin_daemon.core.unit import State, Unit, refusal, state_of, words
from tocsin_ocf import parts
from tocsin_ocf.values import Wrong

if TYPE_CHECKING:
    from tocsin_daemon.bus.following import Following

RESULTS = {
    State.RUNNING: Result.WELL,
    State.COMING: Result.SOFT,
    State.GOING: Result.BAD,
    State.GONE: Result.BAD,
    State.FAILED: Result.BAD,
    State.UNKNOWN: Result.ERROR,
}
"""A unit that is being started, or restarted on somebody's word, is on its way: not well, and not failed."""


class SystemdUnit:
    """One unit under watch."""

    def __init__(self, spec: Spec, outside: Outside) -> None:
        """Watch the unit that is the check's target; ValueError."""
        try:
            self._unit = parts.unit(spec.target)
        except Wrong as wrong:
            raise ValueError(str(wrong)) from None
        self._outside = outside
        self._following: Following | None = None
        self._tell: Tell = lambda _: None
        self._last: Outcome | None = None

    def begin(self, tell: Tell) -> None:
        """Tell what the unit is, as soon as systemd has said it, and whenever it becomes something else."""
        self._tell, self._last = tell, None
        self._following = systemd_of(self._outside.bus()).follow(self._unit, self._seen)

    def end(self) -> None:
        """Tell nothing any more."""
        following, self._following = self._following, None
        if following:
            following.end()

    def _seen(self, unit: Unit | None) -> None:
        if self._following is None:
            return
        outcome = outcome_of(unit, self._following.why)
        if outcome != self._last:
            self._last = outcome
            self._tell(outcome)


def outcome_of(unit: Unit | None, why: str = "") -> Outcome:
    """Return what a unit's state says of the service; `why` it is not known, where it is not."""
    state = state_of(unit)
    if unit is None:
        return Outcome(Result.ERROR, f"systemd cannot be asked: {why}")
    if state is State.RUNNING:
        return Outcome(Result.WELL, f"{unit.name} is {unit.active} ({unit.sub})")
    if refusal(unit) and state is State.GONE:
        return Outcome(Result.ERROR, refusal(unit))
    if state is State.COMING:
        return Outcome(Result.SOFT, f"{unit.name} is {unit.active} ({unit.sub}), {state.value}")
    return Outcome(RESULTS[state], words(unit))
