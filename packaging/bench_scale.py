"""
What one tocsind costs with many services, and how fast it is when one of them dies, or all at once.

A real daemon and real processes, and no cluster: Pacemaker's tools are scripts, of which `crm_resource` notes the time
at which it runs. So what is timed is Tocsin and the start of two processes; the real `crm_mon` is timed on the cluster.
Needs root, as the daemon does.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / room) for room in (".", "ocf", "daemon")]

from tests.stress.node import NODE, Node  # noqa: E402 - found through the line above
from tests.stress.run import free_ports  # noqa: E402

PORTS = 20
AT_ONCE = 20
MONITORS = 100
APART = 0.05
"""Seconds between two single deaths, at least; the report of one is over by then, its verification is not."""
CALM = 4.0
"""Seconds after a start of the daemon or of services until nothing of it is left to do."""
PATIENCE = 60.0
CRM_RESOURCE = """#!/bin/bash
echo "$3 $EPOCHREALTIME" >> {home}/injections
echo "$3 $$" >> {home}/failures
"""
CHECKS: dict[str, dict[str, object]] = {
    "process only": {},
    "tcp": {"tcp": "127.0.0.1:{port}", "send": "PING\r\n", "expect": r"\+PONG"},
}
REPLIES = {b"PING": b"+PONG\r\n"}
Figures = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """So many services with one kind of check a second; idle seconds that are measured, and single deaths."""

    services: int
    check: str
    seconds: float
    deaths: int


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection of a check."""
    with suppress(ConnectionError):
        writer.write(REPLIES.get((await reader.read(1000))[:4], b""))
        writer.close()


class Crowd:
    """The services of one daemon, and what is measured of them."""

    def __init__(self, load: Load, node: Node, ports: list[int]) -> None:
        """Use a daemon that was just launched."""
        self.load = load
        self.node = node
        self.names = [f"s{number:04}" for number in range(load.services)]
        self._ports = ports
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._told: dict[str, float] = {}

    async def start(self) -> None:
        """Start all, some at a time, as Pacemaker does."""
        (self.node.home / "sleep").symlink_to("/bin/sleep")
        await asyncio.gather(*map(self._start, range(self.load.services)))

    async def _start(self, number: int) -> None:
        check = dict(CHECKS[self.load.check])
        place = {
            key: str(check[key]).format(port=self._ports[number % PORTS]) for key in check if key == self.load.check
        }
        checks = [{**check, **place, "interval": 1.0}] if check else []
        definition = {"command": [f"{self.node.home}/sleep", "86400"], "checks": checks}
        async with self._turns:
            code, text = await self.node.ask("START", self.names[number], node=NODE, definition=definition)
        if code:
            raise RuntimeError(f"start of {self.names[number]}: {code} {text}")

    async def rows(self) -> list[Figures]:
        """Return the rows of `tocsin status --json`."""
        found: list[Figures] = json.loads((await self.node.ask("STATUS", "-"))[1])
        return found

    async def idle(self) -> Figures:
        """Return percent of a core, MiB, and the milliseconds of a monitor's round trip, while nothing happens."""
        begun, used = time.monotonic(), cpu_of(self.node.daemon.pid)
        await asyncio.sleep(self.load.seconds)
        share = 100 * (cpu_of(self.node.daemon.pid) - used) / (time.monotonic() - begun)
        times, used = [], cpu_of(self.node.daemon.pid)
        for number in range(MONITORS):
            asked = time.perf_counter()
            code, text = await self.node.ask("MONITOR", self.names[number % len(self.names)])
            times.append(1000 * (time.perf_counter() - asked))
            if code:
                raise RuntimeError(f"a service is not well: {text}")
        monitor = 1000 * (cpu_of(self.node.daemon.pid) - used) / MONITORS
        rss = rss_of(self.node.daemon.pid)
        return {"cpu_percent": share, "rss_mib": rss, "monitor_ms": median(times), "monitor_cpu_ms": monitor}

    async def readopted(self) -> float:
        """Kill the daemon, and return the seconds until another answers for all services, which ran all the time."""
        before = {row["resource"]: row["pid"] for row in await self.rows()}
        begun = time.monotonic()
        self.node.replace_daemon()
        await self.node.ready(0.002)
        after = {row["resource"]: row["pid"] for row in await self.rows() if row["phase"] == "running"}
        taken = time.monotonic() - begun
        if before != after:
            raise RuntimeError("not every service was taken over")
        return taken

    async def one_by_one(self) -> list[tuple[str, float]]:
        """Kill some, each alone, at moments of no rhythm; return their names and when."""
        chosen = random.sample(await self.rows(), min(self.load.deaths, self.load.services))
        killed = []
        for row in chosen:
            killed.append((row["resource"], kill(row["pid"])))
            await self._heard([row["resource"]])
            await asyncio.sleep(APART * random.uniform(1, 2))  # noqa: S311 - a moment, not a secret
        return killed

    async def all_at_once(self) -> list[tuple[str, float]]:
        """Kill all that are left in one go; return their names and when."""
        rows = [row for row in await self.rows() if row["phase"] == "running"]
        killed = [(row["resource"], kill(row["pid"])) for row in rows]
        await self._heard([row["resource"] for row in rows])
        return killed

    async def _heard(self, names: list[str]) -> None:
        """Wait until crm_resource has run for all of these."""
        deadline = time.monotonic() + PATIENCE
        while not all(name in self._told for name in names):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(set(names) - set(self._told))} deaths were not reported")
            await asyncio.sleep(0.01)
            for name, at in self.node.injections():
                self._told.setdefault(name, at)

    async def delays(self, killed: list[tuple[str, float]]) -> Figures:
        """Return milliseconds from death to its detection, by the daemon's clock, and to crm_resource, by its own."""
        rows = {row["resource"]: row for row in await self.rows()}
        found = [rows[name]["last_incident"]["times"]["detected"] - at for name, at in killed]
        return {"detected": spread(found), "crm_resource": spread([self._told[name] - at for name, at in killed])}


