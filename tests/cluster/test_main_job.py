"""The main job on a real Pacemaker: start, watch, fail, recover; and what must not happen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import kills
import peers
import pytest
from lab import Lab, Node

KILLS = 20
SAFE = 10.0
"""Seconds: a sixth of the monitor interval. What is quicker was reported, not polled; figures are the benchmark's."""
TREE = "/bin/sh -c '/bin/sleep 1001 & (setsid /bin/sleep 1002 &) ; exec /bin/sleep 1003'"


@pytest.fixture
def cache(lab: Lab, node: Node) -> Iterator[Node]:
    """Run Redis as a resource for one test."""
    with peers.running(lab, node, kills.NAME, f"command={kills.COMMAND}", "user=redis"):
        yield node


@pytest.fixture
def tree(lab: Lab, node: Node) -> Iterator[Node]:
    """Run a service with a child and a daemonised grandchild."""
    with peers.running(lab, node, "tree", f"command={TREE}"):
        yield node


def pids(node: Node, pattern: str) -> list[int]:
    """Return the processes of the node whose command line matches."""
    return [int(pid) for pid in node.run(["pgrep", "-f", pattern], check=False).stdout.split()]


def test_twenty_kills_are_twenty_recoveries_and_twenty_reports(lab: Lab, cache: Node) -> None:
    """Each by the daemon's own journal and by Pacemaker's log, each long before the next monitor."""
    before = kills.injections(cache)
    with kills.witness(cache) as one:
        done = [kills.kill_once(lab, cache, one) for _ in range(KILLS)]
    assert kills.status(cache)["incidents"] == KILLS
    assert kills.injections(cache) - before == KILLS
    assert max(kill.after("recovered") for kill in done) < SAFE * 1000
    assert kills.status(cache)["last_incident"]["report"] == "acknowledged"


def test_a_grandchild_that_does_not_matter_may_die(lab: Lab, tree: Node) -> None:
    """Nothing happens; when the main process dies, everything of it is ended and started anew."""
    before = kills.injections(tree, "tree")
    main = kills.status(tree, "tree")["pid"]
    tree.run(["kill", "-9", *map(str, pids(tree, "sleep 1001"))])
    lab.wait(lambda: not pids(tree, "sleep 1001"), what="the child to be reaped")
    tree.run(["crm_resource", "--wait"], timeout=60)
    assert kills.status(tree, "tree")["pid"] == main
    assert kills.injections(tree, "tree") == before

    tree.run(["kill", "-9", str(main)])
    lab.wait(lambda: kills.status(tree, "tree")["pid"] not in (None, main), what="the recovery")
    assert kills.injections(tree, "tree") == before + 1
    assert len(pids(tree, "^/bin/sleep 100[123]")) == 3


def test_a_stop_leaves_no_process_of_the_service(tree: Node) -> None:
    """Not even the one that left its session and its parent."""
    assert len(pids(tree, "^/bin/sleep 100[123]")) == 3
    tree.run(["pcs", "resource", "disable", "tree", "--wait=30"], timeout=60)
    assert pids(tree, "^/bin/sleep 100[123]") == []


def test_a_killed_daemon_touches_no_service_and_loses_no_failure(lab: Lab, cache: Node) -> None:
    """The next contact revives it; a service that died meanwhile is reported, once."""
    main = kills.status(cache)["pid"]
    before = kills.injections(cache)
    cache.run(["pkill", "-9", "-f", "/usr/bin/tocsind"])
    ask = ["crm_resource", "--force-check", "--resource", kills.NAME]
    assert cache.run(ask, timeout=60).returncode == 0
    assert kills.status(cache)["pid"] == main
    assert kills.injections(cache) == before

    cache.run(["pkill", "-9", "-f", "/usr/bin/tocsind"])
    cache.run(["kill", "-9", str(main)])
    cache.run(ask, check=False, timeout=60)
    lab.wait(lambda: kills.status(cache)["pid"] not in (None, main), what="the recovery")
    assert kills.injections(cache) == before + 1


def test_in_maintenance_nothing_is_injected_until_it_ends(lab: Lab, cache: Node) -> None:
    """Then, if the service still is down, it is."""
    before = kills.injections(cache)
    cache.run(["pcs", "property", "set", "maintenance-mode=true"], timeout=60)
    main = kills.status(cache)["pid"]
    cache.run(["kill", "-9", str(main)])
    lab.wait(lambda: kills.status(cache)["last_incident"]["report"] == "held", what="the report to be held")
    assert "maintenance" in kills.status(cache)["last_incident"]["why"]
    assert kills.injections(cache) == before
    cache.run(["pcs", "property", "set", "maintenance-mode=false"], timeout=60)
    lab.wait(lambda: kills.status(cache)["pid"] not in (None, main), timeout=60, what="the recovery")
    assert kills.injections(cache) <= before + 1


