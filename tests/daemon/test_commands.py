"""`tocsin` and `tocsind` as commands: what they print, and with which status they end."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tocsin_daemon import __main__ as tocsind
from tocsin_daemon import cli
from tocsin_daemon.core.duration import duration
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Entry, Failure, Incident, Main, Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.store import Store

MARKS = {"detected": 1000.0, "decided": 1000.012, "reported": 1000.03, "acknowledged": 1000.05, "recovered": 1000.2}
RECORD = Record(
    "web",
    node="n1",
    phase=Phase.STOPPED,
    main=Main(1, 2, "boot"),
    incident=Incident("a", "main process 1 exited [red]3[/red]", Stage.ACKNOWLEDGED, marks=MARKS, output=("bye",)),
    incidents=2,
    journal=(Entry(900.0, "long ago"), Entry(1000.0, "main process ended: failed")),
)


@pytest.fixture
def state_dir(tmp_path: Path) -> str:
    """Return a state directory in which a daemon that has ended left one record."""
    store = Store(str(tmp_path / "run"), 9909)
    store.open()
    store.save(RECORD)
    os.close(store._lock)
    return str(tmp_path / "run")


def tocsin(state_dir: str, *words: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(cli.main, ["--state-dir", state_dir, *words])


def test_status_without_a_daemon_shows_what_it_left(state_dir: str) -> None:
    """A stopped resource needs no daemon."""
    result = tocsin(state_dir, "status")
    assert result.exit_code == 0
    assert "web" in result.output and "stopped" in result.output
    assert "exited [red]3[/red]; recovered after 200 ms" in result.output


def test_status_says_when_a_daemon_should_be_there_and_is_not(state_dir: str) -> None:
    """The state on disk is shown, and the exit status is 1."""
    store = Store(state_dir, 9909)
    store.save(replace(RECORD, phase=Phase.RUNNING))
    result = tocsin(state_dir, "status", "--json")
    assert result.exit_code == 1
    assert "no tocsind is running" in result.output
    assert json.loads(result.output[: result.output.rindex("]") + 1])[0]["phase"] == "running"


def test_nothing_is_no_error(tmp_path: Path) -> None:
    """Before the first start."""
    result = tocsin(str(tmp_path / "none"), "status")
    assert result.exit_code == 0
    assert "no resources" in result.output


def test_explain_tells_each_step_with_its_time(state_dir: str) -> None:
    """From detected to recovered, and the journal around it."""
    result = tocsin(state_dir, "explain", "web")
    assert result.exit_code == 0
    for said in ("+12 ms", "+30 ms", "+50 ms", "+200 ms", "bye", "main process ended: failed", "[red]3[/red]"):
        assert said in result.output
    assert "long ago" not in result.output
    assert json.loads(tocsin(state_dir, "explain", "--json", "web").output)["incident"]["times"] == MARKS


def test_explain_of_the_unknown_says_what_to_do(state_dir: str) -> None:
    """Exit status 1."""
    result = tocsin(state_dir, "explain", "db")
    assert result.exit_code == 1
    assert "no resource db" in result.output


def test_explain_without_an_incident_says_so(state_dir: str) -> None:
    """And shows the last of the journal."""
    Store(state_dir, 9909).save(replace(RECORD, incident=None))
    assert "no incident" in tocsin(state_dir, "explain", "web").output


def test_a_failed_start_is_shown(state_dir: str) -> None:
    """It is no incident, but the reason why the service is down."""
    Store(state_dir, 9909).save(replace(RECORD, incident=None, failure=Failure(5, "no such program")))
    assert "web: no such program" in tocsin(state_dir, "status").output
    assert "cause   no such program" in tocsin(state_dir, "explain", "web").output


def test_a_failed_start_after_an_incident_is_shown_too(state_dir: str) -> None:
    """The recovery has failed: both causes are news."""
    Store(state_dir, 9909).save(replace(RECORD, phase=Phase.FAILED, failure=Failure(1, "start: no such table")))
    said = tocsin(state_dir, "status").output
    assert "web: start: no such table" in said
    assert RECORD.incident is not None and RECORD.incident.cause in said


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.9, "59s"), (61, "1m 1s"), (3600, "1h"), (90061, "1d 1h"), (86400 * 400, "400d")],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    """As people say it."""
    assert duration(seconds) == text


def test_check_config_prints_every_fault_and_ends_with_78(tmp_path: Path) -> None:
    """EX_CONFIG, for scripts."""
    path = tmp_path / "web.yaml"
    path.write_text("usr: x\nstop_signal: FOO\n")
    result = CliRunner().invoke(tocsind.main, ["--check-config", str(path)])
    assert result.exit_code == 78
    assert len(result.output.splitlines()) == 3
    path.write_text("command: /bin/true\n")
    assert CliRunner().invoke(tocsind.main, ["--check-config", str(path)]).exit_code == 0
    assert CliRunner().invoke(tocsind.main, ["--check-config", str(tmp_path / "none")]).exit_code == 78


def checked(*words: str) -> Result:
    """Run `tocsin check`."""
    return CliRunner().invoke(cli.main, ["check", *words])


def test_check_needs_no_daemon_and_tells_each_file(tmp_path: Path) -> None:
    """0 and a line where all is well; 78 and every fault of every file where not."""
    good, bad, pipe = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "pipe"
    good.write_text("command: /bin/true\nchecks:\n- listen: 80\n")
    bad.write_text("command: /nonexistent/x\nusr: x\nchecks:\n- tcp: x\n")
    os.mkfifo(pipe)
    assert checked(str(good)).output == f"{good}: OK, driver process, /bin/true, 1 check\n"
    result = checked(str(bad), str(good), str(tmp_path / "none"), str(tmp_path), str(pipe))
    assert result.exit_code == 78
    lines = result.output.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        *(f"{bad}:2", f"{bad}:4", str(good), str(tmp_path / "none"), str(tmp_path), f"{pipe}:1")
    ]
    assert lines[3].endswith("cannot be read: no such file or directory")


def test_check_looks_at_this_machine_unless_asked_not_to(tmp_path: Path) -> None:
    """A file is written on a desk, too."""
    path = tmp_path / "web.yaml"
    path.write_text("user: no-such\ncommand: /bin/true\n")
    assert checked(str(path)).output == f"{path}:1: user: there is no user no-such on this node\n"
    assert checked("--anywhere", str(path)).exit_code == 0
    for words, status in ((["--here"], 78), ([], 0)):
        result = CliRunner().invoke(tocsind.main, ["--check-config", str(path), *words])
        assert result.exit_code == status and bool(result.output) == bool(status)


def test_check_without_a_file_is_a_slip() -> None:
    """It would else be silent, and 0."""
    assert checked().exit_code == 2
