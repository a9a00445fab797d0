"""
What a thousand services cost that are looked at every second: a real tocsind, a thousand processes, one check each.

The services are sleeps; what their checks ask are a few listeners in this process, whose cost is not counted. Needs
root, as the daemon does, and no cluster: Pacemaker's tools are scripts that say that all is well.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / room) for room in (".", "ocf", "daemon")]

from tests.stress.node import NODE, Node  # noqa: E402 - found through the line above
from tests.stress.run import free_ports  # noqa: E402

SERVICES, PORTS = 1000, 20
AT_ONCE = 20
SETTLE, SECONDS = 5.0, 20.0
MONITORS = 100
MOST_CPU, MOST_RSS = 50.0, 150.0
"""Percent of one core and MiB that a thousand services may cost with the first check."""
CHECKS: dict[str, dict[str, object]] = {
    "tcp: connect": {"tcp": "127.0.0.1:{port}"},
    "tcp: PING, +PONG": {"tcp": "127.0.0.1:{port}", "send": "PING\r\n", "expect": r"\+PONG"},
    "http: GET": {"http": "http://127.0.0.1:{port}/health"},
}
REPLIES = {b"PING": b"+PONG\r\n", b"GET ": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"}


@dataclass(frozen=True)
class Figures:
    """What one run came to: percent of a core, MiB, milliseconds; `bad` are the services that were not well."""

    cpu: float
    rss: float
    monitor: float
    bad: int


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection."""
    data = await reader.read(1000)
    writer.write(REPLIES.get(data[:4], b""))
    writer.close()


async def measure(check: dict[str, object], services: int, seconds: float) -> Figures:
    """Start all of them on a daemon of their own, and look what it costs."""
    home = Path(tempfile.mkdtemp(prefix="tocsin-bench."))
    home.chmod(0o755)
    port, *ports = free_ports(PORTS + 1)
    names = [f"s{number:04}" for number in range(services)]
    node, turns = Node(home, port, names), asyncio.Semaphore(AT_ONCE)

    async def start(number: int) -> None:
        kind, target = next(iter(check.items()))
        place = str(target).format(port=ports[number % PORTS])
        command = ["/bin/sh", "-c", f"exec sleep 86400 # {home}"]
        definition = {"command": command, "checks": [{**check, kind: place, "interval": 1.0}]}
        async with turns:
            await node.ask("START", names[number], node=NODE, definition=definition)

    async with AsyncExitStack() as listeners:
        for one in ports:
            await listeners.enter_async_context(await asyncio.start_server(answer, "127.0.0.1", one, backlog=1000))
        try:
            await node.ready()
            await asyncio.gather(*map(start, range(services)))
            await asyncio.sleep(SETTLE)
            return await _cost(node, names, seconds)
        finally:
            node.end()
            shutil.rmtree(home, ignore_errors=True)


async def _cost(node: Node, names: list[str], seconds: float) -> Figures:
    begun, used = time.monotonic(), _cpu(node.daemon.pid)
    await asyncio.sleep(seconds)
    cpu = 100 * (_cpu(node.daemon.pid) - used) / (time.monotonic() - begun)
    status = Path(f"/proc/{node.daemon.pid}/status").read_text(encoding="ascii")
    rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    times = []
    for name in names[:MONITORS]:
        asked = time.monotonic()
        await node.ask("MONITOR", name)
        times.append(1000 * (time.monotonic() - asked))
    bad = [name for name in names if (await node.ask("MONITOR", name))[0] != 0]
    return Figures(cpu, rss / 1024, median(times), len(bad))


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process, in user and kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(services: int = SERVICES, seconds: float = SECONDS) -> bool:
    """Print a table of what each kind of check costs; tell whether the first is as cheap as promised."""
    print(f"\n{services} services, one check a second each, on one tocsind, {seconds:.0f} s\n")
    print(f"  {'':20}{'core %':>8}{'RSS MiB':>9}{'monitor ms':>12}   well")
    kept = True
    for name, check in CHECKS.items():
        found = asyncio.run(measure(check, services, seconds))
        well = f"{services - found.bad} of {services}"
        print(f"  {name:20}{found.cpu:>8.1f}{found.rss:>9.1f}{found.monitor:>12.2f}   {well}", flush=True)
        if name == next(iter(CHECKS)):
            kept = found.cpu < MOST_CPU and found.rss < MOST_RSS and not found.bad
    print(f"  allowed for the first: {MOST_CPU:.0f} % of a core, {MOST_RSS:.0f} MiB: {'kept' if kept else 'NOT KEPT'}")
    return kept


if __name__ == "__main__":
    sys.exit(not run(*map(int, sys.argv[1:2])))
