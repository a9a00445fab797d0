"""Pacemaker's command line: the commands as they are, and replies recorded from a real 2.1.5 with two nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin_daemon.core.guard import judge
from tocsin_daemon.core.report import News
from tocsin_ocf.pacemaker import Cluster, NoStatus, Reply, crm_resource, fail, parse_status, status

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> Cluster:
    """Return the cluster in a recorded reply."""
    return parse_status(Reply(0, (RECORDED / f"crm_mon-2.1.5-{name}.xml").read_text()))


def test_the_injection_names_resource_and_node_and_is_executed_by_full_path() -> None:
    """The node is required by every version since 1.1.10."""
    assert fail("web", "n1").argv == ("/usr/sbin/crm_resource", "--fail", "--resource", "web", "--node", "n1")
    assert fail("web", "n1", "/fake").argv[0] == "/fake/crm_resource"
    assert status().argv[0] == "/usr/sbin/crm_mon"


def test_a_well_cluster_is_read_whole() -> None:
    """Nodes, where each primitive is active, and what has a history where."""
    cluster = recorded("well")
    assert not cluster.maintenance
    assert sorted(cluster.nodes) == ["n1", "n2"]
    assert all(node.online and not node.remote and not node.standby for node in cluster.nodes.values())
    assert sorted((i.id, i.nodes) for i in cluster.instances if i.id in ("web", "any")) == [
        ("any", ("n1",)),
        ("any", ("n2",)),
        ("web", ("n1",)),
    ]
    assert {("web", "n1"), ("any", "n1"), ("any", "n2")} <= cluster.histories
    assert ("web", "n2") not in cluster.histories
    assert cluster.failures == ()


def test_an_injected_failure_is_found_by_its_call() -> None:
    """On the node where it was injected, of a primitive and of an anonymous clone."""
    cluster = recorded("failed")
    assert cluster.injected("web", "n1") == 8
    assert cluster.injected("web", "n2") == 0
    assert cluster.injected("any", "n2") == 13
    assert recorded("well").injected("web", "n1") == 0


@pytest.mark.parametrize(
    ("name", "resource", "node", "expected"),
    [
        ("well", "web", "n1", News.GO),
        ("well", "web", "n2", News.DROP),
        ("well", "any", "n1", News.GO),
        ("well", "any", "n2", News.GO),
        ("well", "nothing", "n1", News.HOLD),
        ("well", "web", "n3", News.UNKNOWN),
        ("failed", "web", "n1", News.GO),
        ("maintenance", "web", "n1", News.HOLD),
        ("unmanaged", "web", "n1", News.HOLD),
        ("unmanaged", "any", "n1", News.GO),
        ("resource-maintenance", "web", "n1", News.HOLD),
        ("node-maintenance", "web", "n1", News.HOLD),
        ("node-maintenance", "any", "n2", News.GO),
        ("standby", "any", "n2", News.HOLD),
        ("refreshed", "web", "n1", News.HOLD),
    ],
)
def test_the_guard_judges_a_real_cluster(name: str, resource: str, node: str, expected: News) -> None:
    """Each recorded situation, as the table of measured results asks."""
    verdict = judge(recorded(name), resource, node)
    assert verdict.news is expected, verdict.why


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (
            Reply(102, "", "crm_mon: Connection to cluster failed\n"),
            r"exit status 102 \(CRM_EX_DISCONNECT, Not connected\): crm_mon: Connection",
        ),
        (Reply(None), "timed out"),
        (Reply(0, ""), "unreadable"),
        (Reply(0, "<a><b>"), "unreadable"),
        (Reply(0, "warning: noise\n<a><b>"), "unreadable"),
    ],
)
def test_a_status_that_cannot_be_had_says_why(reply: Reply, says: str) -> None:
    """Never a cluster that looks empty."""
    with pytest.raises(NoStatus, match=says):
        parse_status(reply)


def test_noise_before_the_xml_does_not_matter() -> None:
    """Libraries print warnings."""
    text = (RECORDED / "crm_mon-2.1.5-well.xml").read_text()
    assert parse_status(Reply(0, f"warning: something\n{text}")) == recorded("well")


@pytest.mark.parametrize("word", ["orphaned", "removed"])
def test_what_is_no_longer_configured_is_removed_in_either_word(word: str) -> None:
    """Pacemaker 3 has a new one, and writes the old one beside it for a while."""
    xml = f'<r><resources><resource id="web" {word}="true"/></resources></r>'
    assert parse_status(Reply(0, xml)).instances[0].leaving == "removed"


def test_a_target_role_is_the_same_in_lower_case() -> None:
    """It is shown as somebody has configured it, and Pacemaker does not mind."""
    xml = '<r><resources><resource id="web" target_role="{}"/></resources></r>'
    for word in ("Stopped", "stopped"):
        assert parse_status(Reply(0, xml.format(word))).instances[0].leaving == "disabled"
    assert parse_status(Reply(0, xml.format("Started"))).instances[0].leaving == ""


def test_an_unknown_call_of_a_globally_unique_instance_is_its_own() -> None:
    """uni:0 and uni:1 on one node are two resources."""
    xml = '<r><failures><failure op_key="uni:1_asyncmon_0" node="n1" call="7"/></failures></r>'
    cluster = parse_status(Reply(0, xml))
    assert cluster.injected("uni:1", "n1") == 7
    assert cluster.injected("uni:0", "n1") == 0


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("my_web_monitor_10000", ("my_web", "monitor", 10.0)),
        ("uni:1_start_0", ("uni:1", "start", 0.0)),
        ("web_reload-agent_0", ("web", "reload-agent", 0.0)),
        ("vm_migrate_to_0", ("vm", "migrate_to", 0.0)),
        ("vm_migrate_from_0", ("vm", "migrate_from", 0.0)),
        ("vm_migrate_to_start_0", ("vm_migrate_to", "start", 0.0)),
        ("web", ("web", "", 0.0)),
    ],
)
def test_an_operation_is_of_its_resource(key: str, parts: tuple[str, str, float]) -> None:
    """Whose id may hold underscores, as the names of two tasks do."""
    xml = f'<r><operations><operation op="{key}"/></operations><failures><failure op_key="{key}"/></failures></r>'
    (entry,) = crm_resource.operations().read(Reply(0, xml))
    assert (entry.resource, entry.task, entry.interval) == parts
    assert parse_status(Reply(0, xml)).failures[0].resource == parts[0]
