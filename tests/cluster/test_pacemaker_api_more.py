"""Requests about all but resources on a real cluster, of the installed version; each reply is valid."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_replies import LonelyRunner, NodeRunner
from api_world import overlay, started
from lab import Lab, Node

from tocsin_ocf.pacemaker import (
    AlreadyThere,
    BadUsage,
    BadVersion,
    InvalidConfiguration,
    Kind,
    NoSuchNode,
    NoSuchObject,
    NoSuchResource,
    NotConnected,
    NotInstalled,
    Outdated,
    Pacemaker,
    Runner,
    Version,
    attrd_updater,
    cibadmin,
    crm_attribute,
    crm_mon,
    crm_resource,
    crm_simulate,
    crm_ticket,
    crmadmin,
    pcs,
    stonith_admin,
)


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
    runner.ask(crm_attribute.promotion_score("web", "n1", 12))
    assert runner.case("crm_attribute-promotion", crm_attribute.get_promotion("web", "n1")) == 12
    runner.ask(crm_attribute.promotion_score("web", "n1", None))
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
