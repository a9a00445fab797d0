"""
Pacemaker 2.1.5 loses the failure of a monitor while the transition that scheduled it still runs.

Such a failure is logged and shown, but not counted, and nothing recovers until the next transition. The node
attribute with the cause, two seconds after an incident that was not recovered, makes Pacemaker begin one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import kills
import peers
from lab import Lab, Node

HELD = ["monitor_hold=45", "op", "monitor", "interval=1s", "timeout=60s"]
SERVICE = "/bin/sleep 1009"
DELAY = 6
SLOW = ["ocf:pacemaker:Dummy", "op", "start", f"start-delay={DELAY}s"]
PATIENCE = 5.0
"""Seconds in which nothing happens where a failure was lost: more than the two of the attribute."""


WITHOUT = ["daemon_args=--dry-run", "port=9910"]
"""A daemon that executes none of Pacemaker's tools; the held monitor tells all the same."""


@contextmanager
def busy(lab: Lab, node: Node, name: str, *words: str) -> Iterator[None]:
    """Run a service whose monitor is held, in a transition that goes on with the slow start of something else."""
    words = ("ocf:tocsin:service", f"command={SERVICE}", *words, *HELD)
    node.run(["pcs", "resource", "create", name, *words, "--disabled"], timeout=60)
    node.run(["pcs", "resource", "create", "slow", *SLOW, "--disabled"], timeout=60)
    node.run(["pcs", "resource", "enable", name, "slow"])
    try:
        lab.wait(lambda: has_told(node, name, "rc=0"), what="the first monitor, which the transition waits for")
        lab.wait(lambda: kills.waiting(node), what="a monitor to be held")
        yield
    finally:
        for one in ("slow", name):
            peers.remove(lab, node, one)


def is_idle(node: Node) -> bool:
    """Tell whether Pacemaker has nothing to do."""
    return "S_IDLE" in node.run(["crmadmin", "--status", node.name]).stdout


def has_told(node: Node, name: str, code: str) -> bool:
    """Tell whether the recurring monitor has returned this, by Pacemaker's log."""
    told = re.compile(rf"Result of monitor operation for {name} on .*{code}")
    return bool(told.search(node.pacemaker_log.read_text(errors="replace")))


def is_up(node: Node) -> bool:
    """Tell whether the service runs, whether or not a daemon does."""
    return bool(node.run(["pgrep", "-f", f"^{SERVICE}"], check=False).stdout)


def kill(lab: Lab, node: Node, name: str) -> None:
    """Kill the service; returns when the monitor has told of it, and the transition goes on."""
    node.run(["pkill", "-9", "-f", f"^{SERVICE}"])
    lab.wait(lambda: has_told(node, name, "rc=7"), what="the monitor to tell")
    assert not is_idle(node), "the slow start was over before the monitor had told: nothing is tested"


def test_a_failure_within_its_monitors_first_transition_is_recovered(lab: Lab, node: Node) -> None:
    """As soon as that transition is over."""
    with busy(lab, node, "cured"):
        kill(lab, node, "cured")
        lab.wait(lambda: is_up(node), timeout=DELAY + PATIENCE, what="the service to be recovered")


def test_the_next_daemon_heals_it_when_one_dies_before_it_could(lab: Lab, node: Node) -> None:
    """Killed within the two seconds; the recurring monitor revives it, but has nothing new to tell."""
    with busy(lab, node, "again"):
        kill(lab, node, "again")
        node.run(["pkill", "-9", "-f", "/usr/bin/tocsind"])
        lab.wait(lambda: is_up(node), timeout=DELAY + 2 * PATIENCE, what="the service to be recovered")


def test_without_the_attribute_it_is_lost_until_the_next_transition(lab: Lab, node: Node) -> None:
    """Or there would be no need for it."""
    with busy(lab, node, "bare", *WITHOUT):
        kill(lab, node, "bare")
        lab.wait(lambda: is_idle(node), what="the end of the transition")
        time.sleep(PATIENCE)
        assert is_idle(node)
        assert kills.status(node, "bare")["phase"] == "failed", "Pacemaker has not lost it: is the cure still needed?"
        node.run(["crm_attribute", "--name", "anything", "--update", "changes"])
        lab.wait(lambda: is_up(node), what="the service to be recovered by the next transition")
