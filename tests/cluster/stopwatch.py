"""
Runs inside a node: executes commands in turn, many times, and prints what each took.

    stopwatch.py RUNS
        stdin   JSON {name: {"argv": [...], "environ": {...}}}
        stdout  JSON {name: [[cpu, wall], ...]}, in milliseconds

In turn, because a machine's speed drifts; CPU from wait4(2), which counts the process and its children alone.
"""

from __future__ import annotations

import json
import os
import sys
import time

WARM_UP = 2


def once(argv: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Return the CPU and wall-clock milliseconds of one run."""
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in (0, 1, 2)]
    begun = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begun
    os.close(null)
    if status:
        sys.exit(f"{' '.join(argv)} failed with {os.waitstatus_to_exitcode(status)}")
    return (usage.ru_utime + usage.ru_stime) * 1000, wall * 1000


def main(runs: int) -> None:
    """Run each command `runs` times, and a few times more before that."""
    commands = json.load(sys.stdin)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(runs + WARM_UP):
        for name, command in commands.items():
            taken[name].append(once(command["argv"], command["environ"]))
    json.dump({name: times[WARM_UP:] for name, times in taken.items()}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
