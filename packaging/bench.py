"""
./dev bench: what a monitor costs and how fast a failure is known, beside peers and beside the floor.

Everything is measured side by side in one run on a private real cluster; ratios and medians are what to quote,
for machines are noisy. Called with --overlay DIR, the root directory into which the working tree was installed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median, quantiles

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/cluster"))

import kills  # noqa: E402 - found through the line above
from lab import Lab, Node  # noqa: E402

import bench_checks  # noqa: E402 - beside this file

STOPWATCH = TOP / "tests/cluster/stopwatch.py"
BARE = ["/usr/bin/python3", "-IS", "-c", "pass"]
OCF = "/usr/lib/ocf/resource.d"
SLEEP = "/bin/sleep 86400"
PEER_PORT = 6380
STRANGERS = 200
CROWD = f"""
import socket, sys
crowd = [socket.create_connection(("127.0.0.1", 9909)) for _ in range({STRANGERS})]
print("ready", flush=True)
sys.stdin.read()
"""
INJECTION = "tocsin, injection"
HELD = ["monitor_hold=45", "op", "monitor", "interval=1s", "timeout=60s"]
CHANNELS = {INJECTION: kills.MONITOR, "tocsin, held monitor": HELD}
SETTLED = 0.3
Times = dict[str, list[list[float]]]


def main() -> None:
    """Run every comparison and print it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--overlay", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=100, help="of each command")
    parser.add_argument("--kills", type=int, default=20, help="of our service; a polled one is killed fewer times")
    options = parser.parse_args()
    with Lab(nodes=1, overlay=options.overlay) as lab:
        node = lab.nodes[0]
        create(node, "idle", "ocf:tocsin:service", f"command={SLEEP}", "op", "monitor", "interval=60s")
        cost(node, options.runs)
        crowd(node, options.runs)
        death(lab, node, options.kills)
    bench_checks.run()


def create(node: Node, name: str, agent: str, *words: str) -> None:
    """Create a resource and wait until it runs."""
    node.run(["pcs", "resource", "create", name, agent, *words, "--wait=60"], timeout=90)


def action(agent: str, name: str, what: str, **parameters: str) -> dict[str, object]:
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


def timed(node: Node, runs: int, commands: dict[str, dict[str, object]]) -> Times:
    """Run the commands in turn inside the node."""
    argv = ["/usr/bin/python3", "-IB", str(STOPWATCH), str(runs)]
    taken: Times = json.loads(node.run(argv, input=json.dumps(commands), timeout=600).stdout)
    return taken


def cost(node: Node, runs: int) -> None:
    """Compare what one action costs."""
    peer = {"binfile": "/bin/sleep", "cmdline_options": "86401", "pidfile": "/run/anything.pid"}
    create(node, "peer", "ocf:heartbeat:anything", *(f"{key}={value}" for key, value in peer.items()))
    create(node, "dummy", "ocf:pacemaker:Dummy")
    state = {"state": "/run/Dummy-dummy.state"}
    commands: dict[str, dict[str, object]] = {
        "bare python3 -IS": {"argv": BARE, "environ": {}},
        "tocsin monitor": action("tocsin/service", "idle", "monitor"),
        "tocsin meta-data": action("tocsin/service", "idle", "meta-data"),
        "pacemaker:Dummy monitor": action("pacemaker/Dummy", "dummy", "monitor", **state),
        "heartbeat:anything monitor": action("heartbeat/anything", "peer", "monitor", **peer),
        "bare crm_resource --version": {"argv": ["/usr/sbin/crm_resource", "--version"], "environ": {}},
    }
    taken = timed(node, runs, commands)
    floor = median(cpu for cpu, _ in taken["bare python3 -IS"])
    print(f"Cost of one action, median of {runs} runs in turn\n")
    print(f"  {'':30}{'CPU ms':>9}{'wall ms':>9}   CPU / bare interpreter")
    for name, times in taken.items():
        cpu, wall = median(cpu for cpu, _ in times), median(wall for _, wall in times)
        print(f"  {name:30}{cpu:>9.2f}{wall:>9.2f}   {cpu / floor:.2f}")
    for name in ("peer", "dummy"):
        node.run(["pcs", "resource", "delete", name], timeout=60)


