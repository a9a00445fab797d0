"""
The watch over one resource: all its checks, what each has found, and the verdict of all.

A watch lasts as long as an incarnation. It tells whoever wants to know when the verdict changes, never from within
`begin`, `replace` or `end`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_daemon.checks import KINDS
from tocsin_daemon.core.check import On, Outcome, Result, Spec
from tocsin_daemon.core.judgement import Standing, State, Verdict, judge, overall
from tocsin_daemon.looks import Looks, Means
from tocsin_daemon.pushed import Pushed

if TYPE_CHECKING:
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


class Check:
    """One check of a watch: how it looks, and where it stands."""

    def __init__(self, spec: Spec, begun: float, watch: Watch) -> None:
        """Look on behalf of `watch`, in an incarnation that began then."""
        self.spec = spec
        self.standing = Standing(begun=begun)
        self._watch = watch
        pushed = KINDS[spec.kind].pushed
        self.source: Looks | Pushed = (
            Pushed(spec, watch.outside, self._hear)
            if pushed
            else Looks(spec, watch.outside, watch.means, self._hear, self._waited_for)
        )

    def _waited_for(self) -> bool:
        return self._watch.starting and self.spec.on is On.FAIL and not self.standing.passed

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
        self._role_since = 0.0

    @property
    def running(self) -> bool:
        """Tell whether it watches."""
        return self._begun is not None

    def begin(self, begun: float, role: str = "", *, settled: bool = False) -> None:
        """
        Watch an incarnation that began at `begun`, in the clock's seconds, in this role ("" where it has none).

        `settled`: it has been up before, so that nobody waits for it, and what is bad now is a failure (one that was
        taken over from a former daemon).
        """
        self.end()
        self._begun, self.role, self.starting = begun, role, not settled
        self._role_since = begun
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
        if checks:
            self.means.pulse.end()

    def replace(self, specs: Iterable[Spec]) -> None:
        """Have other checks from now on; one that is the same as before keeps its standing."""
        self._specs = tuple(specs)
        if self.running:
            self._take(self._specs)

    def set_role(self, role: str, *, settled: bool) -> None:
        """
        Judge by the checks of this role, "promoted" or "unpromoted", and by those of any; the other role's end.

        Those that begin now know nothing of what was before. `settled`: nobody waits until they have passed.
        """
        assert self._begun is not None, "it has begun"
        self.role, self.starting = role, not settled
        self._role_since = self.outside.reactor.seconds()
        self._take(self._specs)

    def rows(self) -> list[Row]:
        """Return what each check has found."""
        return [check.row() for check in self._checks]

    def failing_since(self) -> float | None:
        """Return when a check that has failed now first saw it, in the clock's seconds; None where none has failed."""
        failed = [check.standing.bad_since for check in self._checks if check.standing.state is State.FAILED]
        return min(failed, default=None)

    def hear(self, check: Check, outcome: Outcome) -> None:
        """Count what a check has found."""
        if check not in self._checks:
            return
        self.means.trace(self.outside.resource, check.spec.name, outcome)
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
        wanted = [spec for spec in specs if spec.role in ("", self.role)]
        if wanted and not old:
            self.means.pulse.begin()
        elif old and not wanted:
            self.means.pulse.end()
        for spec in wanted:
            kept = next((check for check in old if check.spec == spec), None)
            if kept:
                old.remove(kept)
            self._checks.append(kept or Check(spec, self._role_since if spec.role else self._begun, self))
            if not kept:
                self._checks[-1].source.begin()
        for check in old:
            check.source.end()
        self.verdict = self._overall()
        self.starting = self.starting and not self.verdict.ready

    def _overall(self) -> Verdict:
        return overall((check.spec, check.standing) for check in self._checks)

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
