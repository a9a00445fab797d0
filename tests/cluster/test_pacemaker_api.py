"""Every request of `tocsin_ocf.pacemaker` on a real cluster, of the installed version; each reply is valid."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_replies import LonelyRunner, NodeRunner
from lab import Lab, Node

from tocsin_ocf.pacemaker import (
    AlreadyThere,
    BadUsage,
    BadVersion,
    Fault,
    InvalidConfiguration,
    Kind,
    NoSuchNode,
    NoSuchObject,
    NoSuchResource,
    NotConnected,
    NotInstalled,
    Outdated,
    Pacemaker,
    Role,
    Runner,
    Version,
    attrd_updater,
    cibadmin,
    crm_attribute,
    crm_mon,
    crm_node,
    crm_resource,
    crm_simulate,
    crm_ticket,
    crmadmin,
    pcs,
    stonith_admin,
)
from tocsin_ocf.pacemaker.crm_error import EXIT_CODES
from tocsin_ocf.pacemaker.version import version

HIDDEN = "s3cret<&\"'"
RESOURCES = """<resources>
  <primitive id="web" class="ocf" provider="pacemaker" type="Dummy">
    <instance_attributes id="web-params"><nvpair id="web-fake" name="fake" value="one"/></instance_attributes>
    <operations><op id="web-monitor" name="monitor" interval="10s" timeout="20s" on-fail="restart"/></operations>
  </primitive>
  <clone id="db-clone">
    <meta_attributes id="db-meta"><nvpair id="db-promotable" name="promotable" value="true"/></meta_attributes>
    <primitive id="db" class="ocf" provider="pacemaker" type="Stateful"/>
  </clone>
  <group id="stack">
    <primitive id="first" class="ocf" provider="pacemaker" type="Dummy"/>
    <primitive id="second" class="ocf" provider="pacemaker" type="Dummy"/>
  </group>
  <primitive id="power" class="stonith" type="fence_test"/>
</resources>"""
FENCE_AGENT = """#!/bin/sh
# A power switch that obeys at once; it knows the node "ghost".
action=$(sed -n 's/^action=//p')
case "${action:-$2}" in
metadata) cat <<'END'
<resource-agent name="fence_test" shortdesc="test"><longdesc>A test.</longdesc>
<parameters><parameter name="plug"><content type="string"/><shortdesc>Node</shortdesc></parameter></parameters>
<actions><action name="on"/><action name="off"/><action name="reboot"/><action name="monitor"/><action name="list"/>
<action name="metadata"/></actions></resource-agent>
END
;;
list) echo ghost, ;;
esac
"""


@pytest.fixture(scope="module")
def lab_overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put a fence agent where the fencer looks."""
    root = tmp_path_factory.mktemp("overlay")
    agent = root / "usr/sbin/fence_test"
    agent.parent.mkdir(parents=True)
    agent.write_text(FENCE_AGENT)
    agent.chmod(0o755)
    for directory in (root, *root.parents[:2], root / "usr", agent.parent):
        directory.chmod(0o755)
    return root


@pytest.fixture(scope="module")
def configured(lab: Lab) -> Lab:
    """Configure some resources."""
    NodeRunner(lab.nodes[0]).ask(cibadmin.replace(RESOURCES, "resources"))
    return lab


@pytest.fixture
def runner(configured: Lab, node: Node) -> Iterator[NodeRunner]:
    """Begin with everything started and nothing failed."""
    runner = NodeRunner(node)
    configured.wait(lambda: settled(runner), 60, "everything started")
    return runner


def settled(runner: NodeRunner) -> bool:
    """Tell whether all of RESOURCES run, monitored, and the cluster is idle."""
    status = runner.ask(crm_mon.status())
    monitored = {entry.resource for entry in status.history if entry.interval}
    running = all(instance.active and not instance.pending for instance in status.instances)
    idle = runner.ask(crmadmin.controller_state("n1")) == "S_IDLE"
    return running and len(status.instances) == 5 and "web" in monitored and idle


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


