"""
The systemd driver by itself, inside a machine: commands in on stdin, what it tells out on stdout, a line each.

`start UNIT`, `adopt UNIT [PID START]`, `clear SECONDS`, `check UNIT`, `left`, `members`; each line out is JSON: what is
told, with the monotonic clock's seconds, which are the same inside and outside of the machine.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from functools import partial
from typing import Any

from twisted.internet import reactor
from twisted.internet.stdio import StandardIO
from twisted.logger import globalLogPublisher, textFileLogObserver
from twisted.protocols.basic import LineReceiver

from tocsin_daemon.bus.bus import Bus
from tocsin_daemon.bus.message import addresses
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.checks.systemd import SystemdUnit
from tocsin_daemon.children import Children, become_subreaper
from tocsin_daemon.core.check import Outcome, Spec
from tocsin_daemon.core.record import Main
from tocsin_daemon.core.stopping import Plan
from tocsin_daemon.drivers import Means
from tocsin_daemon.drivers.systemd import SystemdDriver
from tocsin_daemon.table import ProcessTable
from tocsin_ocf import processes
from tocsin_ocf.definition import Definition


def say(what: str, **more: object) -> None:
    """Write a line."""
    print(json.dumps({"at": time.monotonic(), "what": what, **more}), flush=True)


class Told:
    """Says what a driver tells."""

    def up(self, main: Main | None) -> None:
        """Say as what it is up."""
        say("up", pid=main.pid if main else 0, cgroup=main.cgroup if main else "")

    def ended(self, status: int | None, why: str = "") -> None:
        """Say how it has ended."""
        say("ended", status=status, why=why)

    def refused(self, code: int, reason: str) -> None:
        """Say why it cannot be started."""
        say("refused", code=code, why=reason)


class Commands(LineReceiver):
    """Carries out what stdin says."""

    delimiter = b"\n"

    def __init__(self) -> None:
        """Make what the composition root makes."""
        world: Any = reactor
        children = Children(world)
        bus = Bus(world, list(addresses({}, root=True)))
        self.bus = bus
        means = Means(world, children, ProcessTable(world), "/run", None, lambda: bus)
        self.driver = SystemdDriver("web", means)
        self.outside = Outside(world, "web", run=lambda _: None, bus=lambda: bus)  # type: ignore[arg-type,return-value]

    def lineReceived(self, line: bytes) -> None:
        """Do one thing."""
        verb, *words = line.decode().split()
        getattr(self, f"do_{verb}")(*words)

    def connectionLost(self, reason: object = None) -> None:
        """End with whoever commands us."""
        reactor.stop()  # type: ignore[attr-defined]

    def do_start(self, unit: str) -> None:
        """Start a unit."""
        self.driver.start(Definition((), unit=unit), "i", Told())

    def do_adopt(self, unit: str, pid: str = "0") -> None:
        """Take over a unit with this main process."""
        process = processes.look(int(pid)) if pid != "0" else None
        main = Main(process.pid, process.start, "boot") if process else None
        say("adopted", runs=self.driver.adopt(Definition((), unit=unit), main, "i", {}, Told()))

    def do_clear(self, seconds: str) -> None:
        """Stop it."""
        killed = partial(say, "kill")
        self.driver.clear(Plan(float(seconds)), 15, lambda: say("cleared"), lambda seen: killed(seen=seen))

    def do_check(self, unit: str) -> None:
        """Begin a check."""

        def tell(outcome: Outcome) -> None:
            say("check", result=outcome.result.name, text=outcome.text)

        SystemdUnit(Spec("systemd", unit, unit), self.outside).begin(tell)

    def do_kill(self, pid: str) -> None:
        """Kill a process, and say when."""
        say("killed")
        os.kill(int(pid), signal.SIGKILL)

    def do_left(self) -> None:
        """Say what is left."""
        say("left", left=self.driver.left())

    def do_members(self) -> None:
        """Say who belongs to it."""
        say("members", pids=[process.pid for process in self.driver.members(thorough=True)])

    def do_bus(self) -> None:
        """Say how systemd is reached."""
        say("bus", connected=self.bus.connected, direct=self.bus.direct)


if __name__ == "__main__":
    globalLogPublisher.addObserver(textFileLogObserver(sys.stderr))
    become_subreaper()
    StandardIO(Commands())
    reactor.run()  # type: ignore[attr-defined]
