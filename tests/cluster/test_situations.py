"""What `crm_resource --fail` does in each situation was measured; what we do there is shown here, on two real nodes."""

from __future__ import annotations

from collections.abc import Iterator

import kills
import peers
import pytest
from lab import Lab, Node

SLEEP = "command=/bin/sleep {}"


@pytest.fixture(scope="module")
def lab_nodes() -> int:
    """Say that a failure can be reported for the wrong node."""
    return 2


@pytest.fixture
def pcs(lab: Lab, node: Node) -> Iterator[Node]:
    """Remove whatever the test created."""
    yield node
    node.run(["cibadmin", "--delete-all", "--force", "--xpath", "//resources/*"])
    lab.wait(lambda: is_empty(lab), 60, "all to be gone")
    node.run(["crm_resource", "--cleanup"], timeout=60)


def is_empty(lab: Lab) -> bool:
    """Tell whether Pacemaker remembers no resource, and no daemon runs one."""
    remembered = lab.nodes[0].crm_mon().findall("node_history/node/resource_history")
    return not remembered and all(row["phase"] == "stopped" for node in lab.nodes for row in kills.rows(node))


def create(node: Node, name: str, *words: str) -> None:
    """Create a resource with a monitor once a minute."""
    argv = ["pcs", "resource", "create", name, "ocf:tocsin:service", SLEEP.format(name_seconds(name)), *kills.MONITOR]
    node.run([*argv, *words], timeout=60)


def name_seconds(name: str) -> int:
    """Return a number of its own for each resource, so that its processes can be found."""
    return 2000 + sum(map(ord, name))


def kill(node: Node, name: str) -> int:
    """Kill a resource's main process, and return its pid."""
    pid = int(kills.status(node, name)["pid"])
    node.run(["kill", "-9", str(pid)])
    return pid


def recovered(lab: Lab, node: Node, name: str, pid: int) -> None:
    """Wait until another process runs."""
    lab.wait(lambda: kills.status(node, name)["pid"] not in (None, pid), timeout=60, what=f"{name} to be recovered")


def report(node: Node, name: str) -> str:
    """Return where the report of the last incident stands."""
    incident = kills.status(node, name)["last_incident"]
    return str(incident["report"]) if incident else ""


def test_group_member(lab: Lab, pcs: Node) -> None:
    """One injection; it is recovered in place."""
    create(pcs, "member", "--group", "grp")
    node = peers.where(lab, "member")
    pid = kill(node, "member")
    recovered(lab, node, "member", pid)
    assert kills.injections(node, "member") == 1


def test_anonymous_clone(lab: Lab, pcs: Node) -> None:
    """Each node's own instance, and not its neighbour's."""
    create(pcs, "anon", "clone")
    lab.wait(lambda: all(peers.settled(node, "anon") for node in lab.nodes), what="both")
    pids = {node.name: int(kills.status(node, "anon")["pid"]) for node in lab.nodes}
    kill(lab.nodes[1], "anon")
    recovered(lab, lab.nodes[1], "anon", pids["n2"])
    assert kills.status(lab.nodes[0], "anon")["pid"] == pids["n1"]
    assert [kills.injections(node, "anon") for node in lab.nodes] == [0, 1]


def test_globally_unique_clone(lab: Lab, pcs: Node) -> None:
    """By the instance's own id, which Pacemaker then wants."""
    create(pcs, "uniq", "clone", "globally-unique=true")
    node = peers.where(lab, "uniq:0")
    pid = kill(node, "uniq:0")
    recovered(lab, node, "uniq:0", pid)
    assert kills.injections(node, "uniq:0") == 1


def test_a_failure_of_a_copy_that_pacemaker_does_not_know_stops_no_healthy_one(lab: Lab, pcs: Node) -> None:
    """Injected for the wrong node, it would be stopped on both."""
    create(pcs, "only")
    home = peers.where(lab, "only")
    other = next(node for node in lab.nodes if node is not home)
    env = {
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_RESOURCE_INSTANCE": "only",
        "OCF_RESKEY_command": "/bin/sleep 3000",
        "OCF_RESKEY_CRM_meta_on_node": other.name,
    }
    agent = "/usr/lib/ocf/resource.d/tocsin/service"
    other.run([agent, "start"], env=env)
    try:
        kill(other, "only")
        lab.wait(lambda: report(other, "only") == "dropped", what="the report to be dropped")
        assert kills.injections(home, "only") == kills.injections(other, "only") == 0
        assert kills.status(home, "only")["incidents"] == 0
    finally:
        other.run([agent, "stop"], env=env)


@pytest.mark.parametrize(
    ("on", "off"),
    [
        (["resource", "unmanage", "shy"], ["resource", "manage", "shy"]),
        (["resource", "meta", "shy", "maintenance=true"], ["resource", "meta", "shy", "maintenance="]),
        (["node", "maintenance", "--all"], ["node", "unmaintenance", "--all"]),
    ],
    ids=["unmanaged", "resource maintenance", "node maintenance"],
)
def test_what_pacemaker_must_not_touch_is_held(lab: Lab, pcs: Node, on: list[str], off: list[str]) -> None:
    """Nothing is injected meanwhile; afterwards it is recovered, with one report at most."""
    create(pcs, "shy")
    node = peers.where(lab, "shy")
    before = kills.injections(node, "shy")
    pcs.run(["pcs", *on], timeout=60)
    pcs.run(["crm_resource", "--wait"], timeout=60)
    pid = kill(node, "shy")
    lab.wait(lambda: report(node, "shy") == "held", what="the report to be held")
    assert kills.injections(node, "shy") == before
    pcs.run(["pcs", *off], timeout=60)
    recovered(lab, node, "shy", pid)
    assert kills.injections(node, "shy") <= before + 1


def test_after_a_refresh_no_phantom_failure_is_left(lab: Lab, pcs: Node) -> None:
    """Injected with nothing but a probe in the history, it would restart the resource at every transition."""
    create(pcs, "fresh")
    node = peers.where(lab, "fresh")
    node.run(["crm_resource", "--refresh", "--resource", "fresh", "--node", node.name], timeout=60)
    pid = kill(node, "fresh")
    recovered(lab, node, "fresh", pid)
    failures = node.crm_mon().iterfind("failures/failure[@task='asyncmon']")
    assert all(failure.get("call") != "999999999" for failure in failures)


def test_a_disabled_resource_is_not_failed_on_its_way_out(lab: Lab, pcs: Node) -> None:
    """Its stop is due anyway."""
    create(pcs, "leaving")
    node = peers.where(lab, "leaving")
    pid = str(kills.status(node, "leaving")["pid"])
    disable = "crm_resource --resource leaving --meta --set-parameter target-role --parameter-value Stopped"
    node.run(["sh", "-c", f"{disable}; kill -9 {pid}"])
    pcs.run(["crm_resource", "--wait"], timeout=60)
    lab.wait(lambda: kills.status(node, "leaving")["phase"] == "stopped", what="the stop")
    assert kills.injections(node, "leaving") <= 1


def test_a_controller_that_is_gone_is_waited_for(lab: Lab, pcs: Node) -> None:
    """The report is tried again, and arrives once."""
    create(pcs, "patient")
    node = peers.where(lab, "patient")
    node.run(["pkill", "-STOP", "-x", "pacemaker-contr"])
    pid = kill(node, "patient")
    lab.wait(lambda: report(node, "patient") in ("sending", "waiting", "checking"), what="the report to be under way")
    node.run(["pkill", "-CONT", "-x", "pacemaker-contr"])
    recovered(lab, node, "patient", pid)
    assert kills.injections(node, "patient") == 1
