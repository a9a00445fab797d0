"""What the tools of 2.1.5 and 3.0 answer, and what it means."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.replies import VERSIONS, Recording, recording
from tocsin_ocf.pacemaker import (
    AlreadyThere,
    BadVersion,
    Fault,
    InvalidConfiguration,
    NoSuchNode,
    NoSuchObject,
    NoSuchResource,
    Outdated,
    Request,
    Role,
    Ticket,
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
from tocsin_ocf.pacemaker.version import version

V2, V3 = Version(2, 1, 5), Version(3, 0)
WEB = "//primitive[@id='web']"


ANSWERS: list[tuple[str, str, Request[Any], object]] = [
    ("2.1.5", "crm_node-version", version(), V2),
    ("2.1.5", "crm_node-name", crm_node.name(V2), "n1"),
    ("3.0", "crm_node-name", crm_node.name(V3), "n1"),
    ("2.1.5", "crm_node-name_of", crm_node.name_of(V2, 1), "n1"),
    ("2.1.5", "crm_node-id", crm_node.node_id(V2), 1),
    ("3.0", "crm_node-id", crm_node.node_id(V3), 1),
    ("2.1.5", "crm_node-list", crm_node.list_nodes(V2), (crm_node.Member(1, "n1", "member"),)),
    (
        "3.0",
        "crm_node-list",
        crm_node.list_nodes(V3),
        (crm_node.Member(1, "n1", "member"), crm_node.Member(2, "n2", "lost"), crm_node.Member(3, "", "")),
    ),
    ("2.1.5", "crm_node-partition", crm_node.partition(V2), ("n1",)),
    ("3.0", "crm_node-partition", crm_node.partition(V3), ("n1",)),
    ("2.1.5", "crm_node-quorum", crm_node.quorum(V2), True),
    ("3.0", "crm_node-quorum", crm_node.quorum(V3), False),
    ("2.1.5", "crmadmin-dc", crmadmin.dc(), "n1"),
    ("2.1.5", "crmadmin-state", crmadmin.controller_state("n1"), "S_IDLE"),
    ("2.1.5", "crmadmin-daemons", crmadmin.daemons(), "running"),
    ("2.1.5", "crmadmin-nodes", crmadmin.nodes(), (crmadmin.KnownNode("n1", "1", "cluster"),)),
    (
        "3.0",
        "crmadmin-nodes",
        crmadmin.nodes(),
        tuple(crmadmin.KnownNode(*n) for n in (("n1", "1", "cluster"), ("g1", "g1", "guest"), ("r1", "r1", "remote"))),
    ),
    ("2.1.5", "crm_resource-locate", crm_resource.locate("web"), ("n1",)),
    ("2.1.5", "crm_resource-locate-clone", crm_resource.locate("db-clone"), ("n1",)),
    ("2.1.5", "crm_resource-get", crm_resource.get_parameter("web", "fake"), "one"),
    ("2.1.5", "crm_resource-get-unset", crm_resource.get_parameter("web", "nothing"), None),
    ("2.1.5", "crm_resource-force_check", crm_resource.force_check("web"), (0, "")),
    ("2.1.5", "crm_resource-force_check-stopped", crm_resource.force_check("web"), (7, "")),
    ("2.1.5", "crm_resource-validate", crm_resource.validate("web"), (0, "")),
    ("2.1.5", "crm_resource-cleanup", crm_resource.cleanup("web", "n1"), None),
    ("2.1.5", "crm_resource-restart", crm_resource.restart("first", 60), None),
    ("2.1.5", "crm_resource-list_standards", crm_resource.list_standards(), ("ocf", "lsb", "service", "stonith")),
    ("2.1.5", "crm_attribute-node", crm_attribute.get_attributes("n1"), {"rack": "7"}),
    ("2.1.5", "crm_attribute-none", crm_attribute.get_attributes("n1"), {}),
    ("2.1.5", "crm_attribute-promotion", crm_attribute.get_promotion("web", "n1"), 12),
    ("2.1.5", "crm_attribute-no-promotion", crm_attribute.get_promotion("web", "n1"), None),
    ("2.1.5", "attrd_updater-query", attrd_updater.query("load"), {"n1": "3"}),
    ("2.1.5", "attrd_updater-removed", attrd_updater.query("load", "n1"), {"n1": ""}),
    ("2.1.5", "attrd_updater-never", attrd_updater.query("never"), {}),
    ("2.1.5", "stonith_admin-registered", stonith_admin.list_registered(), ("power",)),
    ("2.1.5", "stonith_admin-devices", stonith_admin.list_devices("ghost"), ("power",)),
    ("2.1.5", "stonith_admin-targets", stonith_admin.list_targets("power"), ("ghost",)),
    ("2.1.5", "stonith_admin-query", stonith_admin.query("power"), None),
    ("2.1.5", "stonith_admin-fence", stonith_admin.fence("ghost", 20), None),
]

FAILURES: list[tuple[str, Request[Any], type[Fault], str]] = [
    ("crm_node-name_of-unknown", crm_node.name_of(V2, 7), NoSuchNode, "CRM_EX_NOHOST"),
    ("crm_node-xml", crm_node.name(V3), BadVersion, "CRM_EX_USAGE"),
    ("crm_ticket-xml", crm_ticket.query(V3, "site"), BadVersion, "CRM_EX_USAGE"),
    ("crm_ticket-unknown", crm_ticket.query(V2, "site"), NoSuchObject, "CRM_EX_NOSUCH"),
    ("crm_resource-locate-unknown", crm_resource.locate("nope"), NoSuchResource, "CRM_EX_NOSUCH"),
    ("crm_resource-fail-no-resource", crm_resource.fail("nope", "n1"), NoSuchResource, "CRM_EX_NOSUCH"),
    ("crm_resource-fail-no-node", crm_resource.fail("web", "n9"), NoSuchNode, "CRM_EX_NOSUCH"),
    ("crm_resource-fail-group", crm_resource.fail("stack", "n1"), Fault, "CRM_EX_SOFTWARE"),
    ("crm_resource-move", crm_resource.move("web", "n1"), AlreadyThere, "CRM_EX_EXISTS"),
    ("crm_attribute-no-node", crm_attribute.get_attributes("n9"), NoSuchNode, "CRM_EX_NOSUCH"),
    ("crm_attribute-set", crm_attribute.set_attribute("n9", "a", "b"), NoSuchNode, "CRM_EX_NOSUCH"),
    ("cibadmin-nothing", cibadmin.query("//primitive[@id='nope']"), NoSuchObject, "CRM_EX_NOSUCH"),
    ("cibadmin-old", cibadmin.replace("<cib epoch='0' num_updates='0' admin_epoch='0'/>"), Outdated, "CRM_EX_OLD"),
    (
        "cibadmin-misfit",
        cibadmin.modify('<primitive id="web" bogus="yes"/>', "resources"),
        InvalidConfiguration,
        "CRM_EX_CONFIG",
    ),
    ("stonith_admin-no-device", stonith_admin.list_targets("nope"), NoSuchResource, "CRM_EX_NOSUCH"),
    ("stonith_admin-nobody", stonith_admin.fence("n9", 5), NoSuchNode, "CRM_EX_NOSUCH"),
    ("pcs-alert", pcs.config("alert"), BadVersion, "CRM_EX_ERROR"),
]


def answer(version_: str, name: str, request: Request[Any]) -> Any:  # noqa: ANN401 - of all kinds
    """Return what a recorded reply means, after a look whether it was the reply to this request."""
    recorded = recording(version_, name)
    assert recorded.command == str(request).replace("/usr/sbin/cibadmin", cibadmin_of(recorded))
    return request.read(recorded.reply)


def cibadmin_of(recorded: Recording) -> str:
    """Return the beginning of the command line: 3.0.2 has an envelope only where it is asked for."""
    return "/usr/sbin/cibadmin" + (" --output-as=xml" if "--output-as=xml" in recorded.command else "")


@pytest.mark.parametrize(("version_", "name", "request_", "expected"), ANSWERS, ids=lambda value: str(value)[:40])
def test_an_answer_is_read(version_: str, name: str, request_: Request[Any], expected: object) -> None:
    """The same value from either version."""
    assert answer(version_, name, request_) == expected


@pytest.mark.parametrize(("name", "request_", "fault", "code"), FAILURES, ids=lambda value: str(value)[:40])
def test_a_failure_has_a_name(name: str, request_: Request[Any], fault: type[Fault], code: str) -> None:
    """With Pacemaker's code and words, and without the configuration that it may print."""
    with pytest.raises(fault) as caught:
        answer("2.1.5", name, request_)
    assert type(caught.value) is fault
    assert (caught.value.name, caught.value.command) == (code, request_)
    assert caught.value.text
    assert "<" not in caught.value.text


