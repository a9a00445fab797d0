"""The commands of `tocsin` that tell and that want: with a daemon, without one, and with one that says no."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.daemon.test_commands import START, Running
from tests.fakes.daemon import FakeDaemon, FrozenDaemon, says
from tests.requirements import require_root
from tocsin_daemon import cli, screen, status_screen
from tocsin_daemon.admin import intent
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.pause import Pause
from tocsin_daemon.core.record import Failure, Incident, Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.store import Store
from tocsin_daemon.view import OLDER_ROW, OLDER_TIMELINE, as_json, timeline_json

CRM_MON = """#!/bin/sh
cat <<END
<pacemaker-result><summary><cluster_options maintenance-mode="false"/></summary>
<resources><resource id="web" managed="true" role="Started">{nodes}</resource></resources></pacemaker-result>
END
"""


TOCSIN = [sys.executable, "-u", "-c", "from tocsin_daemon.cli import main; main()"]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}


class Node:
    """A state directory, and Pacemaker's tools as the test wants them."""

    def __init__(self, directory: Path) -> None:
        """Have neither state nor tools."""
        self.directory = directory
        self.state_dir = directory / "run"
        self.bin = directory / "bin"
        self.bin.mkdir()

    def leave(self, *records: Record, port: int = 9909) -> None:
        """Leave records as a daemon that has ended does."""
        store = Store(str(self.state_dir), port)
        store.open()
        for record in records:
            store.save(record)
        os.close(store._lock)

    def crm_mon(self, *nodes: str) -> None:
        """Have a cluster in which `web` runs on these nodes."""
        tool = self.bin / "crm_mon"
        tool.write_text(CRM_MON.format(nodes="".join(f'<node name="{node}"/>' for node in nodes)))
        tool.chmod(0o755)

    def __call__(self, *words: str) -> Result:
        """Run `tocsin`."""
        argv = ["--state-dir", str(self.state_dir), "--pacemaker-bin", str(self.bin), *words]
        return CliRunner().invoke(cli.main, argv)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Return an empty one."""
    return Node(tmp_path)


def incident(number: int, **more: Any) -> Incident:  # noqa: ANN401
    """Return an incident of its own time, told from others."""
    marks = {"detected": 1000.0 * number}
    return Incident(f"i{number}", f"cause {number}", Stage.ACKNOWLEDGED, marks=marks, output=(f"bye {number}",), **more)


WEB = Record("web", node="n1", phase=Phase.STOPPED)


def history(count: int) -> Record:
    """Return a record with so many incidents, and a journal of them."""
    record = WEB
    for number in range(1, count + 1):
        record = record.with_incident(incident(number)).noted(1000.0 * number, f"seen {number}")
    return record


def test_any_incident_that_is_kept_can_be_explained(node: Node) -> None:
    """With its own evidence, and the journal up to the next one."""
    node.leave(history(14))
    last = node("explain", "web").output
    assert "incident 14 on n1" in last and "cause 14" in last and "bye 14" in last and "seen 14" in last
    assert " 13  " in last and "cause 13" in last and "bye 13" not in last
    for number in range(4, 14):
        said = node("explain", "web", str(number)).output
        assert f"incident {number} of 14" in said and f"bye {number}" in said
        journal = said.partition("journal:\n")[2].splitlines()
        assert journal == [f"  {screen.clock(1000.0 * number)} seen {number}"]
    told = json.loads(node("explain", "--json", "web", "7").output)
    assert (told["number"], told["incident"]["cause"], told["until"]) == (7, "cause 7", 8000.0)


@pytest.mark.parametrize(
    ("kept", "number", "says"), [(14, 3, "4 to 14 are kept"), (1, 2, "only 1 is kept"), (0, 5, "none")]
)
def test_an_incident_that_is_not_kept_is_not_explained(node: Node, kept: int, number: int, says: str) -> None:
    """And it is said which are."""
    node.leave(history(kept))
    result = node("explain", "web", str(number))
    assert result.exit_code == 1 and says in result.output


def test_a_failed_start_is_explained_with_its_last_output(node: Node) -> None:
    """Alone, and after an incident."""
    failure = Failure(1, "start: exited with 3", output=("cannot read web.conf",))
    node.leave(replace(WEB, phase=Phase.FAILED, failure=failure))
    said = node("explain", "web").output
    assert "cause   start: exited with 3" in said and "  cannot read web.conf" in said
    node.leave(replace(history(1), phase=Phase.FAILED, failure=failure))
    said = node("explain", "web").output
    assert "cause   cause 1" in said and "then    start: exited with 3" in said and "  cannot read web.conf" in said


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        (("n2",), "cause 1; runs on n2 now"),
        ((), "Pacemaker runs it nowhere now"),
        (None, "where it runs now: crm_mon -1r"),
    ],
)
def test_an_old_node_says_where_the_resource_runs_now(node: Node, nodes: tuple[str, ...] | None, says: str) -> None:
    """Where the cluster can be asked, or else how to find out."""
    if nodes is not None:
        node.crm_mon(*nodes)
    node.leave(history(1))
    result = node("status")
    assert result.exit_code == 0 and says in result.output and "not recovered yet" not in result.output
    expected = list(nodes) if nodes is not None else None
    assert json.loads(node("status", "--json").output)[0]["runs_on"] == expected


def test_the_cluster_is_not_asked_where_nobody_wonders(node: Node) -> None:
    """What runs here, or never failed, is known without it."""
    (node.bin / "crm_mon").write_text(f"#!/bin/sh\ntouch {node.directory}/asked\n")
    (node.bin / "crm_mon").chmod(0o755)
    node.leave(WEB, replace(history(1), resource="db", phase=Phase.RUNNING))
    assert [row["runs_on"] for row in json.loads(node("status", "--json").stdout.partition("tocsin:")[0])] == [
        None,
        None,
    ]
    assert not (node.directory / "asked").exists()
    node.leave(history(1))
    node("status")
    assert (node.directory / "asked").exists()


def test_status_shows_pauses_and_restarts(node: Node) -> None:
    """In words; a pause that is over is none."""
    until = time.time() + 600
    node.leave(replace(WEB, restarts=(1.0, 2.0), pause=Pause("new disk", "alice", 0.0, until)))
    said = node("status").output
    assert "web: failures are not reported until" in said and "paused by alice: new disk" in said
    assert "restarted here 2 times, last 1970-" in said
    assert "paused by alice" in node("explain", "web").output
    node.leave(replace(WEB, pause=Pause("new disk", "alice", 0.0, 1.0)))
    assert "alice" not in node("status").output + node("explain", "web").output


def test_the_promotion_score_has_a_column_where_there_is_one() -> None:
    """In none, where nobody is promotable."""
    row = {"resource": "db", "score": 100}
    assert "SCORE" not in str(status_screen._status([_row()])[0].columns)  # type: ignore[union-attr]
    assert "SCORE" in str(status_screen._status([_row(), _row(**row)])[0].columns)  # type: ignore[union-attr]


def _row(**more: object) -> dict[str, Any]:
    return {**as_json(WEB, 0.0), "runs_on": None, **more}


@pytest.mark.parametrize(
    ("words", "says"),
    [(["--watch", "--json"], "one of them"), (["--watch"], "terminal"), (["--interval", "0"], "range")],
)
def test_a_watch_without_a_terminal_is_a_slip(node: Node, words: list[str], says: str) -> None:
    """Usage, with what to use instead."""
    result = node("status", *words)
    assert result.exit_code == 2 and says in result.output


def test_events_are_merged_limited_and_in_json(node: Node) -> None:
    """From what a daemon left, too."""
    node.leave(WEB.noted(1.0, "a").noted(3.0, "c"), Record("db").noted(2.0, "b"))
    assert [line.split(" ", 2)[2] for line in node("events").output.splitlines()] == ["web: a", "db: b", "web: c"]
    assert node("events", "-n", "1", "--json").output == '{"at": 3.0, "resource": "web", "text": "c"}\n'
    assert node("events", "db").output.endswith(" db: b\n")
    assert node("events", "nobody").exit_code == 1
    assert node("events", "-n", "0").output == ""


@pytest.mark.parametrize("words", [["pause", "web", "-m", "x"], ["resume", "web"], ["fail", "web", "-m", "x"]])
def test_what_only_a_daemon_can_do_says_so_without_one(node: Node, words: list[str]) -> None:
    """And of the unknown, which there are."""
    result = node(*words)
    assert result.exit_code == 1 and "no resource web" in result.output
    node.leave(WEB)
    result = node(*words)
    assert result.exit_code == 1
    assert "no tocsind is running" in result.output and "next monitor" in result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["pause", "web"], "--reason"),
        (["fail", "web"], "--reason"),
        (["pause", "web", "-m", "x", "--for", "soon"], "'soon' is not a time"),
        (["pause", "web", "-m", "x", "--for", "31d"], "at most 30d"),
        (["pause", "web", "-m", "x", "--for", "0s"], "more than 0"),
        (["explain", "web", "0"], "INCIDENT"),
        (["explain"], "RESOURCE"),
    ],
)
def test_a_slip_is_named(node: Node, words: list[str], says: str) -> None:
    """2, and nothing is asked."""
    result = node(*words)
    assert result.exit_code == 2 and says in result.output


@pytest.fixture
def asked(node: Node) -> Iterator[Any]:
    """Return what makes a daemon that answers `web` like this."""
    made: list[FakeDaemon] = []

    def make(code: int, text: str) -> FakeDaemon:
        made.append(FakeDaemon(node.state_dir, says(code, text)))
        Path(made[-1].rundir.record("web")).write_text("{}")
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_pause_is_asked_for_with_all_its_parts(node: Node, asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    """Who became root by sudo is named."""
    monkeypatch.setenv("SUDO_USER", "alice")
    daemon = asked(0, '{"until": 3600.0, "report": "sending"}')
    result = node("pause", "web", "-m", "new disk", "--for", "2d")
    assert result.exit_code == 0 and "paused for 2d" in result.output and "under way already" in result.output
    assert daemon.asked == [("PAUSE", "web", {"seconds": 172800.0, "reason": "new disk", "by": "alice"})]


@pytest.mark.parametrize("sudo", ["", "root", "a\x1bb"])
def test_who_asks_is_the_user_else(monkeypatch: pytest.MonkeyPatch, sudo: str) -> None:
    """By name."""
    monkeypatch.setenv("SUDO_USER", sudo)
    assert intent.caller() == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize("words", [["pause", "web", "-m", "x"], ["fail", "web", "-m", "x"], ["explain", "web"]])
def test_what_the_daemon_refuses_is_said_in_its_words(node: Node, asked: Any, words: list[str]) -> None:  # noqa: ANN401
    """1."""
    asked(1, "web is stopped: only what runs here can be made to fail")
    result = node(*words)
    assert result.exit_code == 1 and "only what runs here" in result.output


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


def test_a_frozen_daemon_is_told_from_none(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds its lock and does not answer."""
    monkeypatch.setattr("tocsin_daemon.admin.daemons.SECONDS", 0.3)
    frozen = FrozenDaemon(node.state_dir)
    try:
        Path(node.state_dir / str(frozen.port) / "resources/web.json").write_text("{}")
        result = node("pause", "web", "-m", "x")
        assert result.exit_code == 1 and "not answered by tocsind" in result.output
    finally:
        frozen.close()


