"""The services of the lab's nodes: stopped, started and crashed, as under Debian's unit files."""

from __future__ import annotations

import pytest
from lab import Lab
from three_nodes import fenced, other_than_controller, rest, runs, where


def test_a_cluster_that_is_stopped_cleanly_is_not_fenced(three: Lab) -> None:
    """Stop, start and restart are those of the distribution's units."""
    home = where(three)
    init = home.init
    home.stop_cluster()
    where(three, among=rest(three, home))
    assert home.run(["systemctl", "is-active", "pacemaker"], check=False).stdout == "inactive\n"
    home.start_cluster()
    three.wait_online()
    home.restart_pacemaker()
    three.wait_online()
    assert home.init == init


def test_pcs_stops_and_starts_the_local_cluster(three: Lab) -> None:
    """Through the stand-in for systemctl."""
    node = three.node("n3")
    node.run(["pcs", "cluster", "stop"], timeout=120)
    assert not runs(node, "corosync -f")
    node.run(["pcs", "cluster", "start"], timeout=120)
    three.wait_online()


@pytest.mark.parametrize("daemon", ["pacemaker-attrd", "pacemakerd"])
def test_a_crashed_daemon_is_started_again(three: Lab, daemon: str) -> None:
    """By pacemakerd, and pacemakerd by pid 1; nobody is fenced."""
    node = other_than_controller(three)
    init = node.init
    node.crash_pacemaker(daemon)
    three.wait(lambda: runs(node, daemon), 30, f"another {daemon}")
    three.wait_online()
    assert node.init == init
    node.restart_pacemaker()  # a new pacemakerd looks after the children that it found only now and then


def test_a_node_whose_corosync_died_is_fenced(three: Lab) -> None:
    """Debian's unit does not start it again."""
    node = other_than_controller(three)
    asked = len(three.fencings(node))
    node.crash_pacemaker("corosync")
    fenced(three, node, asked)
    three.wait_online()
    assert runs(node, "corosync -f")