def test_a_cluster_of_3_0_is_read_with_its_new_words() -> None:
    """`removed`, `fencing-enabled`, maintenance of a clone, a bundle, unclean and remote nodes."""
    status = answer("3.0", "crm_mon-everything", crm_mon.status(include=crm_mon.EVERYTHING))
    assert (status.version, status.dc, status.quorum, status.fencing) == ("3.0.2-1", "n1", True, True)
    assert {name: (node.online, node.standby, node.remote, node.unclean) for name, node in status.nodes.items()} == {
        "n1": (True, False, False, False),
        "n2": (True, True, False, False),
        "r1": (True, False, True, False),
        "n4": (False, False, False, True),
    }
    assert {each.id: each.leaving for each in status.instances if each.leaving} == {
        "old": "removed",
        "off": "disabled",
        "stuck": "blocked",
    }
    assert [(each.id, each.role, each.pending, each.maintenance) for each in status.resource("db")] == [
        ("db:0", Role.PROMOTED, "", True),
        ("db:1", Role.UNPROMOTED, "Promoting", True),
    ]
    assert status.resource("box")[0].parents == ("box",)
    assert status.where("db-clone") == ("n1", "n2")
    (failure,) = status.failures
    assert (failure.resource, failure.code, failure.interval, failure.reason) == ("web", 7, 10.0, "ended by signal 9")
    (count,) = status.fail_counts
    assert (count.count, count.threshold) == (1_000_000, 3)
    assert status.histories == {("web", "n1")}  # a probe is none
    assert [(event.target, event.status, event.reason) for event in status.fence_events] == [
        ("n4", "failed", "No such device")
    ]
    assert status.tickets == (Ticket("site", granted=False),)
    assert [(ban.resource, ban.node, ban.weight) for ban in status.bans] == [("web", "n2", -1_000_000)]
    assert status.attributes == {"n1": {"rack": "7"}}


