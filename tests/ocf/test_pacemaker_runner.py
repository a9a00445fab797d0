"""The runner that waits, with real processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tocsin_ocf.pacemaker import Command, Killed, NotConnected, NotInstalled, Runner, TimedOut, Version, crm_node

MOMENT = 30.0
"""Seconds, for what takes none."""


@pytest.fixture
def tool(tmp_path: Path) -> Callable[[str], str]:
    """Make a crm_node out of lines of shell, and return its directory."""

    def make(lines: str) -> str:
        path = tmp_path / "crm_node"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        return str(tmp_path)

    return make


def test_a_request_is_executed_in_its_directory_and_read(tool: Callable[[str], str]) -> None:
    """By full path, with its arguments."""
    request = crm_node.name(Version(2, 1, 5)).at(tool('echo "n1"; test "$*" = "--name" && test "$PWD" = /'))
    assert Runner().ask(request) == "n1"


def test_a_tool_sees_nothing_of_the_callers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """But a search path, and that it is to speak English; and what it is given."""
    monkeypatch.setenv("CIB_file", "/tmp/other.xml")
    reply = Runner({"CIB_user": "tester"}).run(Command(("/usr/bin/env",), MOMENT))
    assert sorted(reply.stdout.splitlines()) == [
        "CIB_user=tester",
        "LC_ALL=C",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    ]


def test_a_tool_reads_what_it_is_fed_and_else_nothing() -> None:
    """More than a pipe holds."""
    text = "café " * 50_000
    assert Runner().run(Command(("/bin/cat",), MOMENT, text)).stdout == text
    assert Runner().run(Command(("/bin/cat",), MOMENT)).stdout == ""


def test_what_is_no_utf_8_is_read_all_the_same() -> None:
    """An exit reason in another encoding must not hide a cluster."""
    assert Runner().run(Command(("/usr/bin/printf", r"a\377b"), MOMENT)).stdout == "a\ufffdb"


@pytest.mark.parametrize("end", ["wait", "exit 0"])
def test_a_tool_that_hangs_is_killed_with_what_it_started(end: str, tool: Callable[[str], str], tmp_path: Path) -> None:
    """Its reply has no exit status; also where it has ended, and what it started holds its output."""
    lines = f"sleep 606 & echo $! >{tmp_path}/pid; {end}"
    request = replace(crm_node.name(Version(2, 1, 5)).at(tool(lines)), timeout=1.0)
    with pytest.raises(TimedOut, match="crm_node: timed out"):
        Runner().ask(request)
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + MOMENT
    while runs(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def runs(pid: int) -> bool:
    """Tell whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_faults_have_names(tool: Callable[[str], str]) -> None:
    """Not there, killed, refused."""
    request = crm_node.name(Version(2, 1, 5))
    with pytest.raises(NotInstalled, match="No such file"):
        Runner().ask(request.at("/no/such"))
    with pytest.raises(Killed):
        Runner().ask(request.at(tool("kill -9 $$")))
    with pytest.raises(NotConnected, match="refused"):
        Runner().ask(request.at(tool("echo refused >&2; exit 102")))


def test_no_descriptor_is_left(tool: Callable[[str], str]) -> None:
    """Whatever came of it."""
    before = os.listdir("/proc/self/fd")
    for lines in ("exit 0", "exit 3", "kill -9 $$", "exec sleep 608"):
        Runner().run(Command((f"{tool(lines)}/crm_node",), 0.5))
    Runner().run(Command(("/no/such",), 0.5))
    assert len(os.listdir("/proc/self/fd")) == len(before)
