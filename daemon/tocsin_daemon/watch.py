"""
The watch over one resource: all its checks, what each has found, and the verdict of all.

A watch lasts as long as an incarnation. It tells whoever wants to know when the verdict changes, never from within
`begin`, `replace` or `end`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from tocsin_daemon.checks import KINDS
from tocsin_daemon.core.check import On, Outcome, Result, Spec
from tocsin_daemon.core.judgement import Standing, State, Verdict, judge, overall
from tocsin_daemon.looks import Looks, Means, broken

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from tocsin_daemon.checks.outside import Outside

log = Logger()


@dataclass(frozen=True)
class Row:
    """A check as `tocsin status` shows it: its judgement and since when, its last look, how long it took."""

    name: str
    state: str
    since: float
    text: str
    took: float
    looks: int
    skipped: int


class Told:
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


class Check:
    """One check of a watch: how it looks, and where it stands."""

    def __init__(self, spec: Spec, begun: float, watch: Watch) -> None:
        """Look on behalf of `watch`, in an incarnation that began then."""
        self.spec = spec
        self.standing = Standing(begun=begun)
        self._watch = watch
        pushed = KINDS[spec.kind].pushed
        self.source: Looks | Told = (
            Told(spec, watch.outside, self._hear)
            if pushed
            else Looks(spec, watch.outside, watch.means, self._hear, self._waited_for)
        )

    def _waited_for(self) -> bool:
        mine = self.spec.role in ("", self._watch.role)
        return self._watch.starting and mine and self.spec.on is On.FAIL and not self.standing.passed

    def _hear(self, outcome: Outcome) -> None:
        self._watch.hear(self, outcome)

    def row(self) -> Row:
        """Return it as `tocsin status` shows it."""
        last = self.standing.last or Outcome(Result.WELL)
        state = Result.ERROR.value if self.standing.not_checked else self.standing.state.value
        source = self.source
        return Row(self.spec.name, state, self.standing.since, last.text, source.took, source.made, source.skipped)


class Watch:
    """The checks of one resource, and their verdict."""

    def __init__(
        self,
        outside: Outside,
        means: Means,
        on_verdict: Callable[[Verdict], None],
        on_change: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Watch nothing yet; `on_verdict` is told each new verdict, `on_change` what led to it."""
        self.outside = outside
        self.means = means
        self.role = ""
        self.starting = False
        self.verdict = overall([])
        self._on_verdict = on_verdict
        self._on_change = on_change
        self._specs: tuple[Spec, ...] = ()
        self._checks: list[Check] = []
        self._begun: float | None = None

    @property
    def running(self) -> bool:
        """Tell whether it watches."""
        return self._begun is not None

    def begin(self, begun: float, *, settled: bool = False) -> None:
        """
        Watch an incarnation that began at `begun`, in the clock's seconds.

        `settled`: it has been up before, so that nobody waits for it, and what is bad now is a failure (one that was
        taken over from a former daemon).
        """
        self.end()
        self._begun, self.starting = begun, not settled
        self.means.pulse.begin()
        self._take(self._specs)

    def end(self) -> None:
        """Watch no more: no timer, socket or process is left."""
        if self._begun is None:
            return
        self._begun = None
        checks, self._checks = self._checks, []
        # Who waits for a turn goes first, lest one that is given back here begins a look of what is to end.
        for check in sorted(checks, key=lambda check: check.source.has_turn):
            check.source.end()
        self.means.pulse.end()

    def replace(self, specs: Iterable[Spec]) -> None:
        """Have other checks from now on; one that is the same as before keeps its standing."""
        self._specs = tuple(specs)
        if self.running:
            self._take(self._specs)

    def set_role(self, role: str) -> None:
        """Judge by the checks of this role: "promoted", "unpromoted", or "" where there are none."""
        self.role = role
        self._judge_all()

    def rows(self) -> list[Row]:
        """Return what each check has found."""
        return [check.row() for check in self._checks]

    def hear(self, check: Check, outcome: Outcome) -> None:
        """Count what a check has found."""
        if check not in self._checks:
            return
        before = check.standing
        check.standing = judge(before, outcome, self.outside.reactor.seconds(), check.spec, starting=self.starting)
        if check.standing is before:
            return
        if _mark(before) != _mark(check.standing):
            said = f"{check.spec.name} {check.row().state}: {outcome.text}"
            log.info("{resource}: check {said}", resource=self.outside.resource, said=said)
            self._on_change(f"check {said}")
        self._judge_all()

    def _take(self, specs: tuple[Spec, ...]) -> None:
        assert self._begun is not None, "it has begun"
        old, self._checks = self._checks, []
        for spec in specs:
            kept = next((check for check in old if check.spec == spec), None)
            if kept:
                old.remove(kept)
            self._checks.append(kept or Check(spec, self._begun, self))
            if not kept:
                self._checks[-1].source.begin()
        for check in old:
            check.source.end()
        self.verdict = self._overall()
        self.starting = self.starting and not self.verdict.ready

    def _overall(self) -> Verdict:
        return overall([(check.spec, check.standing) for check in self._checks], self.role)

    def _judge_all(self) -> None:
        before, self.verdict = self.verdict, self._overall()
        self.starting = self.starting and not self.verdict.ready
        if replace(before, waiting="") != replace(self.verdict, waiting=""):
            try:
                self._on_verdict(self.verdict)
            except Exception:  # noqa: BLE001 - the next look has to come
                log.failure("{resource}: a verdict was not heard", resource=self.outside.resource)


def _mark(standing: Standing) -> tuple[State, bool]:
    return standing.state, standing.not_checked
