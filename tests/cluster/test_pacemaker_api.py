"""Requests about the cluster and its resources on a real cluster, of the installed version; each reply is valid."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from api_replies import NodeRunner
from api_world import overlay, settled, started
from lab import Lab, Node

from tocsin_ocf.pacemaker import (
    AlreadyThere,
    BadVersion,
    Fault,
    NoSuchNode,
    NoSuchObject,
    NoSuchResource,
    Pacemaker,
    Role,
    Version,
    cibadmin,
    crm_mon,
    crm_node,
    crm_resource,
    crmadmin,
)
from tocsin_ocf.pacemaker.crm_error import EXIT_CODES
from tocsin_ocf.pacemaker.version import version

HIDDEN = "s3cret<&\"'"


@pytest.fixture(scope="module")
def lab_overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put a fence agent where the fencer looks."""
    return overlay(tmp_path_factory.mktemp("overlay"))


@pytest.fixture
def runner(lab: Lab, node: Node) -> NodeRunner:
    """Begin with everything started and nothing failed."""
    return started(lab, node)


@pytest.fixture
def cluster(runner: NodeRunner) -> Pacemaker:
    """Return the cluster as a user sees it."""
    return Pacemaker(runner)


def test_what_the_cluster_is_like(cluster: Pacemaker, runner: NodeRunner) -> None:
    """crm_mon says it all, and nothing is missing."""
    status = runner.case("crm_mon-everything", crm_mon.status(include=crm_mon.EVERYTHING))
    assert (status.dc, status.quorum, status.maintenance, status.fencing) == ("n1", True, False, False)
    assert status.version.startswith("2.1.5")
    assert status.nodes["n1"].online and status.nodes["n1"].dc and status.nodes["n1"].resources == 5
    (promoted,) = status.resource("db-clone")
    assert (promoted.id, promoted.role, promoted.parents) == ("db", Role.PROMOTED, ("db-clone",))
    assert [instance.id for instance in status.resource("stack")] == ["first", "second"]
    assert status.where("web") == ("n1",)
    assert {entry.interval for entry in status.history if entry.resource == "web"} == {0.0, 10.0}
    assert cluster.status().nodes == status.nodes
    assert runner.case("crm_mon-status", crm_mon.status()).instances == status.instances
    assert [each.id for each in cluster.resource("web").status()] == ["web"]
    assert cluster.nodes["n1"].status().online
    assert {each.id for each in cluster.nodes["n1"].resources()} == {"web", "db", "first", "second", "power"}
    with pytest.raises(NoSuchNode):
        cluster.nodes["n9"].status()


def test_the_version_and_the_exit_codes_are_the_installed_ones(
    cluster: Pacemaker, runner: NodeRunner, node: Node
) -> None:
    """`crm_error` knows the same names and texts."""
    assert cluster.version == runner.case("crm_node-version", version()) == Version(2, 1, 5)
    assert cluster.ask(version("pcs")) >= Version(0, 11, 3)
    said = node.run(["crm_error", "--exit", "--name", "--list"]).stdout.splitlines()
    known = {f"{code}: {name} {text}" for code, (name, text) in EXIT_CODES.items()}
    assert {" ".join(line.split()) for line in said} == known


def test_nodes_are_known_below_and_above(cluster: Pacemaker, runner: NodeRunner) -> None:
    """crm_node in plain text, for this version has no XML; crmadmin."""
    installed = cluster.version
    assert cluster.this_node() == runner.case("crm_node-name", crm_node.name(installed)) == "n1"
    assert runner.case("crm_node-id", crm_node.node_id(installed)) == 1
    assert runner.case("crm_node-name_of", crm_node.name_of(installed, 1)) == "n1"
    assert isinstance(runner.fault("crm_node-name_of-unknown", crm_node.name_of(installed, 7)), NoSuchNode)
    assert runner.case("crm_node-list", crm_node.list_nodes(installed)) == (crm_node.Member(1, "n1", "member"),)
    assert runner.case("crm_node-partition", crm_node.partition(installed)) == ("n1",)
    assert runner.case("crm_node-quorum", crm_node.quorum(installed)) is True
    assert isinstance(runner.fault("crm_node-xml", crm_node.name(Version(3, 0))), BadVersion)
    assert isinstance(runner.fault("crm_node-remove", crm_node.remove("n1", force=False)), Fault)
    assert runner.case("crmadmin-dc", crmadmin.dc()) == "n1"
    assert runner.case("crmadmin-state", crmadmin.controller_state("n1")) == "S_IDLE"
    assert runner.case("crmadmin-daemons", crmadmin.daemons()) == "running"
    assert runner.case("crmadmin-nodes", crmadmin.nodes()) == (crmadmin.KnownNode("n1", "1", "cluster"),)
    assert list(cluster.nodes) == ["n1"] and "n9" not in cluster.nodes and len(cluster.nodes) == 1


