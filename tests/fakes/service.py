"""Stands for what is around one service, in memory: its driver, its watch, what it says itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tocsin_daemon.checks.notify_message import Message
from tocsin_daemon.core.check import Spec
from tocsin_daemon.core.judgement import Verdict
from tocsin_daemon.core.record import Main
from tocsin_daemon.core.stopping import Plan
from tocsin_daemon.driver import CannotStart, Told
from tocsin_daemon.output import Output
from tocsin_daemon.watch import Row
from tocsin_ocf.definition import Definition
from tocsin_ocf.processes import Process


class FakeDriver:
    """Stands for a `Driver`: notes what is asked of it in `events`."""

    def __init__(self, resource: str) -> None:
        """Run nothing."""
        self.main: Main | None = None
        self.output = Output("/nonexistent/output")
        self.known: dict[int, int] = {}
        self.events: list[str] = []
        self.refuses: CannotStart | None = None
        self.remains: list[Process] = []
        self.survives = True
        self.told: Told
        self.slow = False
        self.on_cleared: Callable[[], None] = lambda: None
        self.plan = Plan(0.0)
        self.signal = 0
        self.definition: Definition

    def start(self, definition: Definition, incarnation: str, told: Told) -> None:
        """Start, or refuse; the test says when a `slow` one is up."""
        if self.refuses:
            raise self.refuses
        self.events.append("start")
        self.told = told
        self.definition = definition
        if not self.slow:
            told.up(Main(4711, 99, "boot"))

    def adopt(self, definition: object, main: object, incarnation: str, known: object, told: Told) -> bool:
        """Tell whether the service survived the former daemon."""
        self.told = told
        return self.survives

    def on_end(self, status: int | None, why: str = "") -> None:
        """Let the service end by itself."""
        self.told.ended(status, why)

    def members(self, *, thorough: bool, age: float = 0.0) -> list[Process]:
        """Return what is said to be left."""
        return self.remains

    def relimit(self, definition: Definition) -> bool:
        """Note the limits; refuse them where the test wants it."""
        self.limits = dict(definition.limits)
        return not self.refuses

    def left(self) -> list[str]:
        """Return what is said to be left, by name."""
        return list(map(repr, self.remains))

    def evidence(self) -> tuple[str, ...]:
        """Return what is said to be left, in words."""
        return tuple(map(repr, self.remains))

    def clear(
        self,
        plan: Plan,
        stop_signal: int,
        on_cleared: Callable[[], None],
        on_kill: Callable[[tuple[str, ...]], None] = lambda seen: None,
    ) -> None:
        """Wait for the test to call `on_cleared`."""
        self.events.append("clear")
        self.plan = plan
        self.signal = stop_signal
        self.on_kill = on_kill
        self.on_cleared = on_cleared

    def cancel(self) -> None:
        """Stop looking."""
        self.events.append("cancel")


class FakeWatch:
    """Stands for a `Watch`: its verdict is what the test sets."""

    def __init__(self, told: Callable[[Verdict], None]) -> None:
        """Judge nothing, and find everything well."""
        self.verdict = Verdict(ready=True)
        self.specs: tuple[Spec, ...] = ()
        self.running = False
        self.settled = False
        self.role = ""
        self._told = told

    def replace(self, specs: Sequence[Spec]) -> None:
        """Keep the checks."""
        self.specs = tuple(specs)

    def begin(self, begun: float, role: str = "", *, settled: bool = False) -> None:
        """Begin."""
        self.running = True
        self.role = role
        self.settled = settled

    def set_role(self, role: str, *, settled: bool) -> None:
        """Take the role."""
        self.role, self.settled = role, settled

    def end(self) -> None:
        """End."""
        self.running = False

    def rows(self) -> list[Row]:
        """Return a row per check."""
        return [Row(spec.name, "well", 0.0, "", 0.0, 0, 0) for spec in self.specs]

    def say(self, **verdict: object) -> None:
        """Come to another verdict."""
        self.verdict = replace(self.verdict, **verdict)  # type: ignore[arg-type]
        self._told(self.verdict)


class FakeNotify:
    """Stands for a `Notify`: the service says what the test lets it say."""

    def __init__(self) -> None:
        """Say nothing."""
        self.ready = False
        self.status = ""
        self.listens = False
        self._ear: Callable[[Message], None] = lambda message: None

    def forget_what_was_said(self) -> None:
        """Begin anew."""
        self.ready = False

    def listen(self, uid: int | None = None) -> None:
        """Listen."""
        self.listens = True

    def close(self, *, keep_path: bool = False) -> None:
        """Listen no more."""
        self.listens = False

    def environment(self, watchdog: float = 0.0) -> dict[str, str]:
        """Return where to speak."""
        return {"NOTIFY_SOCKET": "/run/notify", **({"WATCHDOG_USEC": str(int(watchdog * 1e6))} if watchdog else {})}

    def hear(self, ear: Callable[[Message], None]) -> None:
        """Keep who hears."""
        self._ear = ear

    def say(self, **words: object) -> None:
        """Let the service speak."""
        message = Message(**words)  # type: ignore[arg-type]
        self.ready = self.ready or message.ready
        self._ear(message)
