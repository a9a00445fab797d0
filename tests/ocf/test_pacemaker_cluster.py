"""The cluster as one object: each method is one exact command, and a dry run executes none."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from tests.fakes.replies import RecordedRunner
from tocsin_ocf.pacemaker import (
    Command,
    Pacemaker,
    Primitive,
    Reply,
    Role,
    Setting,
    Version,
    attrd_updater,
    cibadmin,
    crm_attribute,
    pcs,
)
from tocsin_ocf.pacemaker.crm_mon import EVERYTHING

CRM_RESOURCE = "/usr/sbin/crm_resource --output-as=xml"
CRM_ATTRIBUTE = "/usr/sbin/crm_attribute --output-as=xml"
STATUS = f"/usr/sbin/crm_mon --one-shot --output-as=xml --inactive --include=none,{EVERYTHING}"

CHANGES: list[tuple[Callable[[Pacemaker, bool], Command], str]] = [
    (
        lambda c, dry: c.resource("web").fail("n1", dry_run=dry),
        "/usr/sbin/crm_resource --fail --resource web --node n1",
    ),
    (lambda c, dry: c.resource("web").move("n2", dry_run=dry), f"{CRM_RESOURCE} --move --resource=web --node=n2"),
    (
        lambda c, dry: c.resource("db").move("n2", "PT1H", promoted=True, dry_run=dry),
        f"{CRM_RESOURCE} --move --resource=db --node=n2 --lifetime=PT1H --promoted",
    ),
    (lambda c, dry: c.resource("web").ban(dry_run=dry), f"{CRM_RESOURCE} --ban --resource=web"),
    (lambda c, dry: c.resource("web").clear(dry_run=dry), f"{CRM_RESOURCE} --clear --resource=web"),
    (
        lambda c, dry: c.resource("web").clear("n1", expired=True, dry_run=dry),
        f"{CRM_RESOURCE} --clear --resource=web --node=n1 --expired",
    ),
    (lambda c, dry: c.resource("web").cleanup(dry_run=dry), f"{CRM_RESOURCE} --cleanup --resource=web"),
    (
        lambda c, dry: c.resource("web").cleanup("n1", "monitor", 10, dry_run=dry),
        f"{CRM_RESOURCE} --cleanup --resource=web --node=n1 --operation=monitor --interval=10000ms",
    ),
    (
        lambda c, dry: c.resource("web").cleanup("n1", "asyncmon", 0, dry_run=dry),
        f"{CRM_RESOURCE} --cleanup --resource=web --node=n1 --operation=asyncmon --interval=0ms",
    ),
    (lambda c, dry: c.resource("web").refresh(dry_run=dry), f"{CRM_RESOURCE} --refresh --resource=web"),
    (
        lambda c, dry: c.resource("web").restart(dry_run=dry),
        f"{CRM_RESOURCE} --restart --resource=web --timeout=60000ms",
    ),
    (
        lambda c, dry: c.resource("web").disable(dry_run=dry),
        f"{CRM_RESOURCE} --meta --resource=web --set-parameter=target-role --parameter-value=Stopped",
    ),
    (
        lambda c, dry: c.resource("web").enable(dry_run=dry),
        f"{CRM_RESOURCE} --meta --resource=web --delete-parameter=target-role",
    ),
    (
        lambda c, dry: c.resource("web").unmanage(dry_run=dry),
        f"{CRM_RESOURCE} --meta --resource=web --set-parameter=is-managed --parameter-value=false",
    ),
    (
        lambda c, dry: c.resource("web").manage(dry_run=dry),
        f"{CRM_RESOURCE} --meta --resource=web --delete-parameter=is-managed",
    ),
    (
        lambda c, dry: c.resource("web").maintenance(dry_run=dry),
        f"{CRM_RESOURCE} --meta --resource=web --set-parameter=maintenance --parameter-value=true",
    ),
    (
        lambda c, dry: c.nodes["n1"].standby(dry_run=dry),
        f"{CRM_ATTRIBUTE} --node=n1 --name=standby --update=on --lifetime=forever",
    ),
    (
        lambda c, dry: c.nodes["n1"].unstandby(dry_run=dry),
        f"{CRM_ATTRIBUTE} --delete --node=n1 --name=standby --lifetime=forever",
    ),
    (
        lambda c, dry: c.nodes["n1"].maintenance(on=False, dry_run=dry),
        f"{CRM_ATTRIBUTE} --delete --node=n1 --name=maintenance --lifetime=forever",
    ),
    (
        lambda c, dry: c.nodes["n1"].transient.set("-odd-", "-1", dry_run=dry),
        f"{CRM_ATTRIBUTE} --node=n1 --name=-odd- --update=-1 --lifetime=reboot",
    ),
    (
        lambda c, dry: c.nodes["n2"].fence(30, dry_run=dry),
        "/usr/sbin/stonith_admin --output-as=xml --fence=n2 --timeout=30 --delay=0",
    ),
    (
        lambda c, dry: c.nodes["n2"].reboot(dry_run=dry),
        "/usr/sbin/stonith_admin --output-as=xml --reboot=n2 --timeout=120 --delay=0",
    ),
    (
        lambda c, dry: c.maintenance(dry_run=dry),
        f"{CRM_ATTRIBUTE} --type=crm_config --name=maintenance-mode --update=true",
    ),
    (
        lambda c, dry: c.maintenance(on=False, dry_run=dry),
        f"{CRM_ATTRIBUTE} --delete --type=crm_config --name=maintenance-mode",
    ),
    (lambda c, dry: c.cleanup(dry_run=dry), f"{CRM_RESOURCE} --cleanup"),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=[expected for _, expected in CHANGES])
def test_a_change_is_one_exact_command_and_a_dry_run_executes_none(
    change: Callable[[Pacemaker, bool], Command], expected: str
) -> None:
    """The command that a dry run returns is the one that is executed."""
    runner = RecordedRunner()
    cluster = Pacemaker(runner)
    planned = change(cluster, True)
    assert runner.executed == []
    assert str(planned) == expected
    assert change(cluster, False) == planned
    assert runner.executed == [planned]


def test_the_tools_of_another_directory_are_taken() -> None:
    """All of them, and a dry run says so."""
    cluster = Pacemaker(RecordedRunner(), directory="/opt/sbin")
    assert cluster.resource("web").fail("n1", dry_run=True).argv[0] == "/opt/sbin/crm_resource"


def test_a_parameter_goes_by_standard_input_into_the_set_that_has_it() -> None:
    """A dry run asks for the ids, and changes nothing."""
    runner = RecordedRunner()
    parameters = Pacemaker(runner).resource("web").parameters
    assert parameters["fake"] == "one"
    command = parameters.set("fake", "two", dry_run=True)
    assert [request.argv[-2] for request in runner.executed] == ["--query-xml", "--query-xml-raw"]
    assert command.argv == ("/usr/sbin/cibadmin", "--modify", "--xml-pipe", "--scope=resources")
    nvpair = '<nvpair id="web-fake" name="fake" value="two" />'
    assert command.stdin == (
        f'<primitive id="web"><instance_attributes id="web-params">{nvpair}</instance_attributes></primitive>'
    )
    parameters["fake"] = "two"
    assert runner.executed[-1] == command


@pytest.mark.parametrize(
    ("primitive", "ids"),
    [
        (Primitive("web"), ("web-instance_attributes", "web-instance_attributes-port")),
        (Primitive("web", sets=("a", "b")), ("a", "a-port")),
        (Primitive("web", settings=(Setting("port", "1", "x", "b"),), sets=("a", "b")), ("b", "x")),
        (Primitive("web", settings=(Setting("host", "1", "x", "b"),), sets=("a", "b")), ("a", "a-port")),
    ],
)
def test_a_new_parameter_has_a_place(primitive: Primitive, ids: tuple[str, str]) -> None:
    """Where it is already, else in the first set without a rule, else in a new one."""
    set_id, pair_id = ids
    stdin = cibadmin.set_parameter(primitive, "port", "80").stdin
    assert f'<instance_attributes id="{set_id}"><nvpair id="{pair_id}" name="port"' in stdin


def test_only_values_of_its_own_that_always_apply_are_a_resources_parameters() -> None:
    """Not those of a rule or of another resource; of two, the set with the higher score."""
    xml = """<primitive id="web" class="systemd" type="web">
      <instance_attributes id="a"><nvpair id="a1" name="port" value="1"/><nvpair id="a2" name="host" value="x"/>
      </instance_attributes>
      <instance_attributes id="b" score="10"><nvpair id="b1" name="port" value="2"/></instance_attributes>
      <instance_attributes id="c" score="INFINITY"><rule id="r" score="0"/><nvpair id="c1" name="port" value="3"/>
      </instance_attributes>
      <instance_attributes id-ref="other"/>
      <meta_attributes id="m"><nvpair id="m1" name="target-role" value="Started"/></meta_attributes>
      <meta_attributes id="n" score="1"><nvpair id="n1" name="target-role" value="Stopped"/></meta_attributes>
      <instance_attributes id="d" score="-1"><nvpair id-ref="e" name="port"/></instance_attributes>
    </primitive>"""
    primitive = cibadmin.read_primitive(ElementTree.fromstring(xml))
    assert primitive.parameters == {"port": "2", "host": "x"}
    assert primitive.meta == {"target-role": "Stopped"}
    assert (primitive.agent, primitive.sets) == ("systemd:web", ("b", "a", "d"))
    assert cibadmin.delete_parameter(primitive, "port").argv[-2] == "--xpath=//nvpair[@id='b1'] | //nvpair[@id='a1']"


def test_of_two_sets_in_json_the_one_with_the_higher_score_counts() -> None:
    """As in XML."""

    def sets(*scores: str) -> list[dict[str, object]]:
        pairs = [{"id": "p", "name": "port", "value": score} for score in scores]
        return [{"id": p["value"], "options": {"score": p["value"]}, "rule": None, "nvpairs": [p]} for p in pairs]

    web = {
        "id": "web",
        "agent_name": {"standard": "systemd", "provider": None, "type": "web"},
        "instance_attributes": sets("-INFINITY", "0", "10"),
        "meta_attributes": sets("5", "0", "1"),
        "operations": [],
    }
    said = json.dumps({"primitives": [web], "groups": [], "clones": [], "bundles": []})
    (found,) = pcs.resources().read(Reply(0, said))
    assert (found.parameters, found.sets) == ({"port": "10"}, ("10", "0", "-INFINITY"))
    assert found.meta == {"port": "5"}


def test_settings_are_a_mapping() -> None:
    """Of what is set; and what is not set cannot be removed by `del`."""
    runner = RecordedRunner()
    cluster = Pacemaker(runner)
    options = cluster.options
    assert options["stonith-enabled"] == "false"
    assert "maintenance-mode" not in options
    assert options.get("maintenance-mode") is None
    assert len(options) == len(list(options)) > 3
    executed = len(runner.executed)
    with pytest.raises(KeyError):
        del options["maintenance-mode"]
    assert len(runner.executed) == executed + 1
    del options["stonith-enabled"]
    assert "--delete" in runner.executed[-1].argv
    options.update({"a": "b"})
    assert runner.executed[-1].argv[-2:] == ("--name=a", "--update=b")


def test_an_empty_value_is_a_value() -> None:
    """Without it crm_attribute and attrd_updater would ask for the attribute, and seem to have set it."""
    assert crm_attribute.set_option("a", "").argv[-2:] == ("--name=a", "--update=")
    assert crm_attribute.set_attribute("n1", "a", "").argv[-2:] == ("--update=", "--lifetime=forever")
    assert "--update-both=" in attrd_updater.dampened("a", "", "n1", 1.0).argv


def test_looking_asks_for_no_more_than_is_needed() -> None:
    """And the version once."""
    runner = RecordedRunner()
    cluster = Pacemaker(runner)
    assert (cluster.this_node(), cluster.this_node(), cluster.version) == ("n1", "n1", Version(2, 1, 5))
    assert [request.argv[1] for request in runner.executed] == ["--version", "--name", "--name"]
    assert cluster.resource("db-clone").where() == ("n1",)
    assert cluster.resource("db-clone").status()[0].role is Role.PROMOTED
    assert list(cluster.nodes) == ["n1"]
    assert ("n9" in cluster.nodes, len(cluster.nodes)) == (False, 1)
    assert cluster.verify().valid
    assert str(runner.executed[-1]).startswith("/usr/sbin/crm_verify")
    assert cluster.status().dc == "n1"
    assert str(runner.executed[-1]) == STATUS
    assert repr(cluster.resource("web")) == "ManagedResource('web')"
    assert repr(cluster.nodes["n1"]) == "ManagedNode('n1')"