def crowd(node: Node, runs: int) -> None:
    """Compare a monitor with and without idle connections of an unprivileged user."""
    monitor = {"tocsin monitor": action("tocsin/service", "idle", "monitor")}
    alone = [wall for _, wall in timed(node, runs, monitor)["tocsin monitor"]]
    with node.popen(
        ["/usr/bin/python3", "-c", CROWD], user="nobody", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as strangers:
        assert strangers.stdout is not None and strangers.stdout.readline()  # noqa: S101, PT018 - they are connected
        beside = [wall for _, wall in timed(node, runs, monitor)["tocsin monitor"]]
        strangers.kill()
    print(f"\nA monitor beside {STRANGERS} idle connections of an unprivileged user, wall ms\n")
    for name, walls in (("alone", alone), ("beside them", beside)):
        print(f"  {name:14} p50 {median(walls):6.2f}   p99 {quantiles(walls, n=100)[-1]:6.2f}   max {max(walls):6.2f}")


def death(lab: Lab, node: Node, count: int) -> None:
    """Compare how long a killed Redis is away."""
    done: dict[str, list[kills.Kill]] = {name: [] for name in CHANNELS}
    weight: dict[str, int] = {}
    for part in (count - count // 2, count // 2):  # in turn, for a machine's speed drifts
        for name, words in CHANNELS.items():
            done[name] += killed(lab, node, words, part, weight)
    rows = {name: [kill.after("recovered") for kill in some] for name, some in done.items()}
    for interval, times in ((1, count // 2), (10, count // 4)):
        rows[f"anything, monitor every {interval} s"] = polled(lab, node, interval, max(2, times))
    print("\nkill -9 of Redis until it answers again, ms\n")
    print(f"  {'':30}{'kills':>6}{'p50':>9}{'max':>9}   p50 / injection")
    for name, outages in rows.items():
        ratio = median(outages) / median(rows[INJECTION])
        print(f"  {name:30}{len(outages):>6}{median(outages):>9.0f}{max(outages):>9.0f}   {ratio:.1f}")
    for name, some in done.items():
        for step in ("detected", "reported"):
            after = [kill.after(step) for kill in some]
            print(f"\n  {name}: {step} after p50 {median(after):.1f} ms, max {max(after):.1f} ms", end="")
    print(f"\n  {count} kills each, {kills.injections(node)} injections in Pacemaker's log")
    print("  the agent process that waits:", ", ".join(f"{key} {size} KiB" for key, size in weight.items()))


def killed(lab: Lab, node: Node, words: list[str], count: int, weight: dict[str, int]) -> list[kills.Kill]:
    """Kill a Redis that is reported in one way, so many times; `weight` is of its waiting monitor, if it has one."""
    node.run([*kills.CREATE, *words, "--wait=60"], timeout=90)
    done = []
    with kills.witness(node) as one:
        for _ in range(count):
            if words == HELD:
                lab.wait(lambda: held(node), timeout=60, what="a monitor to be held")
            done.append(kills.kill_once(lab, node, one))
    if words == HELD:
        lab.wait(lambda: held(node), timeout=60, what="a monitor to be held")
        weight.update(memory(node))
    node.run(["pcs", "resource", "delete", "--force", kills.NAME], timeout=60)
    node.run(["crm_resource", "--wait"], timeout=60)
    return done


def held(node: Node) -> bool:
    """Tell whether an agent has waited for a while, so that it is not the first one, which is answered at once."""
    before = kills.waiting(node)
    time.sleep(SETTLED)
    return bool(before) and before == kills.waiting(node)


def memory(node: Node) -> dict[str, int]:
    """Return what of memory the waiting agent uses: RSS, and PSS, which shares the interpreter with its like."""
    text = node.run(["cat", f"/proc/{kills.waiting(node)[0]}/smaps_rollup"]).stdout
    return {key: int(size) for key, size in re.findall(r"^(Rss|Pss|Private_Dirty): +(\d+) kB", text, re.MULTILINE)}


def polled(lab: Lab, node: Node, interval: int, count: int) -> list[float]:
    """Return the outages in ms of a Redis under the classic agent, killed at random moments of its interval."""
    name = f"polled{interval}"
    options = f"--port {PEER_PORT} --save ''"
    words = ["binfile=/usr/bin/redis-server", f"cmdline_options={options}", f"pidfile=/run/{name}.pid"]
    create(node, name, "ocf:heartbeat:anything", *words, "op", "monitor", f"interval={interval}s")
    outages = []
    with kills.witness(node, PEER_PORT) as one:
        for _ in range(count):
            time.sleep(random.uniform(0, interval))  # noqa: S311 - a moment, not a secret
            killed = one.kill(int(node.run(["cat", f"/run/{name}.pid"]).stdout))
            one.told("down")
            outages.append((one.told("up") - killed) * 1000)
            lab.wait(lambda: node.is_active(name), timeout=60, what=f"{name} to be recovered")
            node.run(["crm_resource", "--wait"], timeout=60)
    node.run(["pcs", "resource", "delete", name], timeout=60)
    return outages


if __name__ == "__main__":
    main()
