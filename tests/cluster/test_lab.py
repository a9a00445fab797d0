"""The lab itself: a real cluster that the machine does not notice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab import CommandFailed, Lab, LabError, Node, groups, state

from tests.requirements import require

Holder = tuple[subprocess.Popen[str], dict[str, str]]
"""A process, and what it says of its lab."""
_HOLDER = """
import json, os, sys, time
sys.path.insert(0, sys.argv[1])
from lab import Lab
lab = Lab().up()
print(json.dumps({"state": str(lab.state), "init": str(lab.nodes[0].init), "hub": str(lab.hub)}), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def lab_overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the node one file of its own in /usr; the path has what overlayfs itself would not take."""
    overlay = tmp_path_factory.mktemp("over:lay, 1")
    agents = overlay / "usr/lib/ocf/resource.d/tocsin"
    agents.mkdir(parents=True)
    (agents / "mark").write_text("from the overlay\n")
    return overlay


def test_the_node_is_online_and_the_cluster_has_a_controller(node: Node) -> None:
    """`up` returns a working cluster."""
    status = node.crm_mon()
    assert [found.get("name") for found in status.iterfind("nodes/node[@online='true']")] == ["n1"]
    assert "1 node configured" in node.run(["pcs", "status"]).stdout


def test_a_resource_created_with_pcs_starts(lab: Lab, node: Node) -> None:
    """Agents run in the node, and so does what they leave in /run."""
    node.run(["pcs", "resource", "create", "dummy", "ocf:pacemaker:Dummy"])
    lab.wait(lambda: node.is_active("dummy"), 30, "dummy started")
    assert node.path("/run/Dummy-dummy.state").exists()
    assert not Path("/run/Dummy-dummy.state").exists()
    assert "dummy" in node.pacemaker_log.read_text()
    node.run(["pcs", "resource", "delete", "dummy"], timeout=60)


def test_the_overlay_is_merged_over_usr_and_nobody_can_write_there(node: Node) -> None:
    """The machine's own agents are still there; hacluster, who asks for metadata, may read all of them."""
    found = node.run(["cat", "/usr/lib/ocf/resource.d/tocsin/mark"], user="hacluster").stdout
    assert found == "from the overlay\n"
    assert node.run(["crm_resource", "--show-metadata", "ocf:pacemaker:Dummy"]).stdout
    assert node.run(["touch", "/usr/bin/mark"], check=False).returncode != 0
    assert not Path("/usr/lib/ocf/resource.d/tocsin/mark").exists()


def test_what_a_node_writes_stays_in_the_node(node: Node) -> None:
    """Private: the trees of configuration and state, home, shared memory, host name."""
    files = ["/etc/tocsin/x.yaml", "/var/lib/x/y", "/var/log/tocsin/x", "/run/x/y", "/dev/shm/tocsin-x"]
    script = 'mkdir -p "$(dirname "$1")" && echo inside > "$1" && echo x > ~/tocsin-x'
    for file in files:
        node.run(["sh", "-c", script, "sh", file])
        assert node.path(file).read_text() == "inside\n"
        assert not Path(file).exists()
    assert (node.log_directory / "tocsin/x").read_text() == "inside\n"
    assert not Path.home().joinpath("tocsin-x").exists()
    assert node.run(["uname", "-n"]).stdout == "n1\n" != os.uname().nodename + "\n"


def test_a_node_sees_only_its_own_processes_and_network(node: Node) -> None:
    """The machine's processes, interfaces and corosync are out of sight, both ways."""
    assert node.run(["cat", "/proc/1/cmdline"]).stdout.split("\0")[0] == sys.executable
    assert len(node.run(["sh", "-c", "echo /proc/[0-9]*"]).stdout.split()) < 20
    assert not Path("/sys/class/net/sw1").exists()
    assert node.run(["ls", "/sys/class/net"]).stdout.split() == ["eth0", "lo"]
    for mine in ("pid", "mnt", "net", "uts", "ipc"):
        assert not Path(f"/proc/{node.init}/ns/{mine}").samefile(f"/proc/self/ns/{mine}")


def test_a_node_has_control_groups_of_its_own(node: Node) -> None:
    """Its daemons and commands are in them, and make more; of the machine's they see nothing."""
    require(node.group is not None, "a cgroup2 that can be written")
    assert node.group is not None
    assert node.run(["cat", "/proc/self/cgroup"]).stdout.splitlines()[-1] == "0::/"
    node.run(["sh", "-c", "mkdir -p /sys/fs/cgroup/a/b && echo $$ >/sys/fs/cgroup/a/b/cgroup.procs && exec sleep 0"])
    assert (node.group / "a/b").is_dir()
    assert str(node.init) in (node.group / "cgroup.procs").read_text().split()
    assert not [path for top in groups.tops() for path in top.glob("a")]
    node.run(["rmdir", "/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a"])


def test_run_passes_input_environment_user_and_failure(node: Node) -> None:
    """`run` is subprocess.run with the node's namespaces."""
    assert node.run(["cat"], input="in").stdout == "in"
    assert node.run(["sh", "-c", "echo $X $HOME"], env={"X": "y"}).stdout == "y /run/lab/home\n"
    assert node.run(["id", "-un"], user="hacluster").stdout == "hacluster\n"
    with pytest.raises(CommandFailed, match="no such thing"):
        node.run(["sh", "-c", "echo no such thing >&2; exit 3"])


def test_a_command_that_takes_too_long_is_killed_in_the_node(lab: Lab, node: Node) -> None:
    """No stray process after a timeout, nor after the end of what `popen` returned."""
    with pytest.raises(subprocess.TimeoutExpired):
        node.run(["sleep", "4711"], timeout=0.2)
    sleeping = node.popen(["sleep", "4711"])
    lab.wait(lambda: _runs(node, "sleep 4711"), 5, "sleep started")
    sleeping.terminate()
    lab.wait(lambda: not _runs(node, "sleep 4711"), 5, "sleep killed")
    sleeping.communicate()


def test_wait_says_what_it_waited_for(lab: Lab) -> None:
    """A timeout names the wish and the last answer."""
    with pytest.raises(TimeoutError, match=r"the moon.*\[\]"):
        lab.wait(list, 0.1, "the moon")


def test_two_labs_run_side_by_side_and_leave_nothing(lab: Lab, node: Node) -> None:
    """A second lab, of two nodes, has the same names and addresses; its end is not the first one's."""
    with Lab(nodes=2) as second:
        assert second.state is not None
        place, spaces = second.state, [space for each in second.nodes for space in _namespaces(each.init)]
        second.nodes[0].run(["pcs", "property", "set", "maintenance-mode=true"])
        assert "maintenance-mode" in second.nodes[1].run(["pcs", "property", "config"]).stdout
        second.nodes[0].run(["sh", "-c", "setsid sleep 4711 >/dev/null 2>&1 &"])
        script = "mkdir /sys/fs/cgroup/x; echo $$ >/sys/fs/cgroup/x/cgroup.procs; setsid sleep 9 >/dev/null 2>&1 &"
        second.nodes[0].run(["sh", "-c", script])
        left = second.nodes[0].popen(["sleep", "4711"])
    assert left.returncode is not None
    assert not place.exists()
    assert not [path for top in groups.tops() for path in top.glob(place.name)]
    assert not _inhabitants(spaces)
    assert "tocsin-lab" not in Path("/proc/self/mountinfo").read_text()
    assert "maintenance-mode" not in node.run(["pcs", "property", "config"]).stdout


def test_an_error_in_the_body_takes_the_lab_down(cluster_possible: None) -> None:
    """KeyboardInterrupt while the cluster is still forming, the hardest moment."""
    lab = Lab()
    started: list[int] = []

    def interrupt(*_: object) -> None:
        if not lab.nodes or not lab.nodes[0].is_running():
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            return
        started.extend(_namespaces(lab.nodes[0].init))
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1)
    with pytest.raises(KeyboardInterrupt):
        lab.up()
    assert started
    assert not _inhabitants(started)
    assert lab.state is None
    assert lab.nodes == []


