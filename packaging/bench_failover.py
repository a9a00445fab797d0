"""
How long a service that died is away until it runs on another of three nodes, beside a polled one.

Called by bench.py. By the judge of the tests, who hears of births from the service and of deaths from the kernel.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests/cluster"))

from judge import SERVICE, sitting
from judgement import active
from lab import Lab
from scene import Scene

from bench_page import HELD, INJECTION, polled

CALM = 1.5
"""Seconds after a cleanup, in the first of which Pacemaker's controller is busy with it."""
ANYTHING_EVERY = 10
PLAYS = {INJECTION: ((), ("interval=60s",)), HELD: (("monitor_hold=45",), ("interval=1s", "timeout=60s"))}


def run(overlay: Path, count: int) -> dict[str, Any]:
    """Kill ours so many times (the others fewer), and return how long it was away, in milliseconds."""
    rows: dict[str, list[float]] = {}
    with Lab(3, overlay, timeout=120, fencing=True) as lab, sitting(lab) as judge:
        scene = Scene(lab, judge)
        for part in (count - count // 2, count // 2):  # in turn, for a machine's speed drifts
            for name, (words, monitor) in PLAYS.items():
                scene.single("db", *words, monitor=monitor)
                times = part // 2 if name == HELD else part
                rows.setdefault(name, []).extend(moved(scene, "db") for _ in range(times))
                scene.clear_stage()
        anything(scene)
        rows[polled(ANYTHING_EVERY)] = [moved(scene, "peer", within=ANYTHING_EVERY) for _ in range(max(2, count // 7))]
        told, deaths = len(scene.ledger.page), scene.ledger.total
    if told != deaths:
        raise RuntimeError(f"{deaths} deaths, and {told} reports in Pacemaker's logs")
    return {name: figures(seconds) for name, seconds in rows.items()}


def anything(scene: Scene) -> None:
    """Run the same service under the classic agent."""
    scene.judge.only("peer")
    words = ["binfile=/usr/bin/python3", f"cmdline_options=-ISB {SERVICE} peer", "pidfile=/run/peer.pid"]
    monitor = ["op", "monitor", f"interval={ANYTHING_EVERY}s", "meta", "migration-threshold=1"]
    scene.pcs("resource", "create", "peer", "ocf:heartbeat:anything", *words, *monitor)
    scene.calm("peer")


def moved(scene: Scene, name: str, within: float = 0.0) -> float:
    """Kill it, at a random moment `within` so many seconds, and return the seconds until it runs elsewhere."""
    time.sleep(CALM + random.uniform(0, within))  # noqa: S311 - a moment, not a secret
    old = scene.calm(name)
    scene.kill(old)
    new = scene.another(old)
    died = next(span.end for span in active(list(scene.judge.events), name) if span.pid == old.pid)
    if new.node == old.node:
        raise RuntimeError(f"{name} was restarted on {old.node}")
    scene.calm(name)
    scene.tidy(name)
    scene.ledger.read()
    return new.begin - died


def figures(seconds: list[float]) -> dict[str, float]:
    """Return how many there were, their median and the longest, in milliseconds."""
    return {"kills": len(seconds), "p50": median(seconds) * 1000, "max": max(seconds) * 1000}