@pytest.mark.parametrize("version_", VERSIONS)
def test_a_ticket_is_the_same_in_text_and_in_xml(version_: str) -> None:
    """crm_ticket has XML since 2.1.8."""
    installed = V2 if version_ == "2.1.5" else V3
    ticket = answer(version_, "crm_ticket-query", crm_ticket.query(installed, "site"))
    assert (ticket.id, ticket.granted, ticket.standby, ticket.attributes) == ("site", True, True, {"owner": "us"})


@pytest.mark.parametrize("version_", VERSIONS)
def test_the_configuration_is_read_bare_and_in_an_envelope(version_: str) -> None:
    """Which cibadmin has since 3.0.2."""
    found = answer(version_, "cibadmin-query", cibadmin.query(WEB))
    primitive = cibadmin.read_primitive(found)
    assert (primitive.id, primitive.agent) == ("web", "ocf:pacemaker:Dummy")
    assert [(op.name, op.interval, op.timeout, op.recurring) for op in primitive.operations] == [
        ("monitor", 10.0, 20.0, True)
    ]


@pytest.mark.parametrize(
    ("version_", "request_", "actions", "kinds"),
    [
        (
            "2.1.5",
            crm_simulate.simulate(operations=["web_monitor_10000@n1=7"]),
            [("recover", "web", "n1", "")],
            {"rsc", "cluster"},
        ),
        (
            "3.0",
            crm_simulate.simulate(down=["n2"]),
            [("Fence (reboot)", "", "n2", ""), ("move", "web", "", "n1")],
            {"fencing", "pseudo", "rsc"},
        ),
    ],
)
def test_a_simulation_is_read(
    version_: str, request_: Request[Any], actions: list[tuple[str, str, str, str]], kinds: set[str]
) -> None:
    """What was decided, in which steps, and what would then be."""
    simulated = answer(version_, "crm_simulate", request_)
    assert [(each.action, each.resource, each.node, each.dest) for each in simulated.actions] == actions
    assert {step.kind for step in simulated.steps} == kinds
    assert ("start", "web", "n1") in {(step.task, step.resource, step.node) for step in simulated.steps}
    assert simulated.after.where("web") == ("n1",)


def test_an_invalid_configuration_is_an_answer() -> None:
    """With each of its faults once."""
    verdict = answer("2.1.5", "crm_verify-invalid", crm_simulate.verify("<cib/>"))
    assert not verdict.valid
    assert len(verdict.words) == len(set(verdict.words)) > 3
    assert answer("2.1.5", "crm_verify", crm_simulate.verify()) == crm_simulate.Verdict(valid=True)


def test_what_pcs_says_is_what_crm_resource_says() -> None:
    """The same value, from JSON and from XML."""
    by_pcs = {each.id: each for each in answer("2.1.5", "pcs-resource", pcs.resources())}
    by_crm = answer("2.1.5", "crm_resource-configured", crm_resource.configured("web"))
    assert (by_pcs["web"].settings, by_pcs["web"].operations) == (by_crm.settings, by_crm.operations)
    assert (by_pcs["db-clone"].kind, by_pcs["stack"].kind) == ("clone", "group")
