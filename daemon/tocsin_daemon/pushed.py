"""
One check that is told by somebody else: a unit's state, a sign of life.

What is told only once counts for as long as more of it is needed, so that thresholds mean the same as for looks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from tocsin_daemon.checks import KINDS
from tocsin_daemon.core.check import Outcome, Spec
from tocsin_daemon.looks import broken

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from tocsin_daemon.checks.outside import Outside

log = Logger()


class Pushed:
    """
    One pushed check: what it was told last counts at once, and again every interval as long as more of it is needed.

    So `fall: 3` of what is told only once means: for so long.
    """

    def __init__(self, spec: Spec, outside: Outside, told: Callable[[Outcome], None]) -> None:
        """Be ready."""
        self.took = 0.0
        self.made = 0
        self.skipped = 0
        self.has_turn = False
        self._spec = spec
        self._outside = outside
        self._told = told
        self._check: Any = None
        self._last: Outcome | None = None
        self._again: IDelayedCall | None = None
        self._repeats = 0
        self._over = False

    def begin(self) -> None:
        """Be told from now on; a check that cannot begin is tried again every interval."""
        try:
            self._check = KINDS[self._spec.kind](self._spec, self._outside)
            self._check.begin(self._hear)
        except Exception:  # noqa: BLE001 - a check that is wrong must not end the watch
            self._check = None
            self._again = self._outside.reactor.callLater(0, self._not_begun, Failure())

    def _not_begun(self, failure: Failure) -> None:
        self._told(broken(self._outside.resource, self._spec, failure))
        if not self._over:
            self._again = self._outside.reactor.callLater(self._spec.interval, self.begin)

    def end(self) -> None:
        """Be told nothing any more."""
        self._over = True
        self._stop_repeating()
        check, self._check = self._check, None
        if check is not None:
            try:
                check.end()
            except Exception:  # noqa: BLE001 - the others have to be ended too
                log.failure("{resource}: check {name} is broken", resource=self._outside.resource, name=self._spec.name)

    def _hear(self, outcome: Outcome) -> None:
        if self._over:
            return
        window = self._spec.window.looks if self._spec.window else 0
        self._repeats = max(self._spec.rise, self._spec.fall, window)
        self._last = outcome
        self._stop_repeating()
        self._count()

    def _count(self) -> None:
        assert self._last is not None, "something was told"
        self.made += 1
        self._repeats -= 1
        self._told(self._last)
        if self._repeats > 0 and not self._over:
            self._again = self._outside.reactor.callLater(self._spec.interval, self._count)

    def _stop_repeating(self) -> None:
        if self._again and self._again.active():
            self._again.cancel()
