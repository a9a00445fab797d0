"""
./dev demo: a private cluster, a real Redis under it, kill -9, and who knew what when.

Called with --overlay DIR, the root directory into which the working tree was installed.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from statistics import median

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/cluster"))

import kills  # noqa: E402 - found through the line above
from kills import STEPS, Kill  # noqa: E402
from lab import Lab, Node  # noqa: E402

POLLING = 10.0
"""Seconds: the monitor interval that ocf:heartbeat:anything advertises."""


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--overlay", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    missing = Lab.missing()
    if missing:
        sys.exit(f"demo: no private cluster can run here: {'; '.join(missing)}")
    say("A private one-node cluster: real corosync and pacemaker, in namespaces of its own ...")
    with Lab(nodes=1, overlay=options.overlay) as lab:
        show(lab, lab.nodes[0], options.kills)
    say("The cluster is gone, and nothing of it is left.")


def show(lab: Lab, node: Node, count: int) -> None:
    """Create the resource, kill it, and tell what happened."""
    say("A Redis server as a cluster resource, with a monitor once a minute:")
    command(node, [*kills.CREATE, *kills.MONITOR], "--wait=30")
    say(f"kill -9, {count} times. Milliseconds after each kill, by three clocks that know nothing of each other:")
    print(f"  {'kill':>4} {'killed':>9} " + " ".join(f"{step:>9}" for step in STEPS))
    with kills.witness(node) as one:
        done = []
        for number in range(1, count + 1):
            done.append(kills.kill_once(lab, node, one))
            row(number, done[-1])
    summarise(node, done)
    say("What an administrator sees afterwards:")
    for line in ("tocsin status", f"tocsin explain {kills.NAME}", "crm_mon --one-shot"):
        command(node, line.split())


def row(number: int, kill: Kill) -> None:
    """Print one kill as it happens."""
    steps = " ".join(f"{kill.after(step):>+9.1f}" for step in STEPS)
    print(f"  {number:>4} {0.0:>9.1f} {steps}", flush=True)


def summarise(node: Node, done: list[Kill]) -> None:
    """Say what it means, beside polling."""
    outage = [kill.after("recovered") for kill in done]
    noticed = [kill.after("detected") for kill in done]
    repair = median(outage) - median(noticed)
    print(f"  {'p50':>4} {'':>9} " + " ".join(f"{median(k.after(step) for k in done):>+9.1f}" for step in STEPS))
    print()
    print(f"  noticed after  p50 {median(noticed):7.1f} ms   max {max(noticed):7.1f} ms")
    print(f"  outage         p50 {median(outage):7.1f} ms   max {max(outage):7.1f} ms   (until Redis answered again)")
    polled, worst = POLLING * 500 + repair, POLLING * 1000 + repair
    print(f"  polling every {POLLING:.0f} s would have given {polled:.0f} ms on average and {worst:.0f} ms at worst:")
    print(f"  {polled / median(outage):.0f} times and {worst / max(outage):.0f} times as long.")
    incidents, told = kills.status(node)["incidents"], kills.injections(node)
    print(f"  {len(done)} kills, {incidents} incidents in Tocsin's journal, {told} failures in Pacemaker's log.")


def command(node: Node, argv: list[str], *quiet: str) -> None:
    """Show a command and what it prints."""
    print(f"\n  # {shlex.join(argv)}")
    for line in node.run([*argv, *quiet], timeout=60).stdout.rstrip().splitlines():
        print(f"  {line}")


def say(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    main()
