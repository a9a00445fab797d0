"""
False alarms and missed failures on a starving machine: services under checks every second, stress-ng, and a judge.

The judge knows which service it has broken, how and when. A report of any other is a false alarm; one that does not
come is a missed failure.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from tests.stress.node import NODE, TOP, Node, uptime

SERVER = TOP / "tests/stress/server.py"
KINDS = ("tcp", "http", "exec")
FAULTS = ("killed", "broken", "stopped")
"""SIGKILL of the service; it answers that it is broken; it is frozen (SIGSTOP), so nothing answers."""
PATIENCE = 180.0
"""Seconds until a failure counts as missed: the longest stretched deadlines of three looks."""
MONITOR_EVERY = 5.0


@dataclass
class Wish:
    """How much of it."""

    seed: int
    seconds: float
    faults: int
    services: int = 20
    stress: bool = True


@dataclass
class Service:
    """One service, as the judge knows it; `broken` since when (uptime), or 0."""

    name: str
    kind: str
    port: int
    flag: Path
    broken: float = 0.0
    fault: str = ""
    reported: asyncio.Event = field(default_factory=asyncio.Event)

    def definition(self) -> dict[str, object]:
        """Return it as a START carries it."""
        target: dict[str, dict[str, object]] = {
            "tcp": {"tcp": f"127.0.0.1:{self.port}", "send": "hello\n", "expect": "200 OK"},
            "http": {"http": f"http://127.0.0.1:{self.port}/"},
            "exec": {"exec": ["/bin/sh", "-c", f"test ! -e {self.flag}"]},
        }
        common = {"interval": 1.0, "timeout": 2.0}
        command = [sys.executable, "-IS", str(SERVER), str(self.port), str(self.flag)]
        return {"command": command, "checks": [{**target[self.kind], **common}]}


@dataclass
class Found:
    """What the judge has seen."""

    false_alarms: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    delays: dict[str, list[float]] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)

    def figures(self) -> str:
        """Return the figures, for people."""
        lines = [f"{fault}: {_spread(delays)}" for fault, delays in sorted(self.delays.items())]
        every = [delay for delays in self.delays.values() for delay in delays]
        counted = ", ".join(f"{number} {what}" for what, number in sorted(self.count.items()))
        head = (
            f"{len(every)} failures found, {len(self.missed)} missed, {len(self.false_alarms)} false alarms; {counted}"
        )
        return "\n  ".join([head, f"to crm_resource, all: {_spread(every)}", *lines])


def _spread(delays: list[float]) -> str:
    if len(delays) < 2:
        return f"{len(delays)} found" + "".join(f" after {delay:.2f} s" for delay in delays)
    cuts = quantiles(sorted(delays), n=100, method="inclusive")
    return f"n={len(delays)} p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, max {max(delays):.2f} s"


class Judge:
    """Plays Pacemaker and chaos at once, and keeps the books."""

    def __init__(self, wish: Wish, node: Node, services: list[Service]) -> None:
        """Judge these."""
        self.wish = wish
        self.node = node
        self.services = {service.name: service for service in services}
        self.found = Found()
        self._dice = random.Random(wish.seed)  # noqa: S311 - which service is broken next

    async def start(self, service: Service) -> None:
        """Start a service, as often as it takes."""
        service.flag.unlink(missing_ok=True)
        code, text = await self.node.ask("START", service.name, node=NODE, definition=service.definition())
        if code:
            self.found.trouble.append(f"start of {service.name}: {code} {text}")

    async def listen(self) -> None:
        """Hear every report."""
        while True:
            for name, at in self.node.injections():
                service = self.services[name]
                if service.broken:
                    delays = self.found.delays.setdefault(service.fault, [])
                    delays.append(max(0.0, at - service.broken))
                    service.reported.set()
                else:
                    self.found.false_alarms.append(f"{name} ({service.kind}) at {at}")
            await asyncio.sleep(0.05)

    async def monitor(self) -> None:
        """Ask now and then, as Pacemaker does; what is well must be said to be well."""
        while True:
            await asyncio.sleep(MONITOR_EVERY)
            for service in self.services.values():
                if not service.broken:
                    code, text = await self.node.ask("MONITOR", service.name)
                    if not service.broken:
                        self.found.count[f"monitors answered {code}"] += 1
                        if code:
                            self.found.trouble.append(f"monitor of {service.name}: {code} {text}")

    async def break_one(self) -> None:
        """Break a service that is well, wait for the report, recover it."""
        service = self._dice.choice([one for one in self.services.values() if not one.broken])
        service.fault = self._dice.choice(FAULTS)
        if service.kind == "exec" and service.fault == "stopped":
            service.fault = "broken"  # its check looks at a file, not at the server
        pid = await self._pid(service)
        service.reported.clear()
        service.broken = uptime()
        os.kill(pid, {"killed": signal.SIGKILL, "broken": signal.SIGUSR1, "stopped": signal.SIGSTOP}[service.fault])
        try:
            await asyncio.wait_for(service.reported.wait(), PATIENCE)
        except asyncio.TimeoutError:
            self.found.missed.append(f"{service.name} ({service.kind}): {service.fault}")
        await self.node.ask("STOP", service.name)
        await self.start(service)
        service.broken = 0.0

    async def _pid(self, service: Service) -> int:
        _, rows = await self.node.ask("STATUS", service.name)
        return int(json.loads(rows)[0]["pid"])

    async def run(self) -> Found:
        """Start all, break some at random times, and judge."""
        await self.node.ready()
        await asyncio.gather(*map(self.start, self.services.values()))
        duties = [asyncio.ensure_future(self.listen()), asyncio.ensure_future(self.monitor())]
        moments = sorted(self._dice.uniform(0.05, 0.9) * self.wish.seconds for _ in range(self.wish.faults))
        begun = asyncio.get_running_loop().time()
        broken: list[asyncio.Future[None]] = []
        for moment in moments:
            await asyncio.sleep(max(0.0, begun + moment - asyncio.get_running_loop().time()))
            broken.append(asyncio.ensure_future(self.break_one()))
        await asyncio.gather(*broken)
        await asyncio.sleep(max(0.0, begun + self.wish.seconds - asyncio.get_running_loop().time()))
        for duty in duties:
            duty.cancel()
            if duty.done() and not duty.cancelled() and duty.exception():
                self.found.trouble.append(repr(duty.exception()))
        await asyncio.gather(*(self.node.ask("STOP", name) for name in self.services))
        return self.found


def stress(seconds: float) -> list[str]:
    """Return what starves the machine: every processor four times over, memory, disk, and endless forks."""
    cores, quarter = os.cpu_count() or 1, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
    load = ["--cpu", str(4 * cores), "--vm", "2", "--vm-bytes", str(quarter // 2), "--iomix", "1", "--fork", "2"]
    return ["stress-ng", "--quiet", *load, "--timeout", f"{seconds:.0f}s", "--temp-path", "."]


def free_ports(number: int) -> list[int]:
    """Return ports of loopback that nobody listens on."""
    with ExitStack() as open_sockets:
        found = [open_sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [one.getsockname()[1] for one in found]


def run(wish: Wish) -> Found:
    """Run all of it, and leave nothing."""
    home = Path(tempfile.mkdtemp(prefix="tocsin-stress."))
    home.chmod(0o755)
    port, *ports = free_ports(wish.services + 1)
    names = [f"s{number:02}" for number in range(wish.services)]
    services = [
        Service(name, KINDS[number % len(KINDS)], ports[number], home / f"{name}.broken")
        for number, name in enumerate(names)
    ]
    load = subprocess.Popen(stress(wish.seconds + 30), cwd=home) if wish.stress else None
    node = Node(home, port, names)
    try:
        found = asyncio.run(Judge(wish, node, services).run())
        crashes = [line for line in node.log().splitlines() if "Traceback" in line]
        found.trouble += crashes
        return found
    finally:
        if load:
            load.terminate()
            load.wait()
        node.end()
        if os.environ.get("TOCSIN_KEEP"):
            print(f"kept: {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)