def kill(pid: int) -> float:
    """Kill a process; return the wall clock just before."""
    at = time.time()
    os.kill(pid, signal.SIGKILL)
    return at


def spread(seconds: list[float]) -> Figures:
    """Return what there is to say of some delays, in milliseconds."""
    ms = sorted(1000 * one for one in seconds)
    if len(ms) == 1:
        return {"n": 1, "p50": ms[0], "p99": ms[0], "max": ms[0]}
    return {"n": len(ms), "p50": median(ms), "p99": quantiles(ms, n=100, method="inclusive")[98], "max": ms[-1]}


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process, to the nanosecond: the kernel's ticks are too coarse for one that idles."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9


def rss_of(pid: int) -> float:
    """Return the resident set of a process in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


@asynccontextmanager
async def crowd(load: Load) -> AsyncIterator[Crowd]:
    """Launch a daemon with what its checks ask, whose cost is not counted; leave nothing."""
    home = Path(tempfile.mkdtemp(prefix="tocsin-bench."))
    home.chmod(0o755)
    port, *ports = free_ports(PORTS + 1)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        node = Node(home, port, [f"s{number:04}" for number in range(load.services)])
        stack.callback(node.end)
        (home / "bin/crm_resource").write_text(CRM_RESOURCE.format(home=home), encoding="ascii")
        for one in ports:
            await stack.enter_async_context(await asyncio.start_server(answer, "127.0.0.1", one, backlog=1000))
        yield Crowd(load, node, ports)


async def measure(load: Load) -> Figures:
    """Return everything about one load."""
    begun = time.monotonic()
    async with crowd(load) as some:
        await some.node.ready(0.002)
        cold = time.monotonic() - begun
        await some.start()
        started = time.monotonic() - begun - cold
        await asyncio.sleep(CALM)
        figures: Figures = {"services": load.services, "check": load.check, "cold_start_s": cold, "starts_s": started}
        figures.update(await some.idle())
        figures["readopted_s"] = await some.readopted()
        await asyncio.sleep(CALM)
        figures["one"] = await some.delays(await some.one_by_one())
        if load.services > 1:
            used = cpu_of(some.node.daemon.pid)
            killed = await some.all_at_once()
            figures["all"] = await some.delays(killed)
            figures["all"]["cpu_ms_each"] = 1000 * (cpu_of(some.node.daemon.pid) - used) / len(killed)
        return figures
