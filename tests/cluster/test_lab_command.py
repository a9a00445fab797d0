"""`./dev lab`: a cluster that stays until somebody takes it down."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab, kept

TOP = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{TOP}/tests/cluster:{TOP}/packaging:{TOP}/ocf:{TOP}/daemon"}
NAME = f"test{os.getpid()}"


def lab_command(*words: str, name: str = NAME, **extra: object) -> subprocess.CompletedProcess[str]:
    """Run `./dev lab` as ./dev does, which would also install packages, and collect its output."""
    command, *rest = words
    argv = [sys.executable, "-B", "-m", "lab", command, f"--name={name}", *rest]
    return subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, timeout=240, check=False, **extra)


@pytest.fixture(scope="module")
def command_lab(cluster_possible: None) -> Iterator[Lab]:
    """Bring a lab up by the command, and take it down; and those of test runs that were killed."""
    for name in kept.everyone():
        maker = name[len("test") :].rstrip("b")
        if name.startswith("test") and maker.isdigit() and not Path("/proc", maker).exists():
            kept.find(name).down()
    done = lab_command("up", "2")
    assert done.returncode == 0, done.stderr
    try:
        yield kept.find(NAME)
    finally:
        kept.find(NAME).down()


def test_the_lab_outlives_its_maker_with_tocsin_installed(command_lab: Lab) -> None:
    """The next lab of anyone does not sweep it."""
    with Lab():
        pass
    assert lab_command("exec", "n1", "--", "tocsin", "--help").returncode == 0
    said = lab_command("status").stdout
    assert "n1  10.77.0.1     on" in said
    assert "Online: [ n1 n2 ]" in said
    assert "stonith:fence_lab" in said


def test_exec_passes_input_status_and_terminal(command_lab: Lab) -> None:
    """As if the command ran here."""
    done = lab_command("exec", "n2", "--", "sh", "-c", "cat; uname -n; echo bad >&2; exit 7", input="in\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, "in\nn2\n", "bad\n")
    assert lab_command("exec", "n2", "test", "-t", "0", stdin=subprocess.DEVNULL).returncode == 1
    ours, theirs = pty.openpty()
    try:
        assert lab_command("exec", "n2", "test", "-t", "0", stdin=theirs).returncode == 0
    finally:
        os.close(ours)
        os.close(theirs)


def test_accidents_by_command(command_lab: Lab) -> None:
    """Kill, boot, part, freeze, the logs of a node that is off, and a switch that is broken."""
    node = command_lab.node("n2")
    assert lab_command("fence-mode", "n2", "fail").returncode == 0
    assert lab_command("kill", "n2").returncode == 0
    assert not node.is_running()
    assert " n2 pacemaker-" in lab_command("logs", "n2").stdout
    assert "n2  10.77.0.2     off" in lab_command("status").stdout
    assert lab_command("boot", "n2").returncode == 0
    assert lab_command("fence-mode", "n2", "ok").returncode == 0
    command_lab.wait_online()
    assert lab_command("freeze", "n2").returncode == lab_command("thaw", "n2").returncode == 0
    assert lab_command("partition", "n2").returncode == lab_command("heal").returncode == 0
    command_lab.mend()


def test_what_is_wrong_is_said(command_lab: Lab) -> None:
    """Exit status 1 and one line, or argparse's 2."""
    for words, text in (
        (["up", "1"], "is up already"),
        (["kill", "n9"], "no such node: n9; there are n1 n2"),
        (["exec", "n1"], "exec NODE -- COMMAND"),
    ):
        done = lab_command(*words)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert text in done.stderr
    assert NAME in lab_command("status", name="other").stderr
    assert lab_command("fence-mode", "n1", "odd").returncode == 2
    done = subprocess.run([TOP / "dev", "lab", "status", "--name=other"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no lab 'other' is up" in done.stderr


def test_down_leaves_nothing(cluster_possible: None) -> None:
    """In no time; and there is none twice."""
    name = f"{NAME}b"
    done = lab_command("up", "1", "--no-fencing", "--no-tocsin", name=name)
    assert done.returncode == 0, done.stderr
    lab = kept.find(name)
    place, init = lab.state, lab.nodes[0].init
    assert place is not None
    assert "stonith-enabled: false" in lab.nodes[0].run(["pcs", "property", "config"]).stdout
    begin = time.monotonic()
    assert lab_command("down", name=name).returncode == 0
    assert time.monotonic() - begin < 10
    assert not place.exists()
    assert not Path(f"/proc/{init}/root/run").exists()
    assert lab_command("down", name=name).returncode == 1
