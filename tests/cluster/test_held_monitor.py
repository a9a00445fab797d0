"""The held monitor on a real Pacemaker: true code and reason, counted once, and no trace when it is not needed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import kills
import peers
import pytest
from lab import Lab, Node

KILLS = 20
HOLD = "monitor_hold=45"
HELD = "interval=1s timeout=60s"


@pytest.fixture
def held(lab: Lab, node: Node) -> Iterator[Node]:
    """Run Redis with a monitor that waits at the daemon."""
    with peers.running(lab, node, kills.NAME, f"command={kills.COMMAND}", "user=redis", HOLD, monitor=HELD):
        lab.wait(lambda: kills.waiting(node), what="a monitor to be held")
        yield node


def fail_count(node: Node) -> int:
    """Return Pacemaker's count of failures of the resource."""
    said = node.run(["crm_failcount", "--query", "--resource", kills.NAME, "--node", "n1"]).stdout
    found = re.search(r"value=(\d+)", said)
    assert found, said
    return int(found.group(1))


def test_twenty_kills_carry_our_code_and_reason_and_count_once_each(lab: Lab, held: Node) -> None:
    """And nothing is injected; also fast: figures are the benchmark's."""
    with kills.witness(held) as one:
        for number in range(1, KILLS + 1):
            lab.wait(lambda: kills.waiting(held), what="a monitor to be held")
            done = kills.kill_once(lab, held, one)
            assert done.after("recovered") < 10_000
            lab.wait(lambda n=number: fail_count(held) == n, what=f"a fail-count of {number}")
    failure = held.crm_mon().find("failures/failure[@task='monitor']")
    assert failure is not None
    assert failure.get("exitcode") == "7"
    assert "was killed by signal 9 (KILL)" in failure.get("exitreason", "")
    assert kills.injections(held) == 0
    assert kills.status(held)["last_incident"]["report"] == "told by the held monitor"


def test_a_stop_ends_the_waiting_monitor_without_a_trace(lab: Lab, held: Node) -> None:
    """No failure is counted, and no process is left."""
    held.run(["pcs", "resource", "disable", kills.NAME, "--wait=30"], timeout=60)
    assert kills.waiting(held) == []
    assert held.crm_mon().find("failures/failure") is None
    held.run(["pcs", "resource", "enable", kills.NAME, "--wait=30"], timeout=60)
    lab.wait(lambda: kills.waiting(held), what="a monitor to be held again")


def test_an_unrelated_resource_is_not_delayed(held: Node) -> None:
    """A monitor that waits is in nobody's transition; nor is one that would wait, when both are started together."""
    held.run(["pcs", "resource", "create", "other", "ocf:pacemaker:Dummy", "--wait=15"], timeout=30)
    try:
        held.run(["pcs", "resource", "disable", kills.NAME, "other", "--wait=15"], timeout=30)
        held.run(["pcs", "resource", "enable", kills.NAME, "other", "--wait=15"], timeout=30)
    finally:
        held.run(["pcs", "resource", "delete", "other"], timeout=30)


def test_the_on_fail_of_the_monitor_applies(lab: Lab, node: Node) -> None:
    """With on-fail=block a killed service stays down."""
    words = ["command=/bin/sleep 1007", HOLD]
    with peers.running(lab, node, "blocked", *words, monitor=f"{HELD} on-fail=block") as row:
        lab.wait(lambda: kills.waiting(node), what="a monitor to be held")
        node.run(["kill", "-9", str(row["pid"])])
        blocked = "resources/resource[@id='blocked'][@blocked='true']"
        lab.wait(lambda: node.crm_mon().find(blocked) is not None, what="the resource to be blocked")
        assert kills.injections(node, "blocked") == 0
        node.run(["crm_resource", "--cleanup", "--resource", "blocked"], timeout=60)
        lab.wait(lambda: peers.settled(node, "blocked"), timeout=45, what="the recovery that the cleanup allows")


def test_a_different_on_fail_of_asyncmon_is_warned_of(lab: Lab, node: Node) -> None:
    """In status, where the administrator looks."""
    with peers.running(lab, node, "warned", "command=/bin/sleep 1008", monitor="interval=60s on-fail=standby"):
        lab.wait(lambda: kills.status(node, "warned")["warning"], what="the warning")
        assert "on-fail of monitor is standby, but of asyncmon restart" in kills.status(node, "warned")["warning"]
