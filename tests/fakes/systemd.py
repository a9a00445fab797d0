"""Fakes of D-Bus and of systemd: what was asked is kept, and the test says what comes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from tocsin_daemon.bus.message import Call, Rule, Signal
from tocsin_daemon.core.record import Main
from tocsin_daemon.core.stopping import Plan
from tocsin_daemon.core.unit import Unit
from tocsin_daemon.drivers import Means
from tocsin_daemon.drivers.systemd import SystemdDriver
from tocsin_ocf.definition import Definition

OWNER = ":1.1"
SYSTEMD = "org.freedesktop.systemd1"
DBUS = "org.freedesktop.DBus"


class FakeBus:
    """A bus of which the test is the other end."""

    def __init__(self) -> None:
        """Nobody has called yet."""
        self.clock = Clock()
        self.listener: Any = None
        self.rules: list[Rule] = []
        self.holds = 0
        self.waiting: list[tuple[Call, Deferred[tuple[Any, ...]]]] = []
        self.listen = self.rules.append
        self.unlisten = self.rules.remove

    def call(self, call: Call, timeout: float = 25.0) -> Deferred[tuple[Any, ...]]:
        """Keep who waits; that a unit is held needs no answer."""
        if call.member in ("RefUnit", "UnrefUnit"):
            self.holds += 1 if call.member == "RefUnit" else -1
            return succeed(())
        self.waiting.append((call, Deferred()))
        return self.waiting[-1][1]

    @property
    def asked(self) -> list[str]:
        """The methods that nobody has answered yet."""
        return [call.member for call, _ in self.waiting]

    def answer(self, member: str, *body: Any) -> Call:  # noqa: ANN401
        """Answer the first call of a method; an exception is an answer too."""
        at = self.asked.index(member)
        call, done = self.waiting.pop(at)
        if body and isinstance(body[0], Exception):
            done.errback(body[0])
        else:
            done.callback(body)
        return call

    def connect(self) -> None:
        """Have a connection, on which systemd is."""
        self.listener.connected(direct=False)
        self.answer("GetNameOwner", OWNER)
        self.answer("Subscribe")

    def signal(self, member: str, *body: Any, path: str = "/", sender: str = OWNER) -> None:  # noqa: ANN401
        """Say that something has happened."""
        self.listener.heard(Signal(sender, path, f"{SYSTEMD}.Manager", member, body))


def properties(**values: Any) -> dict[str, tuple[str, Any]]:  # noqa: ANN401
    """Return what GetAll returns."""
    found = {"Id": "web.service", "LoadState": "loaded", "ActiveState": "active", "SubState": "running", **values}
    return {name: ("v", value) for name, value in found.items()}


class FakeFollowing:
    """One unit, whose state the test tells."""

    def __init__(self, systemd: FakeSystemd, unit: str, tell: Callable[[Unit | None], None]) -> None:
        """Keep whom to tell."""
        self.unit = unit
        self.tell = tell
        self.why = "no bus"
        self.over = False
        self.asks = 0
        self._systemd = systemd

    def ask(self, *, anew: bool = False) -> None:
        """Count how often somebody wants to know."""
        self.asks += 1

    def read(self) -> Deferred[Unit]:
        """Return the state as it is now."""
        return self._systemd.found

    def end(self) -> None:
        """Note that nobody is told any more."""
        self.over = True


class Reactor(Clock):
    """A clock that takes descriptors, and never reads any."""

    def addReader(self, reader: object) -> None:
        """Take it."""

    def removeReader(self, reader: object) -> None:
        """Give it back."""


class FakeSystemd:
    """What the test will have systemd be; `done` is what was asked of it."""

    def __init__(self, run_time: str) -> None:
        """Know no unit."""
        self.clock = Reactor()
        self.listener = self  # it stands for the connection to it too
        self.run_time = run_time
        self.done: list[str] = []
        self.found: Deferred[Unit] = Deferred()
        self.refusal: Exception | None = None
        """What it answers when it is told to start or stop something."""
        self.following: FakeFollowing | None = None

    def follow(self, unit: str, tell: Callable[[Unit | None], None]) -> FakeFollowing:
        """Have the test tell the state of a unit."""
        self.following = FakeFollowing(self, unit, tell)
        return self.following

    def tell(self, unit: Unit | None) -> None:
        """Say what a unit is."""
        assert self.following and not self.following.over
        self.following.tell(unit)

    def reload(self) -> Deferred[None]:
        """Read all units."""
        self.done.append("reload")
        return succeed(None)

    def start(self, unit: str) -> Deferred[str]:
        """Start a unit."""
        self.done.append(f"start {unit}")
        return fail(self.refusal) if self.refusal else succeed("/job/1")

    def stop(self, unit: str) -> Deferred[str]:
        """Stop a unit."""
        self.done.append(f"stop {unit}")
        return fail(self.refusal) if self.refusal else succeed("/job/2")

    def reset_failed(self, unit: str) -> None:
        """Forget."""
        self.done.append(f"reset {unit}")

    def job_result(self, job: str) -> str:
        """Know nothing of jobs."""
        return ""


ME = os.getpid()
WEB = Definition((), unit="web.service")
DOWN = Unit("web.service")
UP = Unit("web.service", active="active", sub="running", main=ME, last_main=ME, invocation="a1")
FAILED = replace(DOWN, active="failed", sub="failed", result="signal", code=2, status=9, last_main=ME, invocation="a1")


class Children:
    """Watches whom it is told to; nobody of them ends by itself."""

    def __init__(self) -> None:
        """Watch nobody."""
        self.watched: dict[int, Callable[[int | None], None]] = {}

    def adopt(self, pid: int, start: int, on_end: Callable[[int | None], None]) -> object:
        """Keep whom to tell."""
        self.watched[pid] = on_end
        return self

    def spawn(self, *_: object, **__: object) -> None:
        """Have no journalctl."""
        raise FileNotFoundError(2, "no such program")


class Room:
    """A driver, its systemd, and what it tells."""

    def __init__(self, directory: Path) -> None:
        """Nothing was started."""
        self.systemd = FakeSystemd(str(directory))
        self.clock: Clock = self.systemd.clock
        self.children = Children()
        means: Any = Means(self.clock, self.children, None, "", None, lambda: self.systemd)  # type: ignore[arg-type]
        self.driver = SystemdDriver("web", means)
        self.told: list[tuple[object, ...]] = []
        self.killed: list[tuple[str, ...]] = []
        self.override = directory / "web.service.d/50-tocsin.conf"

    def up(self, main: Main | None) -> None:
        """Hear it."""
        self.told.append(("up", main.pid if main else 0))

    def ended(self, status: int | None, why: str = "") -> None:
        """Hear it."""
        self.told.append(("ended", status, why))

    def refused(self, code: int, reason: str) -> None:
        """Hear it."""
        self.told.append(("refused", code, reason))

    def start(self, found: Unit = DOWN) -> None:
        """Start web.service, of which systemd says `found`."""
        self.driver.start(WEB, "i1", self)
        self.systemd.found.callback(found)

    def run(self) -> None:
        """Have it up."""
        self.start()
        self.systemd.tell(UP)
        self.told.clear()

    def clear(self, seconds: float = 20) -> None:
        """Stop it."""
        self.driver.clear(Plan(seconds), 15, lambda: self.told.append(("cleared",)), self.killed.append)