COMMANDS = [
    ["status"],
    ["explain", "web"],
    ["events"],
    ["pause", "web", "-m", "x"],
    ["resume", "web"],
    ["fail", "web", "-m", "x"],
]


@pytest.mark.parametrize("words", [*COMMANDS, ["log", "web"], ["log"], ["doctor"]], ids=" ".join)
def test_another_user_is_refused(words: list[str]) -> None:
    """4, and what to do; not a traceback."""
    require_root()
    drop = "import os; from tocsin_daemon.cli import main; os.setgroups([]); os.setgid(65534); os.setuid(65534); main()"
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        node = Node(Path(name))
        node.leave(WEB)
        argv = [sys.executable, "-c", drop, "--state-dir", str(node.state_dir), *words]
        done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert "for root alone" in done.stderr and "Traceback" not in done.stderr


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
    """Run one whose cluster does not answer, with `web` in it; leave no service of it."""
    running = Running(tmp_path)
    running.ask("START", START.replace("606", "607"))
    yield running
    if running.process.poll() is not None:
        running.process = running.start()
    running.ask("STOP", '{"timeout":10000}')
    running.process.terminate()
    assert running.process.wait(10) == 0
    running.notify.close()


def tocsin(running: Running, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `tocsin` as a program."""
    argv = [*TOCSIN, "--state-dir", running.state_dir, "--pacemaker-bin", "/nonexistent", *words]
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


def test_a_watch_fits_a_terminal_of_80_columns_and_ends_by_ctrl_c(node: Node) -> None:
    """Seen through a terminal of the kernel's; no line is longer than it is wide."""
    node.leave(replace(history(1), resource="a-name-" + "x" * 60), replace(WEB, pause=Pause("disk", "bob", 0, 9e9)))
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    argv = [*TOCSIN, "--state-dir", str(node.state_dir), "--pacemaker-bin", str(node.bin), "status", "--watch"]
    environment = {**ENVIRONMENT, "TERM": "xterm-256color"}
    watching = subprocess.Popen(argv, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        seen = b""
        while b"paused by bob: disk" not in seen:
            seen += os.read(ours, 65536)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode()).splitlines()
    assert max(map(len, lines)) <= 80 and any("RESOURCE" in line and "REPORT" in line for line in lines)
    assert sum(line.count("x") for line in lines if ":" not in line) >= 60  # the name is folded, not cut
