"""
Kills a service on a real cluster and measures what follows, by three witnesses.

The prober asks the service itself, the daemon's journal tells what Tocsin did, and Pacemaker's log how many
failures it was told of. Used by the demo, the benchmark and the tests.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import Lab, Node

PROBER = Path(__file__).with_name("prober.py")
NAME = "cache"
PORT = 6379
COMMAND = f"/usr/bin/redis-server --port {PORT} --save ''"
CREATE = ["pcs", "resource", "create", NAME, "ocf:tocsin:service", f"command={COMMAND}", "user=redis"]
WAITING = "tocsin/service monitor"
MONITOR = ["op", "monitor", "interval=60s"]
STEPS = ("detected", "reported", "stopped", "started", "recovered")


@dataclass(frozen=True)
class Kill:
    """What followed one kill: wall-clock seconds of each step; `recovered` is when the service answered again."""

    killed: float
    steps: dict[str, float]

    def after(self, step: str) -> float:
        """Return the milliseconds from the kill to a step."""
        return (self.steps[step] - self.killed) * 1000


class Witness:
    """The prober in a node."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Listen to a prober that runs."""
        self._process = process

    def told(self, word: str) -> float:
        """Wait for a word, and return its time; EOFError where the prober ended."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found, at = line.split()
            if found == word:
                return float(at)
        raise EOFError(f"the prober ended before it said {word!r}")

    def kill(self, pid: int) -> float:
        """Kill a process of the node, and return when."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"kill {pid}\n")
        self._process.stdin.flush()
        return self.told("killed")


@contextmanager
def witness(node: Node, port: int = PORT) -> Iterator[Witness]:
    """Run a prober in the node; returns when the service has answered it."""
    pipe = subprocess.PIPE
    process = node.popen(["/usr/bin/python3", "-I", "-B", str(PROBER), str(port)], stdin=pipe, stdout=pipe)
    try:
        one = Witness(process)
        one.told("up")
        yield one
    finally:
        process.kill()
        process.communicate()


def rows(node: Node, *, check: bool = True) -> list[dict[str, Any]]:
    """Return what `tocsin status` says; CommandFailed where a daemon does not answer that should, if `check`."""
    said = node.run(["tocsin", "status", "--json"], check=check, timeout=60).stdout
    told: list[dict[str, Any]] = json.loads(said) if said.startswith("[") else []
    return told


def status(node: Node, resource: str = NAME) -> dict[str, Any]:
    """Return a resource's row of `tocsin status`; StopIteration where there is none."""
    return next(row for row in rows(node) if row["resource"] == resource)


def waiting(node: Node) -> list[str]:
    """Return the pids of the agents that wait at the daemon."""
    return node.run(["pgrep", "-f", WAITING], check=False).stdout.split()


def kill_once(lab: Lab, node: Node, one: Witness) -> Kill:
    """Kill the service with -9, wait until it answers again and Pacemaker is done, and return what happened when."""
    before = status(node)
    killed = one.kill(before["pid"])
    one.told("down")
    recovered = one.told("up")
    lab.wait(lambda: is_settled(node, before["incidents"]), what="the start to be over")
    row = status(node)
    timeline = json.loads(node.run(["tocsin", "explain", "--json", NAME]).stdout)
    steps = {
        "detected": row["last_incident"]["times"]["detected"],
        "reported": row["last_incident"]["times"]["reported"],
        "stopped": _last(timeline, "nothing is left"),
        "started": _last(timeline, "started as pid"),
        "recovered": recovered,
    }
    lab.wait(lambda: has_monitor(node, row), what="the recurring monitor to be set up again")
    return Kill(killed, steps)


def is_settled(node: Node, incidents: int) -> bool:
    """Tell whether the service is up again after one more incident."""
    row = status(node)
    return bool(row["incidents"] > incidents and row["phase"] == "running")


def has_monitor(node: Node, row: dict[str, Any]) -> bool:
    """Tell whether Pacemaker has run a recurring monitor since the last start, as before an ordinary night."""
    here = f"node_history/node[@name='{node.name}']/resource_history[@id='{row['resource']}']"
    operations = node.crm_mon().findall(f"{here}/operation_history")
    calls = {operation.get("task"): int(operation.get("call", "0")) for operation in operations}
    return calls.get("monitor", 0) > calls.get("start", 0)


def _last(timeline: dict[str, Any], text: str) -> float:
    return float(max(at for at, said in timeline["journal"] if text in said))


def injections(node: Node, resource: str = NAME) -> int:
    """Count the failures that Pacemaker's controller was told of, in its own log."""
    told = re.compile(rf"Result of asyncmon operation for {re.escape(resource)} on ")
    with node.pacemaker_log.open(errors="replace") as log:
        return sum(bool(told.search(line)) for line in log)
