"""
Chaos: whatever happens to daemon, service, tools and cluster, nothing is lost, told twice, or touched.

A thousand cycles, half of them with a seed that is the same every time, half with a fresh one, which is printed;
`./dev chaos --cycles N --seed S` runs it longer, and again.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import twisted
from lab import groups

from tests.chaos.plan import WEIGHTS, cycle
from tests.chaos.run import GROUP, TOP, Wish, run, sweep
from tests.requirements import require_program, require_root

TAKES_MINUTES = True
SEED = 20261121
FRESH = random.SystemRandom().randrange(10**6)
DEBIAN = twisted.__file__.startswith("/usr/lib/")
"""The node's own Twisted gets all cycles; another one, that only has to work as well, fewer."""
CYCLES = 500 if DEBIAN else 30
"""Of each seed."""
WORLDS = 6
"""Most of a cycle is waiting; with more worlds than these the processors are what is waited for."""


def test_a_cycle_is_drawn_from_seed_resource_and_number_alone() -> None:
    """So it can be played again; and in a thousand every move occurs."""
    assert cycle(1, "w0r0", 5) == cycle(1, "w0r0", 5) != cycle(2, "w0r0", 5)
    left_out = cycle(1, "w0r0", 5, frozenset({"kill"}))
    assert [m for m in cycle(1, "w0r0", 5).moves if m.what != "kill"] == list(left_out.moves)
    assert {m.what for number in range(1000) for m in cycle(SEED, "w0r0", number).moves} == set(WEIGHTS)


@pytest.mark.parametrize("seed", [SEED, FRESH], ids=["the seed of always", "a fresh seed"])
def test_nothing_is_lost_doubled_or_touched(capsys: pytest.CaptureFixture[str], seed: int) -> None:
    """The figures are printed; a violation comes with its seed, its cycle, the events and the daemon's log."""
    require_root()
    require_program("unshare")
    require_program("setpriv")
    found = run(Wish(seed, CYCLES, WORLDS))
    with capsys.disabled():
        print(f"\nchaos, seed {seed}, Twisted {twisted.__version__}: {found.figures()}", file=sys.stderr)
    assert not found.failed, "\n\n".join(found.failed)
    assert found.cycles >= CYCLES
    assert found.count["deaths"] > CYCLES / 5


def test_a_run_that_is_killed_leaves_nothing() -> None:
    """Its worlds, with their daemons and services, end with it; its empty cgroups the next run removes."""
    require_root()
    require_program("unshare")
    require_program("setpriv")
    command = [sys.executable, "-B", "-m", "tests.chaos", "--cycles", "1000", "--worlds", "1"]
    path = f"{TOP}:{TOP}/tests/cluster"
    process = subprocess.Popen(command, cwd=TOP, env={**os.environ, "PYTHONPATH": path})
    group = f"{GROUP}{process.pid}."
    try:
        until(lambda: any(b"/usr/bin/tocsind" in line for line in inside(group)), "a daemon in the world")
    finally:
        process.kill()
        process.wait()
    until(lambda: not inside(group), "the end of the world")
    sweep()
    assert not [path for top in groups.tops() for path in top.glob(f"{group}*")]


def inside(group: str) -> list[bytes]:
    """Return the command lines of the processes that were started in a world of this name."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            namespace = os.readlink(f"/proc/{name}/ns/pid")
            found.append((namespace, Path(f"/proc/{name}/cmdline").read_bytes()))
    worlds = {namespace for namespace, line in found if b"tests.chaos.namespace" in line and group.encode() in line}
    return [line for namespace, line in found if namespace in worlds - {os.readlink("/proc/self/ns/pid")}]


def until(there: Callable[[], bool], what: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + 30
    while not there():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
