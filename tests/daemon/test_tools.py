"""Tools that the daemon runs: a reply, whatever becomes of them, and none outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError

from tests.fakes.patience import ended
from tests.fakes.running import (
    until,
)
from tocsin_daemon.children import Children
from tocsin_daemon.tools import Tools
from tocsin_ocf import processes
from tocsin_ocf.pacemaker import Command, Killed, NotConnected, NotInstalled, TimedOut, Version, crm_node


@pytest_twisted.ensureDeferred
async def test_a_tool_is_run_to_its_end(children: Children) -> None:
    """Its status and all that it said."""
    tools = Tools(reactor, children)  # type: ignore[arg-type]
    reply = await tools.run(Command(("/bin/sh", "-c", "echo out; echo err >&2; exit 4"), 5.0))
    assert (reply.code, reply.stdout, reply.stderr) == (4, "out\n", "err\n")


@pytest_twisted.ensureDeferred
async def test_a_tool_that_hangs_is_killed(children: Children) -> None:
    """Its reply has no code."""
    tools = Tools(reactor, children)  # type: ignore[arg-type]
    reply = await tools.run(Command(("/bin/sleep", "600"), 0.05))
    assert reply.code is None
    assert "timed out" in reply.why


@pytest_twisted.ensureDeferred
async def test_a_tool_that_is_not_there_is_a_reply_too(children: Children) -> None:
    """With the reason."""
    reply = await Tools(reactor, children).run(Command(("/no/such/tool",), 5.0))  # type: ignore[arg-type]
    assert reply.code is None
    assert "No such file" in reply.why


@pytest_twisted.ensureDeferred
async def test_a_tool_reads_what_it_is_fed(children: Children) -> None:
    """More than a pipe holds, to the end of it; and where it is fed nothing, nothing."""
    tools = Tools(reactor, children)  # type: ignore[arg-type]
    text = "café " * 50_000
    assert (await tools.run(Command(("/bin/cat",), 5.0, text))).stdout == text
    assert (await tools.run(Command(("/bin/cat",), 5.0))).stdout == ""


@pytest_twisted.ensureDeferred
async def test_a_request_is_answered_or_fails_by_name(children: Children, tmp_path: Path) -> None:
    """The same requests as with the runner that waits."""
    tools = Tools(reactor, children)  # type: ignore[arg-type]
    tool = tmp_path / "crm_node"
    tool.write_text("#!/bin/sh\necho n1\n")
    tool.chmod(0o755)
    request = crm_node.name(Version(2, 1, 5)).at(str(tmp_path))
    assert await tools.ask(request) == "n1"
    tool.write_text("#!/bin/sh\necho Connection refused >&2\nexit 102\n")
    with pytest.raises(NotConnected, match=r"crm_node: exit status 102 .*: Connection refused"):
        await tools.ask(request)
    tool.write_text("#!/bin/sh\nkill -9 $$\n")
    with pytest.raises(Killed):
        await tools.ask(request)
    tool.write_text("#!/bin/sh\nexec sleep 605\n")
    with pytest.raises(TimedOut):
        await tools.ask(replace(request, timeout=0.05))
    tool.unlink()
    with pytest.raises(NotInstalled, match="No such file"):
        await tools.ask(request)


@pytest_twisted.ensureDeferred
async def test_a_tool_that_is_cancelled_is_killed(children: Children) -> None:
    """A stop came while the cluster was looked at."""
    running = Tools(reactor, children).run(Command(("/bin/sleep", "604"), 60.0))  # type: ignore[arg-type]
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    await until(lambda: not [p for p in processes.snapshot() if p.name == "sleep" and p.parent == os.getpid()])


KILLED = """
import os, sys, time
from tocsin_daemon.children import Program
from tocsin_daemon.entrance import execute
print(execute(Program(["/bin/sleep", "610"], {}), 2, 2), flush=True)
time.sleep(600)
"""


def test_a_tool_dies_with_the_daemon_and_a_service_does_not() -> None:
    """An injection that outlives who decided it would be sent twice, or hit the next incarnation."""
    path = os.pathsep.join(part for part in sys.path if part)
    pids = []
    for service in (False, True):
        code = KILLED.replace("{}", "{}, service=True") if service else KILLED
        daemon = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin"}
        )
        assert daemon.stdout is not None
        pids.append(int(daemon.stdout.readline()))
        daemon.kill()
        daemon.communicate()
    tool, kept = pids
    assert ended(tool)
    left = processes.look(kept)
    assert left and left.alive
    processes.send_signal(left, signal.SIGKILL)
