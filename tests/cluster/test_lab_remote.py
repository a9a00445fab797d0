"""A Pacemaker Remote node of the lab: agents run there, and it is fenced when it dies."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import Lab


@pytest.fixture(scope="module")
def lab_nodes() -> int:
    """Say that the node that fences it need not be the one that connects to it."""
    return 2


@pytest.fixture(scope="module")
def lab_remotes() -> int:
    """Say that there is r1."""
    return 1


@pytest.fixture(scope="module")
def lab_fencing() -> bool:
    """Say that a remote node is fenced, too."""
    return True


def test_the_remote_node_is_online_without_corosync(lab: Lab) -> None:
    """It is a resource and a node, and its tools ask the cluster through the connection."""
    remote = lab.node("r1")
    assert remote in lab.remotes
    assert remote not in lab.nodes
    assert lab.nodes[0].crm_mon().find("nodes/node[@name='r1'][@online='true'][@type='remote']") is not None
    processes = remote.run(["ps", "-eo", "args"]).stdout
    assert "pacemaker-remoted" in processes
    assert "corosync" not in processes
    assert remote.crm_mon().find("nodes/node[@name='n1'][@online='true']") is not None


def test_agents_run_on_the_remote_node(lab: Lab) -> None:
    """What the agent leaves in /run lies there, and nowhere else."""
    remote = lab.node("r1")
    lab.nodes[0].run(["pcs", "resource", "create", "far", "ocf:pacemaker:Dummy"], timeout=60)
    lab.nodes[0].run(["pcs", "constraint", "location", "far", "prefers", "r1=INFINITY"], timeout=60)
    lab.wait(lambda: remote.path("/run/Dummy-far.state").exists(), 60, "an agent on r1")
    lab.wait(lambda: remote.is_active("far"), 60, "far on r1")
    assert not any(node.path("/run/Dummy-far.state").exists() for node in lab.nodes)


def test_a_dead_remote_node_is_fenced_and_comes_back(lab: Lab) -> None:
    """Its connection is noticed by a monitor; its resource returns with it, for it prefers it."""
    remote = lab.node("r1")
    old, asked = remote.init, len(lab.fencings(remote))
    remote.kill()
    lab.wait(lambda: len(lab.fencings(remote)) == asked + 1, 90, "r1 fenced")
    lab.wait_online()
    assert remote.init != old
    lab.wait(lambda: remote.is_active("far"), 60, "far on r1 again")


def test_a_remote_node_is_stopped_and_started_cleanly(lab: Lab, tmp_path: Path) -> None:
    """
    Its connection first: Pacemaker 2.1.5 fences one that says farewell by itself, and keeps it out.

    Its logs are kept as any node's.
    """
    remote = lab.node("r1")
    init = remote.init
    lab.nodes[0].run(["pcs", "resource", "disable", "r1", "--wait=60"], timeout=90)
    remote.stop_cluster()
    lab.wait(lambda: any(node.is_active("far") for node in lab.nodes), 60, "far to move")
    remote.start_cluster()
    lab.nodes[0].run(["pcs", "resource", "enable", "r1"], timeout=60)
    lab.wait_online()
    assert remote.init == init
    assert "pacemaker-remoted" in (lab.save_logs(tmp_path) / "r1/pacemaker/pacemaker.log").read_text()
