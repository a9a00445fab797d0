"""What holds for every command of `tocsin`: who may, what is documented, older daemons; and a real daemon asked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.daemon.admin.node import WEB, Node, history
from tests.fakes.daemon import says
from tests.fakes.real_tocsind import ENVIRONMENT, START, TOCSIN, Running, running
from tests.requirements import require_root
from tocsin_daemon import cli
from tocsin_daemon.view import OLDER_ROW, OLDER_TIMELINE, as_json, timeline_json


def test_what_a_daemon_of_an_earlier_version_does_not_know_is_left_out(node: Node, asked: Any) -> None:  # noqa: ANN401
    """It still runs after an upgrade, and says less."""
    row, timeline = as_json(history(1), 0.0), timeline_json(history(1))
    for new in OLDER_ROW:
        del row[new]
    daemon = asked(0, json.dumps([row]))
    assert "cause 1" in node("status").output
    for new in OLDER_TIMELINE:
        del timeline[new]
    daemon.answer = says(0, json.dumps(timeline))
    assert "cause 1" in node("explain", "web").output


COMMANDS = [
    ["status"],
    ["explain", "web"],
    ["events"],
    ["pause", "web", "-m", "x"],
    ["resume", "web"],
    ["fail", "web", "-m", "x"],
]


def refused(state_dir: Path, *words: str, before: str = "pass") -> str:
    """Return what `tocsin` tells a user who is not root; `before` is run first."""
    drop = f"import os; from tocsin_daemon.cli import main; {before}; os.setgroups([]); os.setgid(65534)"
    argv = [sys.executable, "-c", f"{drop}; os.setuid(65534); main()", "--state-dir", str(state_dir), *words]
    done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    return done.stderr


@pytest.fixture
def visible() -> Iterator[Path]:
    """Return a directory that every user may enter."""
    require_root()
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("words", [*COMMANDS, ["log", "web"], ["log"], ["doctor"]], ids=" ".join)
def test_another_user_is_refused(visible: Path, words: list[str]) -> None:
    """4, and what to do; not a traceback."""
    node = Node(visible)
    node.leave(WEB)
    said = refused(node.state_dir, *words)
    assert "for root alone" in said and "Traceback" not in said


def test_another_user_is_refused_the_log_of_daemons_that_left_no_state(visible: Path) -> None:
    """As after a reboot."""
    (visible / "log").mkdir(0o750)
    before = f"from tocsin_daemon.admin import log; log.STATE_DIR = '{visible}/none'"
    said = refused(visible / "none", "log", "--log-dir", str(visible / "log"), before=before)
    assert f"{visible}/log is for root alone" in said


@pytest.mark.parametrize(
    "command", ["status", "explain", "events", "log", "doctor", "pause", "resume", "fail", "check"]
)
def test_every_command_documents_its_exit_status(command: str) -> None:
    """The manual is made of these texts."""
    result = CliRunner().invoke(cli.main, [command, "--help"])
    assert result.exit_code == 0 and "Exit status: 0 " in result.output
    assert command in CliRunner().invoke(cli.main, ["--help"]).output


# With a real daemon


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Running]:
    """Run one with `web` in it."""
    with running(tmp_path) as one:
        one.ask("START", START)
        yield one


def tocsin(daemon: Running, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `tocsin` as a program."""
    argv = [*TOCSIN, "--state-dir", daemon.state_dir, "--pacemaker-bin", "/nonexistent", *words]
    return subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)


def test_a_pause_a_drill_and_the_end_of_both(real: Running) -> None:
    """By the commands, over the wire, in the record; and the next daemon knows."""
    assert tocsin(real, "pause", "web", "-m", "new disk", "--for", "10min").returncode == 0
    drill = tocsin(real, "fail", "web", "-m", "exercise", "--wait", "1s")
    assert drill.returncode == 1 and "drill asked by root: exercise" in drill.stdout
    assert "held: paused by root: new disk" in drill.stdout and "not over after 1s" in drill.stdout
    real.process.kill()
    real.process.wait(10)
    real.process = real.start()
    (row,) = json.loads(tocsin(real, "status", "--json").stdout)
    assert (row["phase"], row["paused"]["reason"], row["last_incident"]["drill"]) == ("failed", "new disk", True)
    assert "reported again" in tocsin(real, "resume", "web").stdout
    assert json.loads(tocsin(real, "status", "--json").stdout)[0]["last_incident"]["report"] != "held"
    said = tocsin(real, "events", "web").stdout
    for text in ("paused until", "a drill is held: failed", "the pause was ended by root"):
        assert text in said
    assert "web | " not in tocsin(real, "log", "web").stdout  # sleep says nothing
    assert "web: the pause was ended by root" in tocsin(real, "log", "web").stdout


def test_events_are_followed_beyond_the_end_of_the_daemon(real: Running) -> None:
    """Each line once, whoever runs."""
    argv = [*TOCSIN, "--state-dir", real.state_dir, "events", "-f", "-n", "0"]
    following = subprocess.Popen(argv, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    try:
        assert following.stdout is not None
        time.sleep(1.5)  # until it follows: what was before is not printed
        tocsin(real, "pause", "web", "-m", "one")
        assert "by root: one" in following.stdout.readline()
        real.process.kill()
        real.process.wait(10)
        real.process = real.start()
        tocsin(real, "pause", "web", "-m", "two")
        lines = []
        while not lines or "by root: two" not in lines[-1]:
            lines.append(following.stdout.readline())
        assert not any("by root: one" in line for line in lines)
        following.send_signal(signal.SIGINT)
        assert following.wait(10) == 0
    finally:
        following.kill()
        following.communicate()