def test_a_resource_is_looked_at(cluster: Pacemaker, runner: NodeRunner) -> None:
    """Where it is, how it is configured, what was done to it."""
    assert {each.id for each in runner.case("crm_resource-list", crm_resource.list_resources())} >= {"web", "db"}
    assert runner.case("crm_resource-locate", crm_resource.locate("web")) == cluster.resource("web").where() == ("n1",)
    assert runner.case("crm_resource-locate-clone", crm_resource.locate("db-clone")) == ("n1",)
    assert isinstance(runner.fault("crm_resource-locate-unknown", crm_resource.locate("nope")), NoSuchResource)
    done = runner.case("crm_resource-operations", crm_resource.operations("web"))
    assert {(entry.task, entry.interval, entry.code) for entry in done} == {("start", 0, 0), ("monitor", 10, 0)}
    assert len(runner.ask(crm_resource.operations(everything=True))) >= len(done)
    web = runner.case("crm_resource-configured", crm_resource.configured("web"))
    assert (web.agent, web.parameters) == ("ocf:pacemaker:Dummy", {"fake": "one"})
    assert web == cluster.resource("web").configured()
    assert runner.case("crm_resource-configured-raw", crm_resource.configured("web", raw=True)) == web
    (monitor,) = web.operations
    assert (monitor.name, monitor.interval, monitor.timeout, monitor.on_fail) == ("monitor", 10, 20, "restart")
    assert runner.ask(cibadmin.configuration("web")) == web.operations
    assert runner.case("crm_resource-get", crm_resource.get_parameter("web", "fake")) == "one"
    assert runner.case("crm_resource-get-unset", crm_resource.get_parameter("web", "nothing")) is None
    assert "all" in runner.case("crm_resource-digests", crm_resource.digests("web", "n1"))
    assert runner.case("crm_resource-force_check", crm_resource.force_check("web")) == (0, "")
    assert runner.case("crm_resource-validate", crm_resource.validate("web")) == (0, "")


def test_agents_are_listed(runner: NodeRunner) -> None:
    """With their meta-data."""
    assert "ocf" in runner.case("crm_resource-list_standards", crm_resource.list_standards())
    assert "pacemaker" in runner.case("crm_resource-list_providers", crm_resource.list_providers())
    assert "Dummy" in runner.case("crm_resource-list_agents", crm_resource.list_agents("ocf", "pacemaker"))
    assert "<resource-agent" in runner.ask(crm_resource.show_metadata("ocf:pacemaker:Dummy"))
    assert isinstance(runner.fault("crm_resource-no-agent", crm_resource.show_metadata("ocf:no:Such")), NoSuchObject)


def test_a_failure_is_told_seen_and_forgotten(cluster: Pacemaker, runner: NodeRunner, lab: Lab) -> None:
    """And a dry run executes nothing."""
    web = cluster.resource("web")
    executed = len(runner.replies)
    command = web.fail(node="n1", dry_run=True)
    assert str(command) == "/usr/sbin/crm_resource --fail --resource web --node n1"
    assert len(runner.replies) == executed
    assert web.fail(node="n1") == command
    (failure,) = lab.wait(web.failures, what="the failure of web")
    assert (failure.resource, failure.node, failure.task, failure.code) == ("web", "n1", "asyncmon", 1)
    assert failure.reason == "Simulated failure"
    (count,) = lab.wait(web.fail_counts, what="the fail count of web")
    assert (count.resource, count.node) == ("web", "n1") and count.count in (1, 2)
    runner.case("crm_mon-failed", crm_mon.status(include=crm_mon.EVERYTHING))
    lab.wait(lambda: settled(runner), what="the recovery of web")
    runner.case("crm_resource-cleanup", crm_resource.cleanup("web", "n1"))
    lab.wait(lambda: not web.failures(), what="a clean web")
    web.cleanup()
    cluster.cleanup()
    assert web.fail_counts() == ()


