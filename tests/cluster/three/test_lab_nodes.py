"""Accidents on three real nodes: each is fenced when it has to be, boots again, and comes back."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from lab import Lab, LabError
from three_nodes import NAME, fenced, other_than_controller, rest, where


def test_the_cluster_can_fence(three: Lab) -> None:
    """Its only device is the lab's, and STONITH is on."""
    node = three.node("n2")
    assert "stonith-enabled: true" in node.run(["pcs", "property", "config"]).stdout
    assert node.run(["stonith_admin", "--list-registered"]).stdout.split()[0] == "fencing"
    assert node.run(["fence_lab", "--action=list"]).stdout.split() == ["n1,", "n2,", "n3,"]
    metadata = node.run(["fence_lab", "--action=metadata"]).stdout
    assert subprocess.run(["xmllint", "--noout", "-"], input=metadata, text=True, check=False).returncode == 0
    assert "plug" in node.run(["pcs", "stonith", "describe", "fence_lab"]).stdout


def test_a_killed_node_is_fenced_and_its_resource_moves(three: Lab) -> None:
    """It boots from its disk, with an empty /run, and comes back."""
    home = where(three)
    old, asked = home.init, len(three.fencings(home))
    home.run(["sh", "-c", "echo kept >/etc/kept; echo kept >/var/lib/kept; echo lost >/run/lost"])
    home.kill()
    assert not home.is_running()
    with pytest.raises(LabError, match=rf"{home.name} is (off|booting)"):
        home.run(["true"])
    where(three, among=rest(three, home))
    fenced(three, home, asked)
    three.wait_online()
    assert home.init != old
    assert home.path("/etc/kept").read_text() == home.path("/var/lib/kept").read_text() == "kept\n"
    assert not home.path("/run/lost").exists()


def test_the_controller_may_be_killed(three: Lab) -> None:
    """Another one takes over, and fences it."""
    old = three.dc()
    asked = len(three.fencings(old))
    old.kill()
    three.wait(lambda: three.dc() is not old, 60, "another controller")
    fenced(three, old, asked)
    three.wait_online()


def test_a_node_that_is_cut_off_is_fenced_and_rejoins(three: Lab) -> None:
    """The switch is out of band; alone the rebooted node does nothing, and does not fence back."""
    node = other_than_controller(three)
    survivors, asked = rest(three, node), len(three.fencings(node))
    three.partition(node.name)
    fenced(three, node, asked)
    three.wait(node.is_running, 60, "the fenced node to boot")
    alone = survivors[0].address
    assert node.run(["ping", "-c1", "-W1", alone], check=False).returncode != 0
    time.sleep(3)
    assert all(each.is_running() for each in three.nodes)
    three.heal()
    three.wait_online()


def test_a_frozen_node_is_fenced(three: Lab) -> None:
    """A frozen one does not answer and cannot be asked; its power can be cut all the same."""
    node = other_than_controller(three)
    asked = len(three.fencings(node))
    node.freeze()
    assert node.is_frozen()
    fenced(three, node, asked)
    three.wait_online()
    assert not node.is_frozen()


def test_a_short_freeze_passes(three: Lab) -> None:
    """Shorter than the token: nobody notices."""
    node = other_than_controller(three)
    init = node.init
    node.freeze()
    time.sleep(0.3)
    node.thaw()
    time.sleep(2)
    assert node.init == init
    three.wait_online()


def test_a_broken_power_switch_leaves_the_node_unclean(three: Lab) -> None:
    """Its resource stays where nobody knows it stopped, until the switch works again."""
    home = where(three)
    others = rest(three, home)
    three.fence_mode(home.name, "fail")
    home.kill()
    unclean = f"nodes/node[@name='{home.name}'][@unclean='true']"
    three.wait(lambda: others[0].crm_mon().find(unclean) is not None, 60, "an unclean node")
    time.sleep(3)
    assert not home.is_running()
    assert not any(node.is_active(NAME) for node in others)
    three.fence_mode(home.name, "ok")
    where(three, among=others)


def test_a_power_switch_that_hangs_is_waited_for(three: Lab) -> None:
    """No answer is no fencing."""
    node = other_than_controller(three)
    three.fence_mode(node, "hang")
    asked = three.dc().popen(["fence_lab", "--action=reboot", f"--plug={node.name}"])
    with pytest.raises(subprocess.TimeoutExpired):
        asked.wait(2)
    assert node.is_running()
    asked.kill()
    asked.communicate()


def test_stonith_admin_reboots_a_node(three: Lab) -> None:
    """As an operator would ask for it."""
    node, old = three.node("n2"), three.node("n2").init
    three.node("n1").run(["stonith_admin", "--reboot", "n2"], timeout=60)
    three.wait(lambda: node.is_running() and node.init != old, 60, "another pid 1")
    three.wait_online()


def test_a_node_that_reboots_itself_comes_back(three: Lab) -> None:
    """Neither is that the end of the lab."""
    node = three.node("n3")
    old = node.init
    node.run(["systemctl", "reboot"], check=False, timeout=60)
    three.wait(lambda: node.is_running() and node.init != old, 60, "another pid 1")
    three.wait_online()


def test_a_node_that_dies_unasked_ends_the_wait(cluster_possible: None) -> None:
    """Only kill, fencing and a reboot are asked for."""
    with Lab(2) as lab:
        lab.nodes[1].kill()
        with pytest.raises(TimeoutError):
            lab.wait(lambda: False, 1, "nothing")
        lab.nodes[1].boot()
        lab.wait_online()
        os.kill(lab.nodes[1].init, 9)
        with pytest.raises(LabError, match="n2"):
            lab.wait(lambda: False, 30, "godot")


def test_a_partition_of_an_unknown_node_is_refused(three: Lab) -> None:
    """By name, and nothing is moved."""
    with pytest.raises(LabError, match="no such node: n9"):
        three.partition("n9")
    with pytest.raises(LabError, match="no such node: n9"):
        three.node("n9")
    with pytest.raises(LabError, match="no fence mode: odd"):
        three.fence_mode("n1", "odd")


def test_the_logs_of_a_dead_node_are_kept(three: Lab, tmp_path: Path) -> None:
    """Whatever became of it."""
    node = other_than_controller(three)
    three.fence_mode(node, "fail")
    node.kill()
    place = three.save_logs(tmp_path)
    for name in ("n1", "n2", "n3"):
        assert "pacemakerd" in (place / name / "pacemaker/pacemaker.log").read_text()
        assert "<cib" in (place / name / "cib.xml").read_text()


def test_two_fencing_labs_do_not_meet(three: Lab) -> None:
    """The same names, other power switches; and it is gone in no time."""
    mine = {node.name: node.init for node in three.nodes}
    with Lab(2, timeout=120, fencing=True) as second:
        second.nodes[0].run(["stonith_admin", "--reboot", "n2"], timeout=60)
        second.wait_online()
        end = time.monotonic()
    assert time.monotonic() - end < 5
    assert {node.name: node.init for node in three.nodes} == mine
