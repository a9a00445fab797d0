"""The tools of the field on the agent that is installed: ocf-tester, pcs, crmsh, crm_resource."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from lab import Lab, Node

AGENT = "/usr/lib/ocf/resource.d/tocsin/service"
TYPE = "ocf:tocsin:service"
ROLES = ["promote_command=/bin/true", "demote_command=/bin/true"]
PLAIN, OWN, CLONED = "plain", "own", "cloned"
MONITORS = {("60s", ""), ("59s", "Promoted")}
"""Interval and role of the monitors that are configured where nobody says otherwise."""


@pytest.fixture(scope="module")
def created(lab: Lab) -> Iterator[Node]:
    """Let pcs create a primitive, one with a monitor of its own, and a promotable clone that stays down."""
    node = lab.nodes[0]
    words = {
        PLAIN: ["command=/bin/sleep 1007", "--wait=40"],
        OWN: ["command=/bin/sleep 1008", "op", "monitor", "interval=30s", "--wait=40"],
        CLONED: ["command=/bin/sleep 1009", *ROLES, "promotable", "notify=true", "--disabled"],
    }
    for name, more in words.items():
        node.run(["pcs", "resource", "create", name, TYPE, *more], timeout=60)
    yield node
    for name in words:
        node.run(["pcs", "resource", "delete", "--force", name], timeout=60, check=False)


def cib(node: Node) -> ElementTree.Element:
    """Return configuration and status."""
    return ElementTree.fromstring(node.run(["cibadmin", "--query"]).stdout)


def monitors(node: Node, name: str) -> set[tuple[str, str]]:
    """Return interval and role of the monitors that a primitive is configured with."""
    found = cib(node).findall(f".//primitive[@id='{name}']/operations/op[@name='monitor']")
    return {(one.get("interval", ""), one.get("role", "")) for one in found}


@pytest.mark.parametrize("roles", [[], ROLES], ids=["plain", "roles"])
def test_ocf_tester_passes(node: Node, roles: list[str]) -> None:
    """resource-agents' own checker, on the file that is installed; it tries roles where there are some."""
    options = [word for one in ["command=/bin/sleep 1005", "daemon_args=--linger 1", *roles] for word in ("-o", one)]
    result = node.run(["ocf-tester", "-n", "tested", *options, AGENT], timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "passed all tests" in result.stdout
    assert ("does not support promotable clones" in result.stdout) == (not roles)
    assert node.run(["pgrep", "-f", "sleep 1005"], check=False).stdout == ""


def test_the_tools_of_the_field_read_the_agent(node: Node) -> None:
    """Pcs and crmsh describe it; crm_resource validates its parameters."""
    assert "stop_timeout" in node.run(["pcs", "resource", "describe", TYPE], timeout=60).stdout
    assert "stop_timeout" in node.run(["crm", "ra", "info", TYPE], timeout=60).stdout
    validate = ["crm_resource", "--validate", "--class=ocf", "--provider=tocsin", "--agent=service"]
    assert node.run([*validate, "--option", "command=/bin/sleep 9"]).returncode == 0
    wrong = node.run([*validate, "--option", "command=/bin/sleep 9", "--option", "port=abc"], check=False)
    assert wrong.returncode == 6
    assert "port" in wrong.stdout + wrong.stderr


def test_the_monitor_of_promoted_instances_does_nothing_to_a_primitive(created: Node) -> None:
    """Pcs configures it, and Pacemaker never runs it."""
    assert monitors(created, PLAIN) == MONITORS
    ran = cib(created).findall(f".//lrm_resource[@id='{PLAIN}']/lrm_rsc_op[@operation='monitor']")
    assert {(one.get("interval"), one.get("rc-code")) for one in ran if one.get("interval") != "0"} == {("60000", "0")}
    assert created.run(["crm_verify", "-LV"]).stderr == ""


def test_who_gives_a_monitor_of_his_own_gets_no_other(created: Node) -> None:
    """So of a promotable clone both are to be given, as the manual says; without any, both are there."""
    assert monitors(created, OWN) == {("30s", "")}
    assert monitors(created, CLONED) == MONITORS


def test_crmsh_takes_both_monitors(node: Node) -> None:
    """And no more than is written."""
    monitor = ["op", "monitor", "interval=60s", "op", "monitor", "interval=59s", "role=Promoted"]
    words = ["configure", "primitive", "shell", TYPE, "params", "command=/bin/sleep 1010", *monitor]
    node.run(["crm", *words, "meta", "target-role=Stopped"], timeout=60)
    try:
        assert monitors(node, "shell") == MONITORS
    finally:
        node.run(["pcs", "resource", "delete", "--force", "shell"], timeout=60, check=False)
