"""Services that live and do not work, on a real Pacemaker: found by their checks, told, and recovered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kills
import peers
import pytest
from lab import Lab, Node
from peers import Web

REDIS = "/usr/bin/redis-server --port {port} --save ''"
CACHE = f"""\
command: {REDIS.format(port=6379)}
user: redis
checks:
  - tcp: 127.0.0.1:6379
    send: "PING\\r\\n"
    expect: PONG
    interval: 0.5s
    timeout: 1s
"""
SITE = f"""\
command: {peers.NGINX}
stop_signal: QUIT
checks:
  - http: http://127.0.0.1:8080/health
    name: page
    body: "^status: ok"
    interval: 200ms
    timeout: 1s
    fall: 2
  - http: https://127.0.0.1:8443/health
    name: secure
    ca: {peers.WEB}/ca.pem
    interval: 200ms
    timeout: 1s
    fall: 2
    on: degrade
"""
MIXED = f"""\
command: {REDIS.format(port=6382)} --pidfile {peers.HOME}/redis-server.pid --unixsocket {peers.HOME}/redis.sock
checks:
  - ocf: ocf:heartbeat:redis
    parameters: {{rundir: {peers.HOME}, socket_name: redis.sock}}
    interval: 500ms
  - ocf: ocf:pacemaker:Dummy
    name: mark
    parameters: {{state: {peers.HOME}/mark}}
    interval: 300ms
    fall: 2
    on: log
  - exec: {peers.HOME}/check_it
    nagios: true
    interval: 300ms
    fall: 2
  - process: {{rss: {{soft: 60M, hard: 900M}}}}
    interval: 300ms
    fall: 2