def test_who_is_not_there_cannot_fail(runner: NodeRunner) -> None:
    """Each fault has its name, and Pacemaker's code and words."""
    fault = runner.fault("crm_resource-fail-no-resource", crm_resource.fail("nope", "n1"))
    assert isinstance(fault, NoSuchResource)
    assert (fault.code, fault.name, fault.meaning) == (105, "CRM_EX_NOSUCH", "No such object")
    assert "nope" in fault.text
    assert isinstance(runner.fault("crm_resource-fail-no-node", crm_resource.fail("web", "n9")), NoSuchNode)
    assert runner.fault("crm_resource-fail-group", crm_resource.fail("stack", "n1")).name == "CRM_EX_SOFTWARE"


def test_a_resource_is_moved_banned_and_let_go(cluster: Pacemaker, runner: NodeRunner, lab: Lab) -> None:
    """There is one node only: it is there already, and without it runs nowhere."""
    web = cluster.resource("web")
    assert isinstance(runner.fault("crm_resource-move", crm_resource.move("web", "n1")), AlreadyThere)
    assert "--lifetime=PT1H" in web.move("n1", "PT1H", dry_run=True).argv
    with pytest.raises(NoSuchNode):
        web.move("n9")
    web.ban("n1")
    lab.wait(lambda: not web.where(), what="web to stop")
    (ban,) = runner.case("crm_mon-banned", crm_mon.status(include=crm_mon.EVERYTHING)).bans
    assert (ban.resource, ban.node, ban.weight, ban.promoted_only) == ("web", "n1", -1000000, False)
    web.clear()
    lab.wait(web.where, what="web to start")
    runner.ask(crm_resource.ban("web", "n1"))
    runner.ask(crm_resource.clear("web", "n1"))


def test_a_resource_is_restarted_disabled_and_unmanaged(cluster: Pacemaker, runner: NodeRunner, lab: Lab) -> None:
    """By meta attributes, which are a mapping."""
    web = cluster.resource("web")
    web.restart(wait=60)
    runner.case("crm_resource-restart", crm_resource.restart("first", 60))
    web.disable()
    assert web.meta["target-role"] == "Stopped"
    lab.wait(lambda: not web.where(), what="web to stop")
    assert web.status()[0].leaving == "disabled"
    assert runner.case("crm_resource-force_check-stopped", crm_resource.force_check("web")) == (7, "")
    assert isinstance(runner.fault("crm_resource-restart-stopped", crm_resource.restart("web", 20)), NoSuchResource)
    web.enable()
    assert "target-role" not in web.meta
    lab.wait(web.where, what="web to start")
    web.unmanage()
    lab.wait(lambda: not web.status()[0].managed, what="an unmanaged web")
    web.manage()
    web.maintenance()
    assert dict(web.meta) == {"maintenance": "true"}
    web.maintenance(on=False)
    assert dict(web.meta) == {}
    web.refresh()
    runner.ask(crm_resource.refresh("second", "n1"))
    cluster.wait(60)
    runner.ask(crm_resource.wait(30))


def test_parameters_are_a_mapping_and_secrets_stay_out_of_sight(
    cluster: Pacemaker, runner: NodeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in arguments nor in what a command or a fault is printed as."""
    executed: list[str] = []
    run = runner.run
    monkeypatch.setattr(runner, "run", lambda command: executed.append(shlex.join(command.argv)) or run(command))
    parameters = cluster.resource("web").parameters
    parameters["passwd"] = HIDDEN
    parameters["fake"] = "two"
    assert dict(parameters) == {"passwd": HIDDEN, "fake": "two"}
    command = parameters.set("passwd", HIDDEN, dry_run=True)
    wrong = cibadmin.set_parameter(cibadmin.Primitive("nope"), "passwd", HIDDEN)
    fault = runner.fault("cibadmin-no-primitive", wrong)
    assert isinstance(fault, NoSuchObject)
    seen = [*executed, str(command), repr(command), repr(fault), str(fault), repr(cluster.resource("web").configured())]
    assert "cret" not in "".join(seen)
    assert HIDDEN in parameters.values()
    del parameters["passwd"]
    with pytest.raises(KeyError):
        del parameters["passwd"]
    parameters["fake"] = "one"
    assert list(parameters) == ["fake"] and len(parameters) == 1
    db = cluster.resource("db").parameters  # it has no set of them yet
    db["envfile"] = "/dev/null"
    assert dict(db) == {"envfile": "/dev/null"}
    db.remove("envfile")
    with pytest.raises(NoSuchResource):
        cluster.resource("nope").parameters["fake"] = "x"
    runner.ask(crm_resource.set_meta("web", "priority", "1"))
    runner.ask(crm_resource.delete_parameter("web", "priority", "meta"))