def test_a_squatter_on_the_port_fails_the_start_by_name_and_never_looks_running(lab: Lab, node: Node) -> None:
    """Any local user can take a port; the agent does not believe whoever sits there."""
    listen = "import socket,time; s=socket.create_server(('127.0.0.1', 9911)); time.sleep(600)"
    squatter = node.popen(["/usr/bin/python3", "-c", listen], user="nobody")
    try:
        lab.wait(lambda: "9911" in node.run(["ss", "-ltn"]).stdout, what="the squatter to listen")
        peers.create(node, "squat", "command=/bin/sleep 1004", "port=9911")
        reason = lab.wait(lambda: peers.failure(node, "squat", "start"), what="the start to fail")["exitreason"]
        assert "9911" in reason and "nobody" in reason
        assert not node.is_active("squat")
        assert pids(node, "sleep 1004") == []
    finally:
        squatter.kill()
        squatter.communicate()
        peers.remove(lab, node, "squat")


def test_an_unprivileged_user_gets_nothing(cache: Node) -> None:
    """Neither through the port nor from the files."""
    say = f"import socket; s=socket.create_connection(('127.0.0.1', 9909), 5); s.sendall(b'tocsin/1 x STOP {kills.NAME}\\n'); print(s.recv(99))"  # noqa: E501
    assert cache.run(["/usr/bin/python3", "-c", say], user="nobody", check=False).stdout.strip() in ("b''", "")
    assert cache.run(["cat", "/run/tocsin/9909/secret"], user="nobody", check=False).returncode
    assert cache.run(["tocsin", "status"], user="nobody", check=False).returncode == 4
    assert kills.status(cache)["phase"] == "running"


CROWD = """
import socket, sys
crowd = [socket.create_connection(("127.0.0.1", 9909)) for _ in range(200)]
print("ready", flush=True)
sys.stdin.read()
"""


def test_two_hundred_idle_connections_of_a_stranger_do_not_keep_root_out(cache: Node) -> None:
    """The figures are the benchmark's; here it is that every monitor is answered."""
    crowd = cache.popen(["/usr/bin/python3", "-c", CROWD], user="nobody", stdin=-1, stdout=-1)
    try:
        assert crowd.stdout is not None and crowd.stdout.readline() == "ready\n"
        for _ in range(10):
            cache.run(["crm_resource", "--force-check", "--resource", kills.NAME], timeout=60)
    finally:
        crowd.kill()
        crowd.communicate()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/no/such/program", "/no/such/program"),
        ("/bin/sh -c 'echo port in use; exit 3'", "exited with status 3: port in use"),
    ],
)
def test_a_start_that_cannot_be_says_why_in_crm_mon(lab: Lab, node: Node, command: str, words: str) -> None:
    """A program that is missing, and one that ends at once, with its last words."""
    peers.create(node, "gone", f"command={command}")
    try:
        assert words in lab.wait(lambda: peers.failure(node, "gone", "start"), what="the failure")["exitreason"]
    finally:
        peers.remove(lab, node, "gone")


NGINX = """
daemon off; worker_processes 2; error_log stderr; pid /run/www.pid;
events {} http { access_log off; server { listen 127.0.0.1:8080; } }
"""


def test_nginx_with_workers_is_one_service(lab: Lab, node: Node, tmp_path: Path) -> None:
    """A worker that dies is nginx's business; when the master dies, its workers must not keep the port."""
    (tmp_path / "nginx.conf").write_text(NGINX)
    words = [f"command=/usr/sbin/nginx -c {tmp_path}/nginx.conf", "stop_signal=QUIT"]
    with peers.running(lab, node, "www", *words) as row:
        main, workers = row["pid"], pids(node, "nginx: worker")
        node.run(["kill", "-9", str(workers[0])])
        lab.wait(lambda: len(set(pids(node, "nginx: worker")) - {workers[0]}) == 2, what="a new worker")
        assert kills.status(node, "www")["pid"] == main
        node.run(["kill", "-9", str(main)])
        lab.wait(lambda: kills.status(node, "www")["pid"] not in (None, main), what="the recovery")
        assert not set(workers) & set(pids(node, "nginx"))
        assert kills.injections(node, "www") == 1


def test_pcs_accepts_asyncmon_with_its_own_on_fail(lab: Lab, node: Node) -> None:
    """And Pacemaker follows it: with on-fail=block a killed service stays down, and its failure is recorded once."""
    words = ["command=/bin/sleep 1006", "op asyncmon interval=0 on-fail=block"]
    with peers.running(lab, node, "blocked", *words) as row:
        node.run(["kill", "-9", str(row["pid"])])
        lab.wait(lambda: kills.status(node, "blocked")["last_incident"]["report"] == "acknowledged", what="the report")
        resource = node.crm_mon().find("resources/resource[@id='blocked']")
        assert resource is not None and resource.get("blocked") == "true"
        assert kills.injections(node, "blocked") == 1
        assert peers.explain(node, "blocked")["incident"]["injections"] == 1
        node.run(["crm_resource", "--cleanup", "--resource", "blocked"], timeout=60)
        lab.wait(lambda: peers.settled(node, "blocked"), timeout=45, what="the recovery that the cleanup allows")
