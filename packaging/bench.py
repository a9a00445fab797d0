"""
./dev bench: what Tocsin costs and how fast it is, beside peers and beside the floor, and how both grow.

Everything is measured side by side in one run, on a private real cluster and on daemons of their own; ratios and
medians are what to quote, for machines are noisy. A whole run writes docs/benchmarks.json, of which README.md,
docs/benchmarks.md and its figure are rendered; --quick only prints. Called with --overlay DIR, the root directory into
which the working tree was installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/cluster"))

from lab import Lab  # noqa: E402 - found through the line above

import bench_actions  # noqa: E402 - beside this file
import bench_deaths  # noqa: E402
import bench_failover  # noqa: E402
import bench_page  # noqa: E402
import bench_scale  # noqa: E402
from bench_scale import Load  # noqa: E402

TCP = "tcp"
PROCESS = "process only"
WHOLE = [
    *(Load(services, PROCESS, 5, 30) for services in (1, 100, 300, 1000)),
    *(Load(services, TCP, 5, 20) for services in (300, 1000)),
]
QUICK = [Load(1, PROCESS, 3, 1), Load(50, PROCESS, 3, 10), Load(50, TCP, 3, 10)]
PACKAGES = ("pacemaker", "resource-agents", "python3-twisted")
_T = TypeVar("_T")


def main() -> None:
    """Run every comparison, print it, and keep the results of a whole run."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--overlay", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="two minutes, few of each; prints, and writes nothing")
    parser.add_argument("--write", type=Path, help="keep the results in this file only")
    options = parser.parse_args()
    runs, kills, polls = (20, 4, {1: 4, 10: 2}) if options.quick else (40, 20, {1: 8, 10: 5})
    begun = time.monotonic()
    results: dict[str, Any] = {"machine": machine()}
    with Lab(nodes=1, overlay=options.overlay) as lab:
        node = lab.nodes[0]
        results["actions"] = step("actions", lambda: bench_actions.run(node, runs))
        results["deaths"] = step("deaths", lambda: bench_deaths.run(lab, node, kills, polls))
    results["failover"] = step("failover", lambda: bench_failover.run(options.overlay, kills))
    results["scale"] = [
        step(f"{load.services} services, {load.check}", lambda load=load: asyncio.run(bench_scale.measure(load)))  # type: ignore[misc]
        for load in (QUICK if options.quick else WHOLE)
    ]
    results["machine"]["minutes"] = round((time.monotonic() - begun) / 60, 1)
    results["machine"]["load_after"] = round(os.getloadavg()[0], 1)
    print(bench_page.whole(results))
    keep(results, options.write, quick=options.quick)


def step(name: str, measure: Callable[[], _T]) -> _T:
    """Measure one thing, and say how long that took."""
    begun = time.monotonic()
    found = measure()
    print(f"./dev bench: {name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return found


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES]
    versions = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split("\n")
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "cores": os.cpu_count(),
        "cpu": cpu.partition(": ")[2],
        "kernel": platform.release(),
        "versions": {**dict(line.split() for line in versions if line), "python3": platform.python_version()},
        "load_before": round(os.getloadavg()[0], 1),
    }


def keep(results: dict[str, Any], path: Path | None, *, quick: bool) -> None:
    """Write the results, and render the pages of those of a whole run."""
    text = json.dumps(_rounded(results), indent=1) + "\n"
    if path:
        path.write_text(text)
    elif not quick:
        bench_page.RESULTS.write_text(text)
        subprocess.run(["/usr/bin/python3", str(TOP / "packaging/render.py")], check=True)


def _rounded(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
