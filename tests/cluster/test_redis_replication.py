"""
The Redis pair of packaging/examples, set up as its README says, on a real cluster: what is promised is kept.

Two nodes with fencing, a client that writes without pause and notes what was replicated, and a judge that asks both
servers a hundred times a second who is promoted.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import kills
import pytest
import redis_pair
from lab import Lab
from redis_pair import Beside, Pair, beside

TAKES_MINUTES = True
FAILOVERS = 20
RETRY = "failure-timeout=4s"
"""Less than the README's ten seconds, for twenty times that is long; and longer than a failover takes."""
OUTAGE = 2.0
"""Seconds without an acknowledged write, at the median: the figure that is promised."""


@pytest.fixture(scope="module")
def lab_nodes() -> int:
    """Run a pair."""
    return 2


@pytest.fixture(scope="module")
def lab_fencing() -> bool:
    """Have the cluster fence a node that dies."""
    return True


@pytest.fixture(scope="module")
def lab_overlay(installed: Path) -> Callable[[Path], None]:
    """Run the working tree, with the example in /etc/tocsin."""
    return partial(redis_pair.fill, installed)


@pytest.fixture(scope="module")
def shipped(lab: Lab) -> Iterator[Pair]:
    """Run the pair for all tests of the module."""
    with redis_pair.running(lab, RETRY) as pair:
        yield pair


@pytest.fixture
def pair(lab: Lab, shipped: Pair) -> Pair:
    """Have the pair well when a test begins, whatever the one before has left."""
    lab.mend()
    shipped.begin()
    return shipped


@pytest.fixture
def client(lab: Lab, pair: Pair) -> Iterator[Beside]:
    """Write to the pair without pause."""
    with beside(lab, "redis_pair_writer.py") as one:
        yield one


@pytest.fixture
def judge(lab: Lab, pair: Pair) -> Iterator[Beside]:
    """Watch who is promoted."""
    with beside(lab, "redis_pair_judge.py") as one:
        yield one


def nothing_lost(pair: Pair, client: Beside) -> dict[str, Any]:
    """End the client: every write that it saw replicated is there, on both; returns what it saw."""
    told = client.end()
    assert len(told["replicated"]) > 100
    for node in pair.wait():
        assert pair.missing(node, told["prefix"], told["replicated"]) == []
    return told


def never_two(judge: Beside) -> dict[str, Any]:
    """End the judge: there was at most one promoted at any moment, and it looked often enough to know."""
    told = judge.end()
    assert told["both"] == []
    return told


def test_twenty_failovers_lose_no_replicated_write(lab: Lab, pair: Pair, client: Beside, judge: Beside) -> None:
    """Each to the other node, each death reported once, and never two promoted."""
    assert [kills.status(node, redis_pair.NAME)["warning"] for node in pair.nodes] == ["", ""]
    begun = time.time()
    for number in range(1, FAILOVERS + 1):
        promoted, replica = pair.wait()
        before = client.ask()["replicated"]
        lab.wait(lambda seen=before: client.ask()["replicated"] > seen + 20, what="replicated writes")
        pair.kill(promoted)
        lab.wait(lambda old=promoted: (pair.promoted() or old) is not old, what="the other to be promoted")
        assert pair.wait() == (replica, promoted)
        assert pair.deaths() == (number, number)
    seconds = time.time() - begun
    told, seen = nothing_lost(pair, client), never_two(judge)
    outages = sorted(gap for _, gap in told["gaps"])
    assert len(outages) >= FAILOVERS
    outages = outages[-FAILOVERS:]
    told_of = f"outage p50 {statistics.median(outages):.2f} s, max {outages[-1]:.2f} s"
    copied = f"{len(told['replicated'])} of {len(told['written'])} writes replicated"
    judged = f"judged {seen['rounds'] / seconds:.0f} times a second, longest pause {seen['longest']:.2f} s"
    print(f"{FAILOVERS} failovers in {seconds:.0f} s: {told_of}; {copied}; {judged}")
    assert seen["rounds"] / seconds > 20
    assert statistics.median(outages) <= OUTAGE


