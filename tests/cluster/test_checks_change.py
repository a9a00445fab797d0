"""Definitions that change, and failures that pass, while a service runs on a real Pacemaker."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kills
import peers
import pytest
from lab import Lab, Node
from peers import Web

SITE = f"""\
command: {peers.NGINX}
stop_signal: QUIT
checks:
  - http: http://127.0.0.1:8080/
    name: page
    interval: 200ms
    timeout: 1s
    fall: 2
"""
SICK = "check page failed 2 times: status 503, not 200-399"
REDIS = ["command=/usr/bin/redis-server --port 6384 --save ''", "user=redis"]


@pytest.fixture
def site(lab: Lab, node: Node, certificates: Path) -> Iterator[tuple[Web, dict[str, Any]]]:
    """Run nginx by a file."""
    web = Web(node, certificates)
    config = peers.put(node, "site.yaml", SITE)
    with peers.running(lab, node, "site", f"config={config}") as row:
        yield web, row


@pytest.fixture
def maintenance(lab: Lab, node: Node) -> Iterator[None]:
    """End the maintenance mode, if a test has not."""
    yield
    maintain(node, on=False)


def maintain(node: Node, *, on: bool) -> None:
    """Begin or end the maintenance mode of the cluster."""
    node.run(["crm_attribute", "--name", "maintenance-mode", "--update", str(on).lower()])


def names(row: dict[str, Any]) -> list[str]:
    """Return the names of a resource's checks."""
    return [check["name"] for check in row["checks"]]


def actions(node: Node, name: str, action: str) -> int:
    """Count the times that Pacemaker has executed an action of a resource, by its own log."""
    done = re.compile(rf"executing - rsc:{name} action:{action} ")
    with node.pacemaker_log.open(errors="replace") as log:
        return sum(bool(done.search(line)) for line in log)


def test_a_changed_file_is_applied_to_the_service_that_runs(
    lab: Lab, node: Node, site: tuple[Web, dict[str, Any]]
) -> None:
    """Another check and another time to stop, within seconds; a key that made the process waits for a restart."""
    _, row = site
    changed = time.time()
    peers.put(node, "site.yaml", SITE.replace("name: page", "name: front") + "stop_timeout: 7s\nnice: 3\n")
    lab.wait(lambda: names(peers.row(node, "site")) == ["front"], what="the other check")
    now, journal = peers.row(node, "site"), peers.explain(node, "site")["journal"]
    told = [(at, said) for at, said in journal if said.startswith("reload: ")][-1]
    print(f"\nfile changed: applied after {told[0] - changed:.1f} s")
    assert told[1] == "reload: applied: stop_timeout, checks; needs a restart: nice"
    assert (now["pid"], now["waiting"]) == (row["pid"], ["nice"])
    assert "site: needs a restart: nice" in node.run(["tocsin", "status"]).stdout


def test_a_wrong_file_changes_nothing_and_is_said_with_its_line(
    lab: Lab, node: Node, site: tuple[Web, dict[str, Any]]
) -> None:
    """Until it is right again."""
    _, row = site
    path = peers.put(node, "site.yaml", SITE.replace("timeout: 1s", "timeuot: 1s"))
    lab.wait(lambda: peers.row(node, "site")["refused"], what="the fault")
    said = node.run(["tocsin", "status"]).stdout
    fault = f"{path}:7: checks[0].timeuot: unknown; did you mean timeout?"
    assert f"site: the old definition stays; a start would be refused: {fault}" in said
    now = peers.row(node, "site")
    assert (now["pid"], now["phase"], names(now)) == (row["pid"], "running", ["page"])
    assert node.run(["crm_resource", "--force-check", "--resource", "site"], check=False).returncode == 0
    peers.put(node, "site.yaml", SITE)
    lab.wait(lambda: not peers.row(node, "site")["refused"], what="the fault to be forgotten")


def test_pacemaker_reloads_a_changed_check_and_restarts_for_another_user(lab: Lab, node: Node) -> None:
    """What the meta-data marks reloadable leaves the process alone."""
    with peers.running(lab, node, "cache", *REDIS, "check=tcp:127.0.0.1:6384") as row:
        node.run(["pcs", "resource", "update", "cache", "check=tcp:127.0.0.1:6384 listen:6384"], timeout=60)
        lab.wait(lambda: "listen:6384" in names(peers.row(node, "cache")), what="the other check")
        assert peers.row(node, "cache")["pid"] == row["pid"]
        assert (actions(node, "cache", "reload-agent"), actions(node, "cache", "stop")) == (1, 0)

        lab.wait(lambda: peers.settled(node, "cache"), what="the transition to be over")
        node.run(["pcs", "resource", "update", "cache", "user=nobody"], timeout=60)
        lab.wait(lambda: peers.row(node, "cache")["pid"] not in (None, row["pid"]), what="the restart")
        assert (actions(node, "cache", "reload-agent"), actions(node, "cache", "stop")) == (1, 1)
        now = lab.wait(lambda: peers.settled(node, "cache"), what="the first monitor")
        assert now["incidents"] == row["incidents"]


def test_a_failure_that_passes_in_maintenance_leaves_no_trace_in_the_cluster(
    lab: Lab, node: Node, site: tuple[Web, dict[str, Any]], maintenance: None
) -> None:
    """It is held; nothing is reported, counted or restarted when the maintenance ends."""
    web, row = site
    before = kills.injections(node, "site"), actions(node, "site", "stop")
    maintain(node, on=True)
    hold(lab, node, web)
    web.be_well()
    lab.wait(lambda: peers.row(node, "site")["phase"] == "running", what="the service to be well again")
    maintain(node, on=False)
    node.run(["crm_resource", "--wait"], timeout=60)
    now = peers.row(node, "site")
    assert (now["pid"], now["last_incident"]["report"]) == (row["pid"], "withdrawn")
    assert (kills.injections(node, "site"), actions(node, "site", "stop")) == before
    assert not node.crm_mon().findall("failures/failure")


def test_what_still_fails_when_maintenance_ends_is_reported(
    lab: Lab, node: Node, site: tuple[Web, dict[str, Any]], maintenance: None
) -> None:
    """By Tocsin or by the monitor that Pacemaker makes then, whoever is first; once."""
    web, row = site
    maintain(node, on=True)
    hold(lab, node, web)
    asked = node.run(["crm_resource", "--force-check", "--resource", "site"], check=False)
    assert SICK in asked.stdout + asked.stderr
    ended = time.time()
    maintain(node, on=False)
    lab.wait(lambda: node.crm_mon().findall("failures/failure"), what="Pacemaker to know")
    web.be_well()
    after = peers.recovered(lab, node, "site", row)
    print(f"\nmaintenance over: told after {after['last_incident']['times']['reported'] - ended:.1f} s")
    assert after["pid"] != row["pid"]
    assert len(node.crm_mon().findall("failures/failure")) == 1


def hold(lab: Lab, node: Node, web: Web) -> None:
    """Let the page fail, and wait until the report of that is held."""
    web.be_sick()
    lab.wait(lambda: (peers.row(node, "site")["last_incident"] or {}).get("report") == "held", what="the report")
    assert "maintenance" in node.run(["tocsin", "status"]).stdout
    assert SICK in node.run(["tocsin", "status"]).stdout
