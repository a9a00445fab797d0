"""What an administrator wants, on two real nodes: no reports for a while, a drill, and to know what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import kills
import peers
import pytest
from lab import Lab, Node

NAME = "shop"
COMMAND = "/bin/sleep 4711"
OTHER = "cellar"


@pytest.fixture(scope="module")
def lab_nodes() -> int:
    """Say that an attribute is seen, and a resource moved, on another node."""
    return 2


@pytest.fixture
def home(lab: Lab) -> Iterator[Node]:
    """Return the node on which `shop` runs; it is removed afterwards."""
    first = lab.nodes[0]
    peers.create(first, NAME, f"command={COMMAND}")
    yield peers.where(lab, NAME)
    peers.remove(lab, first, NAME)
    first.run(["crm_resource", "--cleanup"], timeout=60)


def doctor(node: Node, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Return what the doctor finds, and its exit status."""
    done = node.run(["tocsin", "doctor", "--json", *words], timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)


def problems(node: Node) -> list[tuple[str, str, str]]:
    """Return subject, text and cure of each problem."""
    code, told = doctor(node)
    found = [(one["subject"], one["text"], one["cure"]) for one in told if one["grade"] == "problem"]
    assert code == bool(found)
    return found


def attribute(asked: Node, of: Node) -> str:
    """Return the attribute of a pause on one node, as another one sees it."""
    xpath = f"node_attributes/node[@name='{of.name}']/attribute[@name='tocsin-paused-{NAME}']"
    mon = asked.run(["crm_mon", "--output-as=xml", "-A"]).stdout
    found = ElementTree.fromstring(mon).find(xpath)
    return "" if found is None else found.get("value", "")


def test_a_pause_holds_a_report_until_it_is_ended(lab: Lab, home: Node) -> None:
    """Nothing is injected meanwhile, not even by the next daemon; every node shows why; then it is recovered."""
    other = next(node for node in lab.nodes if node is not home)
    home.run(["tocsin", "pause", NAME, "-m", "new disk", "--for", "10min"])
    lab.wait(lambda: "new disk" in attribute(other, home), what="the attribute of the pause")
    row = kills.status(home, NAME)
    home.run(["kill", "-9", str(row["pid"])])
    lab.wait(lambda: kills.status(home, NAME)["report_pending"], what="the incident")
    home.run(["pkill", "-KILL", "-x", "tocsind"])
    home.run(["/usr/lib/ocf/resource.d/tocsin/service", "monitor"], check=False, env=probe(home))
    lab.wait(lambda: kills.status(home, NAME)["last_incident"]["report"] == "held", what="the report to be held")
    assert kills.injections(home, NAME) == 0
    held = kills.status(home, NAME)
    assert held["paused"]["reason"] == "new disk" and held["last_incident"]["why"] == "paused by root: new disk"
    home.run(["tocsin", "resume", NAME])
    lab.wait(lambda: kills.status(home, NAME)["phase"] == "running", what="the recovery")
    assert kills.injections(home, NAME) == 1
    lab.wait(lambda: not attribute(other, home), what="the attribute to be removed")


def probe(node: Node) -> dict[str, str]:
    """Return the environment of a probe: it starts the daemon, and reports nothing."""
    return {
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_RESOURCE_INSTANCE": NAME,
        "OCF_RESKEY_command": COMMAND,
        "OCF_RESKEY_CRM_meta_on_node": node.name,
        "OCF_RESKEY_CRM_meta_interval": "0",
    }


def test_a_drill_recovers_the_service(lab: Lab, home: Node) -> None:
    """By one injection, in place; the command tells it, and the fail-count knows."""
    before = kills.injections(home, NAME)
    pid = kills.status(home, NAME)["pid"]
    done = home.run(["tocsin", "fail", NAME, "-m", "exercise"], timeout=90)
    assert f"{NAME}: recovered here" in done.stdout and "drill asked by root: exercise" in done.stdout
    assert "acknowledged" in done.stdout
    row = kills.status(home, NAME)
    assert row["pid"] not in (None, pid) and row["last_incident"]["drill"]
    assert kills.injections(home, NAME) == before + 1
    assert home.run(["pgrep", "-f", "sleep 4711"]).stdout.split() == [str(row["pid"])]
    events = home.run(["tocsin", "events", NAME]).stdout
    assert "a drill is held: failed" in events and events.rstrip().endswith("recovered")


def test_a_drill_that_moves_the_resource_is_told_too(lab: Lab, home: Node) -> None:
    """And the old node says where it runs now."""
    home.run(["pcs", "resource", "meta", NAME, "migration-threshold=1"], timeout=60)
    done = home.run(["tocsin", "fail", NAME, "-m", "move it"], timeout=90)
    assert "stopped here" in done.stdout
    other = next(node for node in lab.nodes if node is not home)
    lab.wait(lambda: other.is_active(NAME), what="the other node")
    assert f"move it; runs on {other.name} now" in home.run(["tocsin", "status"]).stdout
    assert kills.status(home, NAME)["runs_on"] == [other.name]


def test_the_doctor_finds_what_was_planted(lab: Lab, home: Node) -> None:
    """Nothing at first but notes; then each fault with a cure that works."""
    assert problems(home) == []
    version = next(one for one in doctor(home)[1] if one["subject"] == "pacemaker")
    assert (version["grade"] == "note") == ("2.1.5" in version["text"])
    home.run(["pcs", "resource", "update", NAME, "op", "monitor", "interval=60s", "on-fail=block"], timeout=60)
    lab.wait(lambda: problems(home), what="the mismatch")
    ((subject, text, cure),) = problems(home)
    assert (subject, "on-fail of monitor is block" in text) == (NAME, True)
    assert cure.startswith("pcs resource update shop op asyncmon interval=0 on-fail=...")
    home.run(["pcs", "resource", "update", NAME, "op", "asyncmon", "interval=0", "on-fail=block"], timeout=60)
    assert problems(home) == []


def test_the_doctor_finds_what_pacemaker_does_not_know(lab: Lab, home: Node) -> None:
    """A copy that somebody started by hand, and the way to end it."""
    environment = {**probe(home), "OCF_RESOURCE_INSTANCE": OTHER}
    agent = "/usr/lib/ocf/resource.d/tocsin/service"
    home.run([agent, "start"], env=environment)
    ((subject, text, cure),) = problems(home)
    assert subject == OTHER and "not in the cluster's configuration" in text
    home.run(["sh", "-c", cure.partition(": ")[2]])
    assert problems(home) == []
