"""Two hundred SIGKILLs of the daemon under a running Redis: its client notices none of them, and no death is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import kills
import pytest
from chaos_log import Event, PacemakerLog
from lab import Lab, Node

HERE = Path(__file__).parent
KILLS = 200
DEATHS = 15
AGENT = "/usr/lib/ocf/resource.d/tocsin/service"
BOUND = 10.0
"""Seconds from the death of both to the report, where a contact comes at once; the median is far below."""
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "OCF_ROOT": "/usr/lib/ocf",
    "OCF_RESOURCE_INSTANCE": kills.NAME,
    "OCF_RESKEY_command": kills.COMMAND,
    "OCF_RESKEY_user": "redis",
    "OCF_RESKEY_CRM_meta_timeout": "20000",
    "OCF_RESKEY_CRM_meta_on_node": "n1",
}
Tell = Callable[[str], dict[str, Any]]


@pytest.fixture
def cache(node: Node) -> Iterator[Node]:
    """Run Redis as a resource."""
    node.run([*kills.CREATE, *kills.MONITOR, "--wait=30"], timeout=60)
    yield node
    node.run(["pcs", "resource", "delete", "--force", kills.NAME], timeout=60, check=False)


@contextmanager
def script(node: Node, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run one of our scripts in the node."""
    argv = ["/usr/bin/python3", "-I", "-B", str(HERE / words[0]), *words[1:]]
    process = node.popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def killer(node: Node) -> Iterator[Tell]:
    """Run the killer; it is told what to kill, and answers when all is over."""
    with script(node, "daemon_killer.py", AGENT) as process:
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def tell(line: str) -> dict[str, Any]:
            stdin.write(f"{line}\n")
            stdin.flush()
            told: dict[str, Any] = json.loads(stdout.readline())
            return told

        stdin.write(f"{json.dumps(ENVIRONMENT)}\n")
        yield tell


def figures(name: str, seconds: list[float]) -> str:
    """Return median and maximum, for people."""
    return f"{name} p50 {median(seconds) * 1000:.0f} ms, max {max(seconds) * 1000:.0f} ms"


def test_two_hundred_dead_daemons_and_not_one_missing_write(capsys: pytest.CaptureFixture[str], cache: Node) -> None:
    """One connection, every write read back; the daemon is revived by the next contact, and Redis is not touched."""
    before, injections = kills.status(cache)["pid"], kills.injections(cache)
    with script(cache, "redis_writer.py", str(kills.PORT)) as writer, killer(cache) as tell:
        assert writer.stdout is not None and writer.stdout.readline() == "up\n"
        rounds = [tell("daemon") for _ in range(KILLS)]
        told = json.loads(writer.communicate("", timeout=60)[0].splitlines()[-1])
    revived = figures("kill to revived", [r["revived"] - r["killed"] for r in rounds])
    with capsys.disabled():
        print(f"\n{KILLS} SIGKILLs of tocsind: {told['writes']} writes, longest {told['longest']:.0f} ms; {revived}")
    assert told["fault"] == ""
    assert {r["code"] for r in rounds} == {0}
    assert kills.status(cache)["pid"] == before
    assert kills.injections(cache) == injections


def test_a_death_right_after_the_daemons_is_reported(capsys: pytest.CaptureFixture[str], lab: Lab, cache: Node) -> None:
    """At the next contact, once; the figure is from the death to the line in Pacemaker's own log."""
    log, delays = PacemakerLog(cache.pacemaker_log), []
    with killer(cache) as tell:
        for _ in range(DEATHS):
            pid = kills.status(cache)["pid"]
            told = tell(f"both {pid}")
            reports: list[Event] = []
            lab.wait(partial(look, log, reports), what="the report")
            lab.wait(partial(recovered, cache, pid), what="the recovery")
            assert look(log, reports) == 1
            delays.append(max(0.0, reports[0].at - told["killed"]))
    with capsys.disabled():
        print(f"\n{DEATHS} deaths right after the daemon's: {figures('death to report', delays)}", file=sys.stderr)
    assert median(delays) < 1.0
    assert max(delays) < BOUND


def look(log: PacemakerLog, reports: list[Event]) -> int:
    """Add the new reports, injections and monitors that failed, and return how many there are."""
    reports += [e for e in log.news() if e.what == "asyncmon" or (e.what == "monitor" and e.number)]
    return len(reports)


def recovered(node: Node, old: int) -> bool:
    """Tell whether it runs again, and Pacemaker is done."""
    row = kills.status(node)
    return row["pid"] not in (None, old) and row["phase"] == "running" and kills.has_monitor(node, row)
