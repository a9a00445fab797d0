"""Checks that a test answers for, and what a watch of them needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from twisted.internet.defer import Deferred, DeferredSemaphore, fail, succeed
from twisted.internet.task import Clock

from tocsin_daemon.checks import KINDS
from tocsin_daemon.checks.outside import Ended, Outside
from tocsin_daemon.children import Program
from tocsin_daemon.core.check import Outcome, Result, Spec
from tocsin_daemon.core.judgement import Verdict
from tocsin_daemon.looks import Means
from tocsin_daemon.watch import Watch

WELL, SOFT = Outcome(Result.WELL, "well"), Outcome(Result.SOFT, "slow")
BAD, ERROR = Outcome(Result.BAD, "refused"), Outcome(Result.ERROR, "no descriptors")


class FakeKind:
    """Stands for a Kind: its checks wait for the test, or return what is in `answer`."""

    def __init__(self, *, pushed: bool = False, costly: bool = False) -> None:
        """Have no checks yet."""
        self.pushed = pushed
        self.costly = costly
        self.answer: Any = None
        self.looks: list[Deferred[Any]] = []
        self.tells: list[Callable[[Outcome], None]] = []
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.cancelled = 0
        self.wrong: Exception | None = None

    def __call__(self, spec: Spec, outside: Outside) -> FakeCheck:
        """Make a check."""
        if self.wrong:
            raise self.wrong
        return FakeCheck(self, spec)


class FakeCheck:
    """One of them, polled or pushed."""

    def __init__(self, kind: FakeKind, spec: Spec) -> None:
        """Belong to a kind."""
        self.kind = kind
        self.name = spec.name

    def run(self) -> Deferred[Any]:
        """Look, as the test wants."""
        self.kind.begun.append(self.name)
        if isinstance(self.kind.answer, Exception):
            raise self.kind.answer
        if self.kind.answer is not None:
            return succeed(self.kind.answer)
        looking: Deferred[Any] = Deferred(self._cancelled)
        self.kind.looks.append(looking)
        return looking

    def _cancelled(self, _: object) -> None:
        self.kind.cancelled += 1

    def begin(self, tell: Callable[[Outcome], None]) -> None:
        """Be told by the test."""
        self.kind.begun.append(self.name)
        self.kind.tells.append(tell)

    def end(self) -> None:
        """Be told no more."""
        self.kind.ended.append(self.name)


class FakePulse:
    """Stands for Pulse: time is lost as the test says."""

    def __init__(self) -> None:
        """Nobody wants to know."""
        self.users = 0
        self.total = 0.0

    def begin(self) -> None:
        """Count one more."""
        self.users += 1

    def end(self) -> None:
        """Count one less."""
        self.users -= 1

    def lost(self) -> float:
        """Return what the test says."""
        return self.total


@dataclass
class FakeRun:
    """Stands for `Commands.run`: each program ends as the test says."""

    ended: Ended | OSError = field(default_factory=lambda: Ended(0))
    programs: list[Program] = field(default_factory=list)

    def __call__(self, program: Program) -> Deferred[Ended]:
        """Note it."""
        self.programs.append(program)
        return fail(self.ended) if isinstance(self.ended, OSError) else succeed(self.ended)


class Watched:
    """A watch over `web` on a clock, its kinds, and the verdicts it told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch nothing yet; kind `tcp` is polled, `exec` costly, `systemd` pushed."""
        self.clock = Clock()
        self.clock.advance(1000)
        self.tcp, self.exec, self.systemd = FakeKind(), FakeKind(costly=True), FakeKind(pushed=True)
        for name, kind in (("tcp", self.tcp), ("exec", self.exec), ("systemd", self.systemd)):
            monkeypatch.setitem(KINDS, name, kind)  # type: ignore[arg-type]
        self.pulse = FakePulse()
        self.means = Means(DeferredSemaphore(2), self.pulse)  # type: ignore[arg-type]
        self.verdicts: list[Verdict] = []
        self.waited: float | None = None
        self.watch = self.another("web")

    def another(self, resource: str) -> Watch:
        """Return a watch that shares turns and pulse."""
        outside = Outside(self.clock, resource, FakeRun(), waited=lambda: self.waited)
        return Watch(outside, self.means, self.verdicts.append)

    def begin(self, *specs: Spec, settled: bool = True) -> None:
        """Watch these."""
        self.watch.replace(specs)
        self.watch.begin(self.clock.seconds(), settled=settled)

    def pass_time(self, seconds: float, step: float = 0.1) -> None:
        """Let time pass in steps."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)


def spec(name: str = "one", kind: str = "tcp", **more: Any) -> Spec:  # noqa: ANN401 - whatever a Spec takes
    """Return a check."""
    return Spec(kind, "target", name, **more)
