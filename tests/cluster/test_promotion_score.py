"""A promotion score on two real nodes: Pacemaker forgets it when it is started again, or its attribute daemon is."""

from __future__ import annotations

import pytest
from lab import Lab, Node

DEFINITION = """
command: [/bin/sleep, "4711"]
promote_command: [/bin/sh, -c, "echo up >>/run/roles"]
demote_command: [/bin/sh, -c, "echo down >>/run/roles"]
"""
OPERATIONS = "op monitor interval=60s op monitor interval=59s role=Promoted meta promotable"


@pytest.fixture(scope="module")
def lab_nodes() -> int:
    """Have somebody else to promote."""
    return 2


def score(node: Node) -> str:
    """Return what Pacemaker knows, "" for no score."""
    words = ["crm_attribute", "--promotion=web", "-l", "reboot", "-N", node.name, "-G", "-q"]
    return node.run(words, check=False).stdout.strip()


def promoted(lab: Lab) -> list[Node]:
    """Return where it is promoted."""
    return [node for node in lab.nodes if node.is_active("web", "Promoted")]


def test_a_score_comes_back_when_pacemaker_has_forgotten_it(lab: Lab) -> None:
    """Or a healthy primary is demoted when the maintenance ends, and in the end nobody is promoted any more."""
    for node in lab.nodes:
        node.run(["mkdir", "-p", "/etc/tocsin"])
        node.path("/etc/tocsin/web.yaml").write_text(DEFINITION)
    create = f"pcs resource create web ocf:tocsin:service config=/etc/tocsin/web.yaml {OPERATIONS}"
    lab.nodes[0].run(create.split(), timeout=60)
    lab.wait(lambda: len(promoted(lab)) == 1 and all(map(score, lab.nodes)), 60, "promoted")
    (node,) = promoted(lab)
    (other,) = [each for each in lab.nodes if each is not node]

    other.run(["pcs", "property", "set", "maintenance-mode=true"])
    node.restart_pacemaker()
    lab.wait(lambda: score(node) == "100", 60, "told again after a restart of Pacemaker")
    lab.wait(lambda: other.sees_online([each.name for each in lab.nodes]), 60, "online")
    other.run(["pcs", "property", "set", "maintenance-mode=false"])
    other.run(["crm_resource", "--wait"], timeout=60)
    assert promoted(lab) == [node]
    assert node.path("/run/roles").read_text() == "up\n"

    node.crash_pacemaker("pacemaker-attrd")
    lab.wait(lambda: len(promoted(lab)) == 1 and all(map(score, lab.nodes)), 90, "told again after a crash")
