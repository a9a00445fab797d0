"""`tocsind` as a program: how it begins and ends, and what becomes of its services."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.real_tocsind import START, Running, running
from tocsin_ocf.client import NoDaemon
from tocsin_ocf.rundir import Rundir


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Running]:
    """Run one for a test."""
    with running(tmp_path) as one:
        yield one


def test_a_daemon_says_that_it_listens_and_does_its_job(daemon: Running) -> None:
    """The one test over a real socket."""
    assert daemon.said == "READY=1"
    assert daemon.ask("MONITOR") == (7, "")
    assert daemon.ask("START", START) == (0, "")
    assert daemon.ask("MONITOR") == (0, "")
    assert json.loads(daemon.ask("STATUS")[1])[0]["phase"] == "running"
    assert daemon.ask("STOP", '{"timeout":10000}') == (0, "")
    assert "listens" in daemon.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_end_of_the_daemon_touches_no_service(daemon: Running, number: int) -> None:
    """The next one takes it over: the same process, nothing reported."""
    daemon.ask("START", START)
    before = json.loads(daemon.ask("STATUS")[1])[0]
    daemon.process.send_signal(number)
    daemon.process.wait(10)
    daemon.process = daemon.start()
    after = json.loads(daemon.ask("STATUS")[1])[0]
    assert (after["pid"], after["incarnation"], after["phase"]) == (before["pid"], before["incarnation"], "running")
    assert after["incidents"] == 0


def test_a_death_without_a_daemon_is_an_incident_of_the_next(daemon: Running) -> None:
    """Nothing is lost."""
    daemon.ask("START", START)
    pid = json.loads(daemon.ask("STATUS")[1])[0]["pid"]
    daemon.process.kill()
    daemon.process.wait(10)
    os.kill(pid, signal.SIGKILL)
    daemon.process = daemon.start()
    assert daemon.ask("MONITOR")[0] == 7
    assert json.loads(daemon.ask("STATUS")[1])[0]["incidents"] == 1


def test_a_second_daemon_ends_with_75_and_says_why(daemon: Running) -> None:
    """EX_TEMPFAIL: the agent goes on and connects to the first."""
    assert daemon.start().wait(10) == 75
    assert "another tocsind" in daemon.said


def test_a_taken_port_ends_the_daemon_with_69_and_leaves_no_secret(daemon: Running, tmp_path: Path) -> None:
    """EX_UNAVAILABLE."""
    other = str(tmp_path / "other")
    assert daemon.start("--state-dir", other).wait(10) == 69
    assert "cannot listen" in daemon.said
    assert Rundir(other, daemon.port).secrets() is None


def test_a_daemon_that_ends_leaves_nobody_to_ask(daemon: Running) -> None:
    """Its secrets go with it."""
    daemon.process.terminate()
    daemon.process.wait(10)
    begun = time.monotonic()
    with pytest.raises(NoDaemon):
        daemon.ask("MONITOR")
    assert time.monotonic() - begun < 1
