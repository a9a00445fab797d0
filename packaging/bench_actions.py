"""What one action of an agent costs, ours beside others and beside a bare interpreter, in turn on one node."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from statistics import median
from typing import Any

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/cluster"))

from lab import Node  # noqa: E402 - found through the line above

from bench_page import ANYTHING, BARE, OURS  # noqa: E402 - beside this file

STOPWATCH = TOP / "tests/cluster/stopwatch.py"
OCF = "/usr/lib/ocf/resource.d"
SLEEP = "/bin/sleep 86400"
CLASSIC = """
from twisted.internet import protocol, reactor
from twisted.protocols.basic import LineReceiver
class Monitor(LineReceiver):
    def connectionMade(self): self.sendLine(b"monitor")
    def lineReceived(self, line): self.transport.loseConnection()
    def connectionLost(self, reason): reactor.stop()
factory = protocol.ClientFactory()
factory.protocol = Monitor
reactor.connectTCP("127.0.0.1", 9909, factory)
reactor.run()
"""
"""A monitor in the shape of the classic sample agent, whose client is Twisted: connect, a line, an answer or none."""
Figures = dict[str, Any]
Command = dict[str, object]


def create(node: Node, name: str, agent: str, *words: str) -> None:
    """Create a resource and wait until it runs."""
    node.run(["pcs", "resource", "create", name, agent, *words, "--wait=60"], timeout=90)


def action(agent: str, name: str, what: str, **parameters: str) -> Command:
    """Return the command that runs an action of an agent as Pacemaker does."""
    environ = {
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_RESOURCE_INSTANCE": name,
        "OCF_RESKEY_CRM_meta_interval": "60000",
        "OCF_RESKEY_CRM_meta_timeout": "20000",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C",
    }
    environ.update({f"OCF_RESKEY_{key}": value for key, value in parameters.items()})
    return {"argv": [f"{OCF}/{agent}", what], "environ": environ}


def run(node: Node, runs: int) -> Figures:
    """Return median CPU and wall-clock milliseconds of each."""
    create(node, "idle", "ocf:tocsin:service", f"command={SLEEP}", "op", "monitor", "interval=60s")
    peer = {"binfile": "/bin/sleep", "cmdline_options": "86401", "pidfile": "/run/anything.pid"}
    create(node, "peer", "ocf:heartbeat:anything", *(f"{key}={value}" for key, value in peer.items()))
    commands: dict[str, Command] = {
        BARE: {"argv": ["/usr/bin/python3", "-IS", "-c", "pass"], "environ": {}},
        OURS: action("tocsin/service", "idle", "monitor"),
        "ocf:tocsin:service meta-data": action("tocsin/service", "idle", "meta-data"),
        ANYTHING: action("heartbeat/anything", "peer", "monitor", **peer),
    }
    made = ["idle", "peer"]
    for name, agent in (("dummy", "pacemaker:Dummy"), ("dummypy", "heartbeat:dummypy")):
        if os.path.exists(f"{OCF}/{agent.replace(':', '/')}"):
            state = {"state": f"/run/bench-{name}.state"}
            create(node, name, f"ocf:{agent}", f"state={state['state']}")
            commands[f"ocf:{agent} monitor"] = action(agent.replace(":", "/"), name, "monitor", **state)
            made.append(name)
    commands["a monitor that imports Twisted"] = {"argv": ["/usr/bin/python3", "-c", CLASSIC], "environ": {}}
    commands["crm_mon, as a report asks it"] = {
        "argv": ["/usr/sbin/crm_mon", "--one-shot", "--output-as=xml", "--inactive"],
        "environ": {},
    }
    taken = timed(node, runs, commands)
    for name in made:
        node.run(["pcs", "resource", "delete", name], timeout=60)
    return {name: {"runs": runs, **_medians(times)} for name, times in taken.items()}


def timed(node: Node, runs: int, commands: dict[str, Command]) -> dict[str, list[list[float]]]:
    """Run the commands in turn inside the node."""
    argv = ["/usr/bin/python3", "-IB", str(STOPWATCH), str(runs)]
    taken: dict[str, list[list[float]]] = json.loads(node.run(argv, input=json.dumps(commands), timeout=600).stdout)
    return taken


def _medians(times: list[list[float]]) -> Figures:
    return {"cpu_ms": median(cpu for cpu, _ in times), "wall_ms": median(wall for _, wall in times)}