def test_attributes_of_nodes(cluster: Pacemaker, runner: NodeRunner, lab: Lab) -> None:
    """Permanent, transient, dampened; promotion scores."""
    node = cluster.nodes["n1"]
    node.attributes["rack"] = "7"
    assert runner.case("crm_attribute-node", crm_attribute.get_attributes("n1")) == {"rack": "7"}
    del node.attributes["rack"]
    assert runner.case("crm_attribute-none", crm_attribute.get_attributes("n1")) == {}
    assert isinstance(runner.fault("crm_attribute-no-node", crm_attribute.get_attributes("n9")), NoSuchNode)
    assert isinstance(runner.fault("crm_attribute-set", crm_attribute.set_attribute("n9", "a", "b")), NoSuchNode)
    runner.ask(crm_attribute.set_attribute("n1", "a", "b", transient=True))
    assert node.transient["a"] == "b"
    runner.ask(crm_attribute.delete_attribute("n1", "a", transient=True))
    runner.ask(attrd_updater.set_attribute("load", "3", "n1"))
    assert runner.case("attrd_updater-query", attrd_updater.query("load")) == {"n1": "3"}
    runner.ask(attrd_updater.delete_attribute("load", "n1"))
    assert runner.case("attrd_updater-removed", attrd_updater.query("load", "n1")) == {"n1": ""}
    assert runner.case("attrd_updater-never", attrd_updater.query("never")) == {}
    runner.ask(attrd_updater.dampened("calm", "1", "n1", 0.5))
    lab.wait(lambda: cluster.status().attributes["n1"].get("calm") == "1", what="a dampened attribute")
    runner.ask(attrd_updater.delete_attribute("calm", "n1"))
    runner.ask(crm_attribute.set_promotion("web", "n1", 12))
    assert runner.case("crm_attribute-promotion", crm_attribute.get_promotion("web", "n1")) == 12
    runner.ask(crm_attribute.delete_promotion("web", "n1"))
    assert runner.case("crm_attribute-no-promotion", crm_attribute.get_promotion("web", "n1")) is None


def test_standby_and_maintenance(cluster: Pacemaker, runner: NodeRunner, lab: Lab) -> None:
    """Of a node, and of the cluster."""
    node = cluster.nodes["n1"]
    node.standby()
    lab.wait(lambda: node.status().standby and not node.resources(), what="a node in standby")
    node.unstandby()
    node.maintenance()
    lab.wait(lambda: node.status().maintenance, what="a node in maintenance")
    node.maintenance(on=False)
    cluster.maintenance()
    assert cluster.options["maintenance-mode"] == "true" and cluster.status().maintenance
    cluster.maintenance(on=False)
    options = runner.case("crm_attribute-options", crm_attribute.get_options())
    assert options["stonith-enabled"] == "false" and "maintenance-mode" not in options
    runner.ask(crm_attribute.set_option("resource-stickiness", "1", "rsc_defaults"))
    assert runner.ask(crm_attribute.get_options("rsc_defaults")) == {"resource-stickiness": "1"}
    runner.ask(crm_attribute.delete_option("resource-stickiness", "rsc_defaults"))


def test_the_configuration_is_read_and_written(runner: NodeRunner) -> None:
    """As XML by standard input; what does not fit has a name."""
    assert runner.case("cibadmin-query", cibadmin.query("//primitive[@id='web']")).get("type") == "Dummy"
    assert runner.ask(cibadmin.query(scope="nodes")).tag == "nodes"
    assert isinstance(runner.fault("cibadmin-nothing", cibadmin.query("//primitive[@id='nope']")), NoSuchObject)
    tag = '<tags><tag id="t"><obj_ref id="web"/></tag></tags>'
    runner.ask(cibadmin.create(tag, "configuration"))
    assert isinstance(runner.fault("cibadmin-exists", cibadmin.create(tag, "configuration")), AlreadyThere)
    runner.ask(cibadmin.modify('<primitive id="web" description="a test"/>', "resources"))
    misfit = cibadmin.modify('<primitive id="web" bogus="yes"/>', "resources")
    assert isinstance(runner.fault("cibadmin-misfit", misfit), InvalidConfiguration)
    assert isinstance(runner.fault("cibadmin-old", cibadmin.replace(OLD)), Outdated)
    runner.ask(cibadmin.delete("//tags"))
    assert isinstance(runner.fault("cibadmin-deleted", cibadmin.query("//tag")), NoSuchObject)
    assert cibadmin.delete_parameter(runner.ask(crm_resource.configured("web", raw=True)), "fake").stdin == ""


OLD = '<cib epoch="0" num_updates="0" admin_epoch="0"/>'


def test_what_would_be_is_simulated_and_verified(cluster: Pacemaker, runner: NodeRunner) -> None:
    """From the live configuration, or from one that is given; nothing is changed."""
    failing = crm_simulate.simulate(operations=["web_monitor_10000@n1=7"])
    simulated = runner.case("crm_simulate", failing)
    assert [(a.action, a.resource, a.node) for a in simulated.actions] == [("recover", "web", "n1")]
    tasks = [(step.kind, step.task, step.interval) for step in simulated.steps if step.resource == "web"]
    assert [t for t in tasks if t[0] == "rsc"] == [("rsc", "stop", 0), ("rsc", "start", 0), ("rsc", "monitor", 10)]
    assert simulated.after is not None and simulated.after.where("web") == ("n1",)
    assert cluster.simulate(operations=["web_monitor_10000@n1=7"]).actions == simulated.actions
    assert runner.case("crm_verify", crm_simulate.verify()).valid and cluster.verify().valid
    verdict = runner.case("crm_verify-invalid", crm_simulate.verify("<cib/>"))
    assert not verdict.valid and any("Relax-NG" in line for line in verdict.words)


