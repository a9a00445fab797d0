"""
One world: a namespace with one daemon, a few resources, and chaos; runs in there as the child of pid 1.

Every resource goes through its own cycles, so they meet each other in ever new ways: moves, then calm, then the
books are looked at. What the witnesses say is heard in one place (`sync`), in the order in which it happened.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter, deque
from glob import glob
from typing import Any

from tests.chaos import moves, orders, tools
from tests.chaos.pacemaker import Cluster, Resource
from tests.chaos.plan import cycle
from tests.chaos.processes import Seen, Watch, begun, daemons, everyone, now, send

BOUND = 60.0
"""Seconds after the last move of a cycle: the longest hang of a tool, and a few retries."""
CONTACT = 0.3
"""Seconds without a daemon, or without a service that Pacemaker believes in, until its next monitor is due."""
EVENTS = 400
LOG_LINES = 120
CRASH_LINES = 30
CRASHES = ("Traceback (most recent call last)", "no row for", "Unhandled", "broke off")
"""What no log of a daemon may hold, however it was treated."""


class World:
    """All that is in the namespace."""

    def __init__(self, names: list[str], without: frozenset[str]) -> None:
        """Open the tower, and begin with these resources, stopped."""
        self._tower = tools.install()
        self.without = without
        self.events: deque[str] = deque(maxlen=EVENTS)
        self.modes: dict[str, int] = {}
        self.failed: list[str] = []
        self.evidence: tuple[list[str], list[str]] = ([], [])
        self.count: Counter[str] = Counter()
        self._begun = time.monotonic()
        self._partial = b""
        self._watches: dict[int, Watch] = {}
        self.cluster = Cluster(self.sync, self.note, self.left)
        for name in names:
            (tools.HOME / name).mkdir()
            self.cluster.resources[name] = Resource(name, self.cluster)
        self.cluster.publish()
        asyncio.get_running_loop().add_reader(self._tower, self.sync)

    def note(self, text: str) -> None:
        """Keep an event."""
        self.events.append(f"{time.monotonic() - self._begun:9.3f} {text}")

    # The witnesses

    def sync(self) -> None:
        """Hear all that has happened up to now: deaths first, for whoever speaks of the dead speaks later."""
        for pid, watch in list(self._watches.items()):
            watch.look()
            if watch.over:
                self._watches.pop(pid, None)
        try:
            data = self._partial + os.read(self._tower, 1 << 20)
        except BlockingIOError:
            return
        *lines, self._partial = data.split(b"\n")
        for line in lines:
            word, number, name, *more = line.decode(errors="replace").split(" ", 3)
            self._hear(word, int(number), name, "".join(more))

    def _hear(self, word: str, pid: int, name: str, more: str) -> None:
        self.note(f"{name} {word} {pid}")
        book, call = self.cluster.resources[name].book, str(pid)
        if word == "born":
            for watch in list(self._watches.values()):
                watch.look()
            book.born(now(), pid, [one.pid for one in self.left(name) if not _belongs(one, pid)], begun(more))
            self._watches[pid] = Watch(pid, lambda: self._died(name, pid))
        elif word == "begin":
            book.injection(begun(more), call)
        else:
            book.injected(now(), call)
            self.cluster.injected(name)

    def _died(self, name: str, pid: int) -> None:
        self.note(f"{name} died {pid}")
        self.cluster.resources[name].book.died(now(), pid)

    def left(self, name: str) -> list[Seen]:
        """Return the processes of a resource: they all have its directory."""
        return [one for one in everyone() if one.directory == str(tools.HOME / name)]

    def signal_daemons(self, number: int) -> list[int]:
        """Send a signal to every daemon."""
        found = daemons()
        self.note(f"daemons {found} <- {signal.Signals(number).name}")
        self.count[f"daemon {signal.Signals(number).name}"] += len(found)
        return [pid for pid in found if send(pid, number)]

    # The cycles

    async def play(self, name: str, seed: int, numbers: range) -> int:
        """Go through the cycles of one resource; return how many were made."""
        resource = self.cluster.resources[name]
        runner = asyncio.get_running_loop().create_task(resource.run())
        done = 0
        for number in numbers:
            planned = cycle(seed, name, number, self.without)
            self.note(f"--- {planned}")
            resource.next_kind = planned.kind
            await self._moves(resource, planned.moves)
            await self._calm(resource)
            done += 1
            self._audit(resource, f"--seed {seed}: {planned}")
            if self.failed:
                break
        resource.want(False)
        await self._calm(resource)
        self._audit(resource, f"--seed {seed}: {name} at the end")
        runner.cancel()
        return done

    async def _moves(self, resource: Resource, planned: tuple[Any, ...]) -> None:
        resource.want(True)
        if planned and planned[0].pick < 0.8:  # else chaos meets the start, too
            await self._calm(resource)
        begin = time.monotonic()
        tasks = []
        for move in planned:
            await asyncio.sleep(max(0.0, begin + move.at - time.monotonic()))
            tasks.append(asyncio.ensure_future(moves.make(self, resource, move)))
        if tasks:
            await asyncio.gather(*tasks)

    async def _calm(self, resource: Resource) -> None:
        """Wait until all is well again, and Pacemaker knows all that it has to; run its monitor when it is due."""
        deadline, alone = time.monotonic() + BOUND, 0.0
        while time.monotonic() < deadline:
            self.sync()
            owed, well = resource.book.owed, resource.started == bool(resource.book.living)
            if resource.quiet and not owed and well:
                return
            missed = (owed or not well) and resource.idle and not resource.failed
            if missed and alone and time.monotonic() - alone > CONTACT:
                orders.monitor_now(self, resource)
                alone = 0.0
            elif missed and (not owed or not daemons()):
                alone = alone or time.monotonic()
            else:
                alone = 0.0
            await asyncio.sleep(0.01)
        self.note(f"{resource.name} is not calm: {vars(resource)}")
        resource.book.close()
        if not resource.book.violations:
            resource.book.violate("lost", "no peace within the bound")

    def _audit(self, resource: Resource, where: str) -> None:
        for process in resource.strangers:
            if process.poll() is not None:
                resource.book.violate("touched", f"the stranger {process.pid} was killed")
            process.kill()
            process.wait()
        resource.strangers.clear()
        self.failed += [f"{where}\n    {text}" for _, text in resource.book.violations]
        if self.failed and not self.evidence[0]:
            self.evidence = list(self.events), _log()[-LOG_LINES:]
        resource.book.violations.clear()

    # The end

    async def end(self) -> None:
        """Wait for the daemon, which nobody needs any more, and look for what is left."""
        deadline = time.monotonic() + BOUND
        while daemons() and time.monotonic() < deadline:  # noqa: ASYNC110 - nobody tells when it ends
            await asyncio.sleep(0.05)
        own = {os.getpid(), os.getppid()}
        orphans = [one for one in everyone() if one.pid not in own]
        left = [one for one in orphans if one.directory.startswith("/run/chaos/") or "tocsind" in str(one)]
        self.failed += [f"leftover: {one}" for one in left]
        for one in orphans:
            send(one.pid, signal.SIGKILL)
        self.failed += [f"daemon's log: {text}" for text in _crashes()]


def _belongs(process: Seen, pid: int) -> bool:
    """Tell whether a process may be of this incarnation: it carries its pid in its arguments, or has none yet."""
    unnamed = not process.command or str(tools.SERVICE) in process.command
    return process.pid == pid or f"0.{pid}" in process.command or unnamed


def _log() -> list[str]:
    lines: list[str] = []
    for path in sorted(glob("/var/log/tocsin/*"), key=os.path.getmtime):
        with open(path, encoding="utf-8", errors="replace") as file:
            lines += file.read().splitlines()
    return lines


def _crashes() -> list[str]:
    """Return what the daemons' log should not hold, with what follows it."""
    log = _log()
    found = [k for k, line in enumerate(log) if any(word in line for word in CRASHES)]
    return ["\n    ".join(log[k : k + CRASH_LINES]) for k in found[:1]]


async def live(seed: int, names: list[str], cycles: int, first: int, without: list[str]) -> dict[str, Any]:
    """Run a world, and return its figures."""
    world = World(names, frozenset(without))
    begin = time.monotonic()
    share = [cycles // len(names) + (k < cycles % len(names)) for k in range(len(names))]
    plays = [world.play(name, seed, range(first, first + n)) for name, n in zip(names, share)]
    done = sum(await asyncio.gather(*plays))
    seconds = time.monotonic() - begin
    await world.end()
    books = [resource.book for resource in world.cluster.resources.values()]
    count = sum((book.count for book in books), world.count)
    delays = sorted(delay for book in books for delay in book.delays)
    return {
        "cycles": done,
        "seconds": seconds,
        "count": count,
        "delays": delays,
        "failed": world.failed,
        "events": world.evidence[0],
        "log": world.evidence[1],
    }


def main(arguments: str, out: int) -> None:
    """Run as told by a JSON object, and write the figures."""
    figures = asyncio.run(live(**json.loads(arguments)))
    with open(out, "w", encoding="utf-8") as file:
        json.dump(figures, file)
    sys.stdout.flush()
