"""How long a killed Redis is away on a real cluster: from its death to Pacemaker's knowing, and to its answering."""

from __future__ import annotations

import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/cluster"))

import kills
from lab import Lab, Node

from bench_actions import create
from bench_page import HELD, INJECTION, polled
from bench_scale import spread

WORDS = {INJECTION: kills.MONITOR, HELD: ["monitor_hold=45", "op", "monitor", "interval=1s", "timeout=60s"]}
PEER_PORT = 6380
SETTLED = 0.3
EVERY = 0.002
FAILED = r"Result of (?:asyncmon|monitor) operation for {} on \S+: (?!ok)"
Figures = dict[str, Any]


def run(lab: Lab, node: Node, count: int, polls: dict[int, int]) -> Figures:
    """Kill ours so often, half as often with a held monitor, and the classic agent's by its interval."""
    found: dict[str, dict[str, list[float]]] = {}
    for part in (count - count // 2, count // 2):  # in turn, for a machine's speed drifts
        for name in WORDS:
            _add(found.setdefault(name, {}), _ours(lab, node, name, part // 2 if name == HELD else part))
    for interval, times in polls.items():
        found[polled(interval)] = _polled(lab, node, interval, times)
    return {name: {step: spread(some) for step, some in steps.items()} for name, steps in found.items()}


def _add(to: dict[str, list[float]], more: dict[str, list[float]]) -> None:
    for step, seconds in more.items():
        to.setdefault(step, []).extend(seconds)


def _ours(lab: Lab, node: Node, name: str, count: int) -> dict[str, list[float]]:
    node.run([*kills.CREATE, *WORDS[name], "--wait=60"], timeout=90)
    done: dict[str, list[float]] = {}
    with kills.witness(node) as one, log_of(node, kills.NAME) as told:
        for _ in range(count):
            if name == HELD:
                lab.wait(lambda: _held(node), timeout=60, what="a monitor to be held")
            kill = kills.kill_once(lab, node, one)
            reported = told(kill.killed)
            at = {"detected": kill.steps["detected"], "reported": reported, "recovered": kill.steps["recovered"]}
            _add(done, {step: [moment - kill.killed] for step, moment in at.items()})
    node.run(["pcs", "resource", "delete", "--force", kills.NAME], timeout=60)
    node.run(["crm_resource", "--wait"], timeout=60)
    return done


def _held(node: Node) -> bool:
    """Tell whether an agent has waited for a while, so that it is not the first one, which is answered at once."""
    before = kills.waiting(node)
    time.sleep(SETTLED)
    return bool(before) and before == kills.waiting(node)


def _polled(lab: Lab, node: Node, interval: int, count: int) -> dict[str, list[float]]:
    """Kill a Redis under the classic agent at moments spread evenly over its interval, in no order."""
    name = f"polled{interval}"
    words = [
        "binfile=/usr/bin/redis-server",
        f"cmdline_options=--port {PEER_PORT} --save ''",
        f"pidfile=/run/{name}.pid",
    ]
    create(node, name, "ocf:heartbeat:anything", *words, "op", "monitor", f"interval={interval}s")
    moments = [(number + 0.5) / count * interval for number in range(count)]
    random.shuffle(moments)
    done: dict[str, list[float]] = {"reported": [], "recovered": []}
    with kills.witness(node, PEER_PORT) as one, log_of(node, name) as told:
        for moment in moments:
            time.sleep(moment)
            killed = one.kill(int(node.run(["cat", f"/run/{name}.pid"]).stdout))
            one.told("down")
            done["recovered"].append(one.told("up") - killed)
            done["reported"].append(told(killed) - killed)
            lab.wait(lambda: node.is_active(name), timeout=60, what=f"{name} to be recovered")
            node.run(["crm_resource", "--wait"], timeout=60)
    node.run(["pcs", "resource", "delete", name], timeout=60)
    return done


@contextmanager
def log_of(node: Node, resource: str) -> Iterator[Callable[[float], float]]:
    """Follow Pacemaker's log; yields what returns when the first failure after a moment was logged, by our clock."""
    wanted, over = re.compile(FAILED.format(re.escape(resource))), threading.Event()
    seen: list[float] = []

    def follow() -> None:
        with node.pacemaker_log.open(errors="replace") as log:
            log.seek(0, 2)
            rest = ""
            while not over.wait(EVERY):
                *lines, rest = (rest + log.read()).split("\n")
                seen.extend(time.time() for line in lines if wanted.search(line))

    def first(after: float) -> float:
        deadline = time.monotonic() + 10
        while not any(at > after for at in seen):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Pacemaker's log has no failure of {resource}")
            time.sleep(EVERY)
        return min(at for at in seen if at > after)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield first
    finally:
        over.set()
        thread.join()
