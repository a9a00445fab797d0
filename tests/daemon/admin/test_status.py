"""`tocsin status`: what it says of each resource, where one runs now, and how it is watched."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import termios
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.daemon.admin.node import WEB, Node, history
from tests.fakes.real_tocsind import ENVIRONMENT, TOCSIN
from tocsin_daemon import status_screen
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.pause import Pause
from tocsin_daemon.view import as_json


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