@pytest.fixture
def holder(cluster_possible: None) -> Iterator[Holder]:
    """Run another process that holds a lab."""
    argv = [sys.executable, "-c", _HOLDER, str(Path(__file__).parent)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_after_the_holder_was_killed(holder: Holder, number: signal.Signals) -> None:
    """The hub ends the nodes and removes the directory when its holder is gone without a word."""
    process, found = holder
    spaces = _namespaces(int(found["init"]))
    process.send_signal(number)
    process.wait()
    _soon(lambda: not _inhabitants(spaces) and not Path("/proc", found["hub"]).exists())
    assert not Path(found["state"]).exists()


def test_the_next_lab_removes_what_a_killed_hub_left(holder: Holder) -> None:
    """The directory stays as long as its owner lives, and goes when hub and owner were both killed."""
    process, found = holder
    place, spaces = Path(found["state"]), _namespaces(int(found["init"]))
    os.kill(int(found["hub"]), signal.SIGKILL)
    _soon(lambda: not _inhabitants(spaces))
    assert place not in state.sweep()
    assert place.exists()
    process.kill()
    process.wait()
    assert place in state.sweep()
    assert not place.exists()
    groups.sweep()
    assert not [path for top in groups.tops() for path in top.glob(place.name)]


def test_a_lab_whose_hub_was_killed_says_so(cluster_possible: None) -> None:
    """Waiting fails at once rather than after the timeout."""
    with Lab() as lab:
        os.kill(lab.hub, signal.SIGKILL)
        with pytest.raises((LabError, CommandFailed)):
            lab.wait(lambda: False, 30, "godot")
        place = lab.state
    assert place is not None
    assert not place.exists()


def _runs(node: Node, command: str) -> bool:
    return command in node.run(["ps", "-eo", "args"]).stdout.splitlines()


def _namespaces(pid: int) -> list[int]:
    return [Path(f"/proc/{pid}/ns/{kind}").stat().st_ino for kind in ("pid", "mnt", "net")]


def _inhabitants(namespaces: list[int]) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if not set(_namespaces(int(process.name))).isdisjoint(namespaces):
                found.append(process.name)
        except OSError:
            continue  # gone, or a zombie: it has no namespaces any more
    return found


def _soon(predicate: Callable[[], bool], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not predicate():
        assert time.monotonic() < deadline, f"not within {timeout} s"
        time.sleep(0.02)
