"""Programs of checks that are really run: kept short, ended whole, never two of a kind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, inlineCallbacks
from twisted.internet.task import deferLater

from tests.daemon.checks.test_exec import check
from tests.fakes.running import until
from tocsin_daemon.checks.outside import Ended
from tocsin_daemon.children import Children, Program
from tocsin_daemon.commands import DYING, KEPT, MOST_WRITTEN, Commands
from tocsin_daemon.core.check import Outcome, Result
from tocsin_daemon.table import ProcessTable
from tocsin_ocf import processes


@pytest.fixture
def commands() -> Iterator[Commands]:
    """Return what runs real commands; nothing of them is left."""
    children = Children(reactor)  # type: ignore[arg-type]
    before = set(os.listdir("/proc/self/fd"))
    yield Commands(reactor, children, ProcessTable(reactor))  # type: ignore[arg-type]

    @inlineCallbacks
    def wait() -> Any:  # noqa: ANN401
        yield until(lambda: not children._watched)

    pytest_twisted.blockon(wait())
    assert set(os.listdir("/proc/self/fd")) == before


def shell(text: str) -> Program:
    """Return a shell script."""
    return Program(("/bin/sh", "-c", text), {"PATH": "/usr/bin:/bin"})


@pytest_twisted.ensureDeferred
async def test_a_command_is_run_to_its_end(commands: Commands) -> None:
    """Status and both outputs."""
    assert await commands.run(shell("echo out; echo err >&2; exit 4")) == Ended(4, b"out\n", b"err\n")
    assert commands.running == []


@pytest_twisted.ensureDeferred
async def test_what_it_leaves_in_the_background_is_not_waited_for_but_killed(commands: Commands) -> None:
    """Though it holds the output open; each look would leave one more."""
    ended = await commands.run(shell("sleep 61 & echo $!"))
    assert ended.status == 0
    left = int(ended.output)
    await until(lambda: not any(process.pid == left and process.alive for process in processes.snapshot()))


@pytest_twisted.ensureDeferred
async def test_of_much_output_the_beginning_is_kept(commands: Commands) -> None:
    """As much as was to be kept, and the command ends well."""
    ended = await commands.run(shell("head -c 500000 /dev/zero"))
    assert (ended.status, len(ended.output), ended.flooded) == (0, KEPT, False)


@pytest_twisted.ensureDeferred
async def test_output_without_end_is_cut(commands: Commands) -> None:
    """The command dies of its closed pipe."""
    ended = await commands.run(Program(("/usr/bin/yes",), {}))
    assert (ended.status, len(ended.output), ended.flooded) == (-13, KEPT, True)
    assert MOST_WRITTEN < 2**21


@pytest_twisted.ensureDeferred
async def test_a_talkative_command_is_heard_to_its_end(commands: Commands) -> None:
    """A promotion does not fail for being told at length; its last words say how it went."""
    words = ("/bin/sh", "-c", "head -c 3000000 /dev/zero; echo; echo done")
    ended = await commands.run(Program(words, {"PATH": "/usr/bin:/bin"}, talkative=True))
    assert (ended.status, len(ended.output), ended.flooded) == (0, KEPT, False)
    assert ended.output.endswith(b"\ndone\n")


@pytest_twisted.ensureDeferred
async def test_all_output_that_was_asked_for_is_kept(commands: Commands) -> None:
    """Pacemaker's tools say much."""
    ended = await commands.begin(shell("head -c 5000000 /dev/zero"), 2**25).done
    assert (ended.status, len(ended.output)) == (0, 5000000)


@pytest_twisted.ensureDeferred
async def test_cancelling_kills_the_whole_session(commands: Commands) -> None:
    """Also what moved into a group of its own, as `timeout` does."""
    done = commands.run(shell("sleep 62 & timeout 63 sleep 64 & wait"))
    session = commands.running[0].child.pid
    await until(lambda: len(in_session(session)) == 4)
    done.cancel()
    with pytest.raises(CancelledError):
        await done
    await until(lambda: not in_session(session))
    await until(lambda: not commands.running)


def in_session(session: int) -> list[processes.Process]:
    """Return the living processes of a session."""
    return [process for process in processes.snapshot() if process.session == session and process.alive]


@pytest_twisted.ensureDeferred
async def test_no_other_run_beside_one_that_cannot_be_killed(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hang as well, once every interval."""
    program = shell("exec sleep 65")
    done = commands.run(program)
    with monkeypatch.context() as patch:
        patch.setattr(
            type(commands.running[0]), "kill", lambda self: setattr(self, "killed", reactor.seconds() - DYING)
        )
        done.cancel()
        with pytest.raises(CancelledError):
            await done
    with pytest.raises(OSError, match="cannot be killed"):
        await commands.run(program)
    assert (await commands.run(shell("exit 3"))).status == 3
    commands.running[0].kill()
    await until(lambda: not commands.running)
    again = commands.run(program)
    again.cancel()
    with pytest.raises(CancelledError):
        await again


@pytest_twisted.ensureDeferred
async def test_what_is_not_there_fails_and_leaves_nothing(commands: Commands) -> None:
    """Neither pipe nor process."""
    with pytest.raises(FileNotFoundError):
        await commands.run(Program(("/no/such/program",), {}))
    assert commands.running == []


@pytest_twisted.ensureDeferred
async def test_a_real_check_by_a_command(commands: Commands, tmp_path: Path) -> None:
    """From the Spec to the Outcome."""
    script = tmp_path / "check_it"
    script.write_text(f"#!{sys.executable} -IS\nprint('WARNING - slow|t=3')\nraise SystemExit(1)\n")
    script.chmod(0o755)
    one = check(str(script), run=commands.run, nagios=True)
    assert await one.run() == Outcome(Result.SOFT, "exit status 1: WARNING - slow")
    script.chmod(0o644)
    assert (await one.run()).text == f"cannot be executed: permission denied: {script}"


@pytest_twisted.ensureDeferred
async def test_a_real_agent(commands: Commands) -> None:
    """Pacemaker's own Dummy, which was never started."""
    if not os.path.exists("/usr/lib/ocf/resource.d/pacemaker/Dummy"):
        pytest.skip("needs pacemaker's agents")
    one = check("ocf:pacemaker:Dummy", "ocf", commands.run, parameters={"state": "/nonexistent/state"})
    outcome = await one.run()
    assert outcome.result is Result.BAD
    assert outcome.text.startswith("exit status 7")


@pytest_twisted.ensureDeferred
async def test_an_agent_that_is_not_installed_has_not_looked(commands: Commands) -> None:
    """Its path is named."""
    outcome = await check("ocf:heartbeat:none", "ocf", commands.run).run()
    assert outcome.result is Result.ERROR
    assert "/usr/lib/ocf/resource.d/heartbeat/none" in outcome.text
    await deferLater(reactor, 0, lambda: None)  # type: ignore[arg-type]
