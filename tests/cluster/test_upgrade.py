"""The Debian package on a real cluster: dpkg installs, upgrades and removes it under a service that must not notice."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import kills
import packages
import pytest
from lab import Lab, Node

from tests.requirements import require_program

HERE = Path(__file__).parent
LOG = "/var/log/tocsin/tocsind-9909.log"
ROUNDS = 5
TOOK_OVER = "tocsind on port 9909: the new one has taken over; no service was touched"
KILL_IN_THE_GAP = """
import os, select, signal, sys
daemon, service = map(int, sys.argv[1:])
select.select([os.pidfd_open(daemon)], [], [])
os.kill(service, signal.SIGKILL)
"""
KILL_AFTER = """
import os, signal, sys, time
time.sleep(float(sys.argv[1]))
os.kill(int(sys.argv[2]), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def lab_overlay() -> None:
    """Have nothing of Tocsin there."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the package, and its next version."""
    for program in ("dh", "dh_python3", "dpkg-buildpackage"):
        require_program(program)
    scratch = tmp_path_factory.mktemp("packages")
    return packages.build(scratch), packages.build(scratch, packages.NEXT)


@pytest.fixture(scope="module")
def before(lab: Lab) -> set[str]:
    """Tell what was there before anything was installed."""
    packages.open_usr(lab.nodes[0])
    return packages.files(lab.nodes[0])


@pytest.fixture
def cache(before: set[str], built: tuple[Path, Path], node: Node) -> Iterator[Node]:
    """Install the package, and run Redis as a resource."""
    if not node.path("/usr/bin/tocsind").exists():
        packages.dpkg(node, "--install", built[0])
    node.run([*kills.CREATE, *kills.MONITOR, "--wait=30"], timeout=60)
    yield node
    node.run(["pcs", "property", "set", "maintenance-mode=false"], timeout=60)
    node.run(["pcs", "resource", "delete", "--force", kills.NAME], timeout=60, check=False)
    node.run(["crm_resource", "--wait"], timeout=60)


def daemon(node: Node) -> str:
    """Return the pid of the daemon."""
    return node.run(["cat", "/run/tocsin/9909/lock"]).stdout.strip()


def listens(node: Node, version: str) -> int:
    """Count the starts of a version of the daemon."""
    return node.run(["cat", LOG]).stdout.count(f"tocsind {version} listens")


def test_an_upgrade_replaces_the_daemon_and_touches_no_service(built: tuple[Path, Path], cache: Node) -> None:
    """Redis goes on under its one connection, at every moment of it; and back again: every direction is an upgrade."""
    service, injections, old = kills.status(cache)["pid"], kills.injections(cache), daemon(cache)
    writer = [*("/usr/bin/python3", "-I", "-B"), HERE / "redis_writer.py", str(kills.PORT)]
    with cache.popen(writer, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        assert TOOK_OVER in packages.dpkg(cache, "--install", built[1])
        assert daemon(cache) != old and listens(cache, packages.NEXT) == 1
        assert TOOK_OVER in packages.dpkg(cache, "--install", built[0])
        told = json.loads(process.communicate("", timeout=60)[0].splitlines()[-1])
    assert told["fault"] == "" and told["writes"] > 0
    assert (kills.status(cache)["pid"], kills.injections(cache)) == (service, injections)


def test_a_failure_between_the_two_daemons_is_told_once(lab: Lab, built: tuple[Path, Path], cache: Node) -> None:
    """Redis is killed the moment that the old daemon has ended, when nobody watches."""
    for number in range(2):
        service, injections = kills.status(cache)["pid"], kills.injections(cache)
        with cache.popen(["/usr/bin/python3", "-c", KILL_IN_THE_GAP, daemon(cache), str(service)]) as killing:
            said = packages.dpkg(cache, "--install", built[1 - number])
            assert killing.wait(60) == 0
        assert TOOK_OVER in said
        recovered_once(lab, cache, service, injections)


def test_a_failure_at_any_moment_of_an_upgrade_is_told_once(lab: Lab, built: tuple[Path, Path], cache: Node) -> None:
    """Before, while the files are replaced, while modules are compiled, after."""
    for number in range(ROUNDS):
        service, injections = kills.status(cache)["pid"], kills.injections(cache)
        with cache.popen(["/usr/bin/python3", "-c", KILL_AFTER, str(number * 0.4), str(service)]) as killing:
            packages.dpkg(cache, "--install", built[1 - number % 2])
            assert killing.wait(60) == 0
        recovered_once(lab, cache, service, injections)


def recovered_once(lab: Lab, node: Node, service: int, injections: int) -> None:
    """Wait until Redis runs again and Pacemaker is done; it was told of the failure, once."""
    lab.wait(lambda: kills.status(node)["pid"] not in (None, service), what="the recovery")
    lab.wait(lambda: kills.has_monitor(node, kills.status(node)), what="the recurring monitor")
    assert kills.injections(node) == injections + 1


def test_an_upgrade_that_stops_halfway_leaves_all_at_work(lab: Lab, built: tuple[Path, Path], cache: Node) -> None:
    """Unpacked, but not configured: the old daemon goes on, and so does one that starts from the new files."""
    service, injections, old = kills.status(cache)["pid"], kills.injections(cache), daemon(cache)
    packages.dpkg(cache, "--unpack", built[1])
    assert daemon(cache) == old
    cache.run(["kill", "-9", str(service)])
    recovered_once(lab, cache, service, injections)
    service = kills.status(cache)["pid"]
    cache.run(["kill", "-9", old])
    cache.run(["crm_resource", "--force-check", "--resource", kills.NAME], timeout=60)
    assert listens(cache, packages.NEXT) >= 1
    assert TOOK_OVER in packages.dpkg(cache, "--configure", "tocsin")
    assert (kills.status(cache)["pid"], kills.injections(cache)) == (service, injections + 1)


def test_a_removal_leaves_the_service_running_and_says_what_to_do(built: tuple[Path, Path], cache: Node) -> None:
    """And whoever installs again has it as it was."""
    cache.run(["pcs", "property", "set", "maintenance-mode=true"], timeout=60)
    service, injections = kills.status(cache)["pid"], kills.injections(cache)
    said = packages.dpkg(cache, "--remove", "tocsin")
    assert f"run on: {kills.NAME}." in said and "install tocsin again" in said
    assert cache.run(["pgrep", "-f", "/usr/bin/tocsind"], check=False).stdout == ""
    assert cache.run(["kill", "-0", str(service)]).returncode == 0
    packages.dpkg(cache, "--install", built[0])
    cache.run(["crm_resource", "--force-check", "--resource", kills.NAME], timeout=60)
    assert (kills.status(cache)["pid"], kills.injections(cache)) == (service, injections)
    cache.run(["pcs", "property", "set", "maintenance-mode=false"], timeout=60)


def test_a_purge_leaves_no_file(before: set[str], cache: Node) -> None:
    """Once the resources are deleted, as the manual says."""
    cache.run(["pcs", "resource", "delete", "--force", kills.NAME], timeout=60)
    cache.run(["crm_resource", "--wait"], timeout=60)
    said = packages.dpkg(cache, "--purge", "tocsin")
    assert "run on" not in said
    own = {"/var/log/tocsin"}  # the lab's own mount
    assert {path for path in packages.files(cache) - before if "tocsin" in path} - own == set()