def test_a_planned_move_loses_nothing_that_was_acknowledged(
    lab: Lab, pair: Pair, client: Beside, judge: Beside
) -> None:
    """By `pcs resource move` and by standby, there and back; and an address that goes with it is always right."""
    node = lab.nodes[0]
    for begin in ("pcs resource create redis-ip", "pcs constraint colocation", "pcs constraint order"):
        for argv in redis_pair.commands(begin):
            node.run(argv, timeout=60)
    promoted, replica = pair.wait()
    node.run(["pcs", "resource", "move", "redis-clone", replica.name, "--promoted"], timeout=120)
    assert pair.wait() == (replica, promoted)
    lab.wait(lambda: replica.is_active("redis-ip"), what="the address to follow")
    replica.run(["pcs", "node", "standby"], timeout=60)
    lab.wait(lambda: pair.promoted() is promoted, what="the other to be promoted")
    lab.wait(lambda: promoted.is_active("redis-ip"), what="the address to follow")
    replica.run(["pcs", "node", "unstandby"], timeout=60)
    assert pair.wait() == (promoted, replica)
    told = nothing_lost(pair, client)
    assert pair.missing(promoted, told["prefix"], told["written"]) == []
    print(f"planned moves: no write for at most {max(gap for _, gap in told['gaps']):.2f} s")
    never_two(judge)
    assert pair.deaths() == (0, 0)


def test_the_death_of_the_replica_stops_no_write(lab: Lab, pair: Pair, client: Beside, judge: Beside) -> None:
    """It comes back and is synced; the promoted one stays."""
    promoted, replica = pair.wait()
    pair.kill(replica)
    pair.wait_for_deaths(1)
    assert pair.wait() == (promoted, replica)
    told = nothing_lost(pair, client)
    assert max((gap for _, gap in told["gaps"]), default=0.0) < 1
    assert {address for _, address in never_two(judge)["changes"]} == {promoted.address}


def test_when_both_die_the_last_one_promoted_is_promoted_again(pair: Pair, client: Beside, judge: Beside) -> None:
    """From its log, with every replicated write."""
    promoted, replica = pair.wait()
    pair.kill(replica, promoted)
    pair.wait_for_deaths(2)
    assert pair.wait() == (promoted, replica)
    nothing_lost(pair, client)
    never_two(judge)
    assert pair.deaths() == (2, 2)


def test_when_the_second_dies_before_the_first_is_back_it_is_promoted_again(
    lab: Lab, pair: Pair, judge: Beside
) -> None:
    """It has written alone: the first has an older past, and only the cluster's configuration remembers that."""
    promoted, replica = pair.wait()
    pair.kill(promoted)
    lab.wait(lambda: pair.promoted() is replica, what="the replica to be promoted")
    assert pair.ask(replica, "set", "alone", "1") == "OK\n"
    pair.kill(replica)
    pair.wait_for_deaths(2)
    assert pair.wait() == (replica, promoted)
    assert pair.ask(promoted, "get", "alone") == "1\n"
    never_two(judge)


def test_a_replica_that_was_left_behind_is_not_promoted(lab: Lab, pair: Pair, judge: Beside) -> None:
    """What was written without it is on the disk of the one that died: that comes back."""
    promoted, replica = pair.wait()
    pair.ask(promoted, "acl", "setuser", "default", "-psync", "-sync")
    pair.ask(promoted, "client", "kill", "type", "replica")
    lab.wait(lambda: not pair.score(replica), what="the score to be taken back")
    assert pair.ask(promoted, "set", "late", "1") == "OK\n"
    pair.kill(promoted)
    pair.wait_for_deaths(1)
    assert pair.wait() == (promoted, replica)
    assert pair.ask(replica, "get", "late") == "1\n"
    assert {address for _, address in never_two(judge)["changes"]} == {promoted.address, ""}


def test_a_dead_node_is_fenced_and_comes_back_as_replica(lab: Lab, pair: Pair, client: Beside, judge: Beside) -> None:
    """With nothing on its disk, for the lab's nodes lose that: it takes the other's data, not the other way round."""
    promoted, replica = pair.wait()
    promoted.kill()
    lab.wait(lambda: pair.info(replica).get("role") == "master", timeout=60, what="the other to be promoted")
    promoted.boot()
    lab.wait_online(promoted.name, replica.name)
    assert pair.wait(120) == (replica, promoted)
    nothing_lost(pair, client)
    never_two(judge)
    assert lab.fencings(promoted)