"""
PLUGIN = f"""\
#!/bin/sh
code=0 text="OK - fine|load=1"
[ ! -e {peers.HOME}/verdict ] || read -r code text <{peers.HOME}/verdict
echo "$text"; exit "$code"
"""
WARNING = "1 WARNING - rather much|load=7"
CRITICAL = "2 CRITICAL - much too much|load=9"


@pytest.fixture
def site(lab: Lab, node: Node, certificates: Path) -> Iterator[tuple[Web, dict[str, Any]]]:
    """Run nginx with a page that has to be well, and a secure one that only degrades; monitored every second."""
    web = Web(node, certificates)
    config = peers.put(node, "site.yaml", SITE)
    with peers.running(lab, node, "site", f"config={config}", monitor="interval=1s") as row:
        yield web, row


def renew(node: Node, web: Web, certificate: str) -> None:
    """Give nginx another certificate while it runs."""
    web.present(certificate)
    node.run(["kill", "-HUP", str(peers.row(node, "site")["pid"])])


def degraded(lab: Lab, node: Node, name: str, words: str) -> None:
    """Wait until status says that a resource is degraded, and why."""
    lab.wait(lambda: words in peers.row(node, name)["degraded"], what=f"{name} to be degraded: {words}")


def well(lab: Lab, node: Node, name: str) -> None:
    """Wait until nothing is wrong with a resource."""
    lab.wait(lambda: peers.row(node, name)["degraded"] == "", what=f"{name} to be well again")


def test_a_redis_that_hangs_is_found_by_its_check_and_recovered(lab: Lab, node: Node) -> None:
    """Its process lives and the kernel still takes connections; only an answer tells."""
    config = peers.put(node, "cache.yaml", CACHE)
    with peers.running(lab, node, "cache", f"config={config}") as row, kills.witness(node) as one:
        before, hung = kills.injections(node), time.time()
        node.run(["kill", "-STOP", str(row["pid"])])
        one.told("down")
        silent = one.told("up") - hung
        after = peers.recovered(lab, node, "cache", row)
        told, said = peers.explain(node, "cache"), node.run(["tocsin", "status"]).stdout
        assert kills.injections(node) == before + 1
    cause = "check tcp:127.0.0.1:6379 failed 3 times: no answer within 1 s"
    found = told["incident"]["times"]["detected"] - hung
    print(f"\nredis, SIGSTOP: found after {found:.2f} s, answers again after {silent:.2f} s")
    assert after["pid"] != row["pid"]
    assert told["incident"]["cause"] == after["last_incident"]["cause"]
    assert told["incident"]["cause"].startswith(cause)  # and that it was stretched, where the machine is starved
    assert cause in said
    assert any("redis-server" in line and " T" in line for line in told["processes"])
    assert silent - found < 10


def test_a_redis_that_closes_its_port_is_found_by_one_word_of_pcs(lab: Lab, node: Node) -> None:
    """Looked at every 2 s, failed after three bad looks, as is the default."""
    words = [f"command={REDIS.format(port=6383)}", "user=redis", "check=tcp:127.0.0.1:6383"]
    with peers.running(lab, node, "shut", *words) as row:
        closed = time.time()
        node.run(["redis-cli", "-p", "6383", "config", "set", "port", "0"])
        after = peers.recovered(lab, node, "shut", row)
    times = after["last_incident"]["times"]
    print(f"\nredis, port closed: found after {times['detected'] - closed:.2f} s, 2 s x 3 by default")
    assert after["last_incident"]["cause"] == "check tcp:127.0.0.1:6383 failed 3 times: connection refused"
    assert times["detected"] - closed > 4


def test_a_web_server_that_answers_503_has_failed(lab: Lab, node: Node, site: tuple[Web, dict[str, Any]]) -> None:
    """A start that finds it sick waits for it."""
    web, row = site
    assert node.run(["curl", "-s", "http://127.0.0.1:8080/"]).stdout == "status: ok\n"
    web.be_sick()
    lab.wait(lambda: peers.row(node, "site")["incidents"], what="the failure")
    web.be_well()
    after = peers.recovered(lab, node, "site", row)
    times = after["last_incident"]["times"]
    print(f"\nnginx, 503: up again {(times['recovered'] - times['detected']) * 1000:.0f} ms after it was found")
    assert after["last_incident"]["cause"] == "check page failed 2 times: status 503, not 200-399"
    assert after["pid"] != row["pid"]


@pytest.mark.parametrize(
    ("certificate", "words"), [("expired", "its certificate has expired"), ("wrong", "its certificate is not for")]
)
def test_a_bad_certificate_degrades_and_moves_nothing(
    lab: Lab, node: Node, site: tuple[Web, dict[str, Any]], certificate: str, words: str
) -> None:
    """Pacemaker shows 190 with the cause; when all is well again, the monitor is plain."""
    web, row = site
    renew(node, web, certificate)
    degraded(lab, node, "site", words)
    shown = lab.wait(lambda: peers.failure(node, "site", "monitor"), what="crm_mon to show it")
    assert shown["exitcode"] == "190"
    assert words in shown["exitreason"]
    assert node.is_active("site")
    renew(node, web, "good")
    well(lab, node, "site")
    node.run(["crm_resource", "--cleanup", "--resource", "site"])  # till then Pacemaker shows the last one for ever
    now = lab.wait(lambda: peers.settled(node, "site"), what="the monitor after the clean-up")
    assert not peers.failure(node, "site", "monitor")
    assert (now["pid"], now["incidents"]) == (row["pid"], row["incidents"])


@pytest.mark.parametrize("peer", ["redis", "nginx"])
def test_a_daemon_that_forks_is_watched_by_its_pid_file(lab: Lab, node: Node, certificates: Path, peer: str) -> None:
    """Killed, it is recovered in a moment; stopped, nothing of it is left."""
    Web(node, certificates, daemon="on")
    pidfile = f"{peers.HOME}/redis.pid" if peer == "redis" else f"{peers.WEB}/nginx.pid"
    command = f"{REDIS.format(port=6381)} --daemonize yes --pidfile {pidfile}" if peer == "redis" else peers.NGINX
    with peers.running(lab, node, peer, f"command={command}", f"pidfile={pidfile}") as row:
        assert node.path(pidfile).read_text().strip() == str(row["pid"])
        killed = time.time()
        node.run(["kill", "-9", str(row["pid"])])
        after = peers.recovered(lab, node, peer, row)
    took = after["last_incident"]["times"]["recovered"] - killed
    print(f"\n{peer} by its pid file, kill -9: up again after {took * 1000:.0f} ms")
    assert "was killed by signal 9 (KILL)" in after["last_incident"]["cause"]
    assert took < 10
    assert node.run(["pgrep", "-a", peer], check=False).stdout == ""


def test_other_agents_plugins_and_limits_judge_a_service_too(lab: Lab, node: Node) -> None:
    """A monitor of somebody else's, a nagios plug-in, and the memory that redis takes."""
    node.path(f"{peers.HOME}/mark").touch()
    peers.put(node, "check_it", PLUGIN)
    config = peers.put(node, "mixed.yaml", MIXED)
    with peers.running(lab, node, "mixed", f"config={config}") as row:
        assert {check["state"] for check in row["checks"]} == {"well"}

        node.path(f"{peers.HOME}/mark").unlink()
        lab.wait(lambda: "check mark is failed: exit status 7" in node.run(["tocsin", "status"]).stdout, what="Dummy")
        assert peers.row(node, "mixed")["degraded"] == ""

        node.run(["redis-cli", "-p", "6382", "setrange", "big", "80000000", "x"])
        degraded(lab, node, "mixed", "check process:rss degraded 2 times")
        node.run(["redis-cli", "-p", "6382", "del", "big"])
        node.run(["redis-cli", "-p", "6382", "memory", "purge"])
        well(lab, node, "mixed")

        peers.put(node, "verdict", WARNING)
        degraded(lab, node, "mixed", "WARNING - rather much")
        asked = node.run(["crm_resource", "--force-check", "--resource", "mixed"], check=False)
        assert "WARNING - rather much" in asked.stdout + asked.stderr
        peers.put(node, "verdict", CRITICAL)
        lab.wait(lambda: peers.row(node, "mixed")["incidents"], what="the failure")
        node.path(f"{peers.HOME}/verdict").unlink()
        after = peers.recovered(lab, node, "mixed", row)
    assert "failed 2 times: exit status 2: CRITICAL - much too much" in after["last_incident"]["cause"]
