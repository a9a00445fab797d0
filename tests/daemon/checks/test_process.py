"""The check `process`: limits against real processes, and time by a clock of the test's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

pytest.importorskip("psutil", reason="needs python3-psutil")

from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.checks.process import ProcessLimits
from tocsin_daemon.core.check import Outcome, Result, Spec
from tocsin_ocf.processes import Process, look

VFORK = """
import ctypes, time
libc = ctypes.PyDLL(None)
if libc.syscall(56, 0x4000 | 17, 0, 0, 0, 0) == 0:  # clone(CLONE_VFORK | SIGCHLD): the parent waits, uninterruptibly
    print("there", flush=True)
    time.sleep(60)
"""


class Watched:
    """A check, its service and its clock."""

    def __init__(self, limits: object, *pids: int) -> None:
        """Watch these processes."""
        self.clock = Clock()
        self.members = [process for process in map(look, pids) if process]
        outside = Outside(
            reactor=self.clock, resource="web", run=lambda program: Deferred(), lately=lambda: self.members
        )
        self._check = ProcessLimits(Spec("process", limits, "process"), outside)

    def look(self, after: float = 0.0) -> Outcome:
        """Return what a look finds."""
        self.clock.advance(after)
        found: list[Outcome] = []
        self._check.run().addCallback(found.append)
        return found[0]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that does nothing, once the dynamic linker has closed what it opens."""
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        deadline = time.monotonic() + 5
        while "nanosleep" not in Path(f"/proc/{process.pid}/wchan").read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        yield process
        process.kill()


def test_within_the_limits_is_well(sleeper: subprocess.Popen[bytes]) -> None:
    """All of them at once."""
    limits = {"rss": "2G", "cpu": 400, "open_files": 10000, "threads": 1000, "children": 5, "stuck": "10s"}
    watched = Watched(limits, os.getpid(), sleeper.pid)
    assert watched.look() == Outcome(Result.WELL, "2 processes within their limits")
    assert watched.look(5).result is Result.WELL


def test_a_hard_limit_is_bad_a_soft_one_soft_and_the_largest_is_named(sleeper: subprocess.Popen[bytes]) -> None:
    """The hard one comes first, and everything that exceeds is said."""
    mine = look(os.getpid())
    assert mine
    outcome = Watched({"rss": {"soft": "1M", "hard": "1T"}}, mine.pid, sleeper.pid).look()
    assert outcome.result is Result.SOFT
    assert "soft limit 1.0 MiB" in outcome.text and f"most has {mine.name}[{mine.pid}]" in outcome.text
    limits = {"rss": {"soft": "1M"}, "open_files": 2, "threads": {"soft": 0}}
    outcome = Watched(limits, sleeper.pid).look()
    assert outcome.result is Result.BAD
    assert outcome.text.startswith(f"3 open files in sleep[{sleeper.pid}], limit 2. ")
    assert f"1 threads in sleep[{sleeper.pid}], soft limit 0" in outcome.text


def test_children_are_the_processes_beside_the_first(sleeper: subprocess.Popen[bytes]) -> None:
    """One is allowed."""
    assert Watched({"children": 1}, os.getpid(), sleeper.pid).look().result is Result.WELL
    assert Watched({"children": 0}, os.getpid(), sleeper.pid).look() == Outcome(Result.BAD, "1 children, limit 0")


def test_cpu_is_what_was_used_between_two_looks() -> None:
    """Of the first look nothing is known; the clock of the test makes a tenth of a second one."""
    watched = Watched({"cpu": {"soft": 0, "hard": 1000}}, os.getpid())
    assert watched.look().result is Result.WELL
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    outcome = watched.look(1)
    assert outcome.result is Result.SOFT
    assert int(outcome.text.split()[0]) in range(5, 40)


def test_a_process_that_is_new_brings_nothing_from_before() -> None:
    """It may be old, and have used hours of processor time elsewhere."""
    watched = Watched({"cpu": 1}, os.getpid())
    members, watched.members = watched.members, []
    assert watched.look().result is Result.WELL
    watched.members = members
    assert watched.look(0.001).result is Result.WELL


def test_a_process_that_ends_meanwhile_is_no_error(sleeper: subprocess.Popen[bytes]) -> None:
    """Nor is a stranger who has its pid by now."""
    watched = Watched({"rss": 1, "open_files": 1, "stuck": 1}, sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert watched.look().result is Result.WELL
    mine = look(os.getpid())
    assert mine
    watched.members = [Process(mine.pid, mine.name, "S", mine.parent, mine.session, mine.start + 1)]
    assert watched.look().result is Result.WELL


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="a system call by its number")
def test_a_process_in_uninterruptible_sleep_is_stuck() -> None:
    """For how long is told from look to look; one that runs in between is not."""
    words = [sys.executable, "-c", VFORK]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None and process.stdout.readline()
        watched = Watched({"stuck": {"soft": 5, "hard": 20}}, process.pid, os.getpid())
        assert watched.look().result is Result.WELL
        assert watched.look(4).result is Result.WELL
        outcome = watched.look(6)
        assert outcome.result is Result.SOFT
        assert outcome.text.endswith(f"[{process.pid}] has been in uninterruptible sleep for 10 s, soft limit 5")
        assert watched.look(15).result is Result.BAD
        os.killpg(process.pid, signal.SIGKILL)
    assert watched.look(1).result is Result.WELL
