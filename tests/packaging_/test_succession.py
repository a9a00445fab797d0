"""What a package does about the daemons that run; on a real cluster it is tests/cluster/test_upgrade.py that tells."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import succession
from succession import Daemon

PYTHON = ["/usr/bin/python3", "-I", "/usr/bin/tocsind"]
LOG = ["--log-file", "/var/log/tocsin/tocsind-9909.log"]


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        ([*PYTHON, "--port", "9909", *LOG], Daemon(7, 9909, "/run/tocsin", True, ())),
        (
            [*PYTHON, "--port", "99", "--state-dir", "/run/x", *LOG, "--linger", "5"],
            Daemon(7, 99, "/run/x", True, ("--linger", "5")),
        ),
        ([*PYTHON, *LOG, "--log-file", "/x y"], Daemon(7, 9909, "/run/tocsin", True, ("--log-file", "/x y"))),
        ([*PYTHON, "--port=99", "--dry-run"], Daemon(7, 99, "/run/tocsin", False, ("--dry-run",))),
        ([*PYTHON, "--port", "x"], None),
        (["/usr/bin/python3", "/usr/bin/tocsin", "status"], None),
        (["vi", "a", "b", "/usr/bin/tocsind"], None),
        ([], None),
    ],
)
def test_a_command_line_tells_which_daemon_it_is(argv: "list[str]", found: "Daemon | None") -> None:
    """And what the administrator has added, which its successor gets, too."""
    assert succession.parse(7, argv) == found


def record(state_dir: Path, resource: str, text: str) -> None:
    """Write a record as a daemon leaves it."""
    place = state_dir / "9909/resources"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{resource}.json").write_text(text)


def test_what_runs_is_what_is_not_known_to_have_stopped(tmp_path: Path) -> None:
    """A record that cannot be read may be that of something that runs; a directory may have any name."""
    state_dir = tmp_path / "a[b]*"
    assert succession.services({str(state_dir)}) == []
    for resource, phase in (("web", "running"), ("idle", "stopped"), ("bad", "failed")):
        record(state_dir, resource, json.dumps({"resource": resource, "phase": phase}))
    record(state_dir, "torn", '{"resource": "to')
    record(state_dir, "odd", "[]")
    assert succession.services({str(state_dir)}) == ["bad", "odd", "torn", "web"]


def test_a_removal_names_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And is silent where nothing does."""
    monkeypatch.setattr(succession, "STATE_DIR", str(tmp_path))
    monkeypatch.setattr(succession, "running", list)
    assert succession.main("remains") == 0 and capsys.readouterr().err == ""
    record(tmp_path, "web", '{"resource": "web", "phase": "running"}')
    assert succession.main("remains") == 0
    assert "run on: web." in capsys.readouterr().err


def test_a_daemon_that_was_started_by_hand_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be in the foreground of a terminal."""
    monkeypatch.setattr(succession, "end", lambda pid: pytest.fail("ended"))
    assert "by hand" in succession.replace(Daemon(os.getpid(), 9909, "/run/tocsin", False, ()))


def test_a_daemon_that_has_ended_meanwhile_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing that happens here makes the installation of a package fail."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    monkeypatch.setattr(succession, "running", lambda: [Daemon(child.pid, 9909, "/run/tocsin", True, ())])
    assert succession.main("restart") == 0
    assert "No such file" in capsys.readouterr().out
    assert succession.end(child.pid)


def test_only_the_holder_of_its_own_lock_is_a_daemon() -> None:
    """A process that merely has the arguments of one is none."""
    code = "import time; print(1, flush=True); time.sleep(60)"
    argv = ["/usr/bin/tocsind", "-c", code, "--port", "1"]
    with subprocess.Popen(argv, executable=sys.executable, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None and child.stdout.readline()
            assert child.pid not in {daemon.pid for daemon in succession.running()}
        finally:
            child.kill()