def test_tickets(cluster: Pacemaker, runner: NodeRunner) -> None:
    """Granted, put in standby, given attributes, taken, forgotten."""
    runner.ask(crm_ticket.grant("site"))
    runner.ask(crm_ticket.set_attribute("site", "owner", "us"))
    runner.ask(crm_ticket.standby("site"))
    ticket = runner.case("crm_ticket-query", crm_ticket.query(cluster.version, "site"))
    assert (ticket.id, ticket.granted, ticket.standby, ticket.attributes) == ("site", True, True, {"owner": "us"})
    runner.ask(crm_ticket.activate("site"))
    runner.ask(crm_ticket.delete_attribute("site", "owner"))
    runner.ask(crm_ticket.revoke("site"))
    (listed,) = runner.case("crm_mon-tickets", crm_ticket.list_tickets()).tickets
    assert (listed.id, listed.granted, listed.standby) == ("site", False, False)
    runner.ask(crm_ticket.cleanup("site"))
    gone = runner.fault("crm_ticket-unknown", crm_ticket.query(cluster.version, "site"))
    assert isinstance(gone, NoSuchObject)
    assert isinstance(runner.fault("crm_ticket-xml", crm_ticket.query(Version(3, 0), "site")), BadVersion)


def test_fencing(cluster: Pacemaker, runner: NodeRunner) -> None:
    """By a real device, of a node that never was."""
    assert "fence_test" in runner.ask(stonith_admin.list_installed())
    assert runner.case("stonith_admin-registered", stonith_admin.list_registered()) == ("power",)
    assert runner.case("stonith_admin-devices", stonith_admin.list_devices("ghost")) == ("power",)
    assert "ghost" in runner.case("stonith_admin-targets", stonith_admin.list_targets("power"))
    assert isinstance(runner.fault("stonith_admin-no-device", stonith_admin.list_targets("nope")), NoSuchResource)
    runner.case("stonith_admin-query", stonith_admin.query("power"))
    assert 'name="fence_test"' in runner.ask(stonith_admin.metadata("fence_test"))
    runner.case("stonith_admin-fence", stonith_admin.fence("ghost", 20))
    cluster.nodes["ghost"].fence(20)
    cluster.nodes["ghost"].reboot(20)
    runner.ask(stonith_admin.reboot("ghost", 20, delay=1))
    runner.ask(stonith_admin.unfence("ghost", 20))
    runner.ask(stonith_admin.confirm("ghost"))
    assert isinstance(runner.fault("stonith_admin-nobody", stonith_admin.fence("n9", 5)), NoSuchNode)
    events = runner.case("stonith_admin-history", stonith_admin.history())
    assert {(event.target, event.action, event.status) for event in events} >= {
        ("ghost", "off", "success"),
        ("ghost", "reboot", "success"),
        ("n9", "off", "failed"),
    }
    assert {event.target for event in runner.ask(stonith_admin.history("ghost"))} == {"ghost"}
    assert {event.target for event in cluster.status().fence_events} >= {"ghost"}


def test_pcs_where_it_speaks_json(runner: NodeRunner) -> None:
    """And where it does not yet."""
    found = {each.id: each for each in runner.case("pcs-resource", pcs.resources())}
    assert found["web"].parameters == {"fake": "one"}
    assert found["web"].operations == runner.ask(crm_resource.configured("web")).operations
    assert (found["db-clone"].kind, found["db-clone"].meta) == ("clone", {"promotable": "true"})
    assert [each.agent for each in runner.case("pcs-stonith", pcs.fence_devices())] == ["stonith:fence_test"]
    assert runner.ask(pcs.config("cluster"))["cluster_name"] == "lab"
    assert isinstance(runner.fault("pcs-alert", pcs.config("alert")), BadVersion)


def test_changes_are_seen_as_they_come(cluster: Pacemaker) -> None:
    """`watch` compares one look with the next."""
    attributes = cluster.nodes["n1"].transient
    shades = iter(("red", "blue", "green"))
    changes = cluster.watch(sleep=lambda _: attributes.set("colour", next(shades)))
    seen = [next(change for change in changes if change.subject == "colour") for _ in range(2)]
    assert [(change.kind, change.node, change.before, change.after) for change in seen] == [
        (Kind.ATTRIBUTE, "n1", "", "red"),
        (Kind.ATTRIBUTE, "n1", "red", "blue"),
    ]
    attributes.remove("colour")


def test_where_no_cluster_runs_that_is_said(tmp_path: Path) -> None:
    """By every tool, with its own code: outside of the lab's nodes nothing answers."""
    alone = LonelyRunner()
    requests = (
        crm_mon.status(),
        crm_resource.locate("web"),
        crm_attribute.get_options(),
        attrd_updater.query("a"),
        cibadmin.query(),
        crmadmin.nodes(),
        crm_simulate.verify(),
        crm_simulate.simulate(),
        stonith_admin.list_registered(),
    )
    for request in requests:
        with pytest.raises(NotConnected):
            alone.ask(request)
    with pytest.raises(NotInstalled):
        Runner().ask(crm_mon.status(str(tmp_path)))
    with pytest.raises(BadUsage):
        alone.ask(crm_mon.status(include="nonsense"))
