"""`exec` and `ocf`: what a program's end says, and how real ones are run and ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.task import deferLater

from tests.fakes.checks import FakeRun
from tests.fakes.running import until
from tocsin_daemon.checks import KINDS
from tocsin_daemon.checks.execute import first_line
from tocsin_daemon.checks.outside import Ended, Outside
from tocsin_daemon.children import Children, Program
from tocsin_daemon.commands import DYING, KEPT, MOST_WRITTEN, Commands
from tocsin_daemon.core.check import Outcome, Result, Spec
from tocsin_daemon.table import ProcessTable
from tocsin_ocf import processes


def check(target: object, kind: str = "exec", run: Any = None, **options: object) -> Any:  # noqa: ANN401
    """Return a check whose programs end as `run` says."""
    spec = Spec(kind, target, "one", interval=10.0, timeout=20.0, options=options)
    return KINDS[kind](spec, Outside(None, "web", run or FakeRun()))


def now(done: Deferred[Outcome]) -> Outcome:
    """Return what has been found already."""
    found: list[Outcome] = []
    done.addCallback(found.append)
    return found[0]


def found(ended: Ended | OSError, kind: str = "exec", **options: object) -> Outcome:
    """Return what a check makes of a program's end."""
    target = "heartbeat:redis" if kind == "ocf" else "/usr/bin/true"
    return now(check(target, kind, FakeRun(ended), **options).run())


W, S, B, E = Result.WELL, Result.SOFT, Result.BAD, Result.ERROR


@pytest.mark.parametrize(
    ("kind", "options", "results"),
    [
        ("exec", {}, {0: W, 1: B, 2: B, 3: B, 7: B, 125: B, 126: E, 127: E, 137: B, -9: E, None: E}),
        ("exec", {"nagios": True}, {0: W, 1: S, 2: B, 3: E, 4: B, 127: E, -11: E}),
        (
            "ocf",
            {},
            {0: W, 8: W, 190: S, 191: S, 1: B, 7: B, 9: B, 2: E, 3: E, 4: E, 5: E, 6: E, 127: E, 42: B, -15: E},
        ),
    ],
)
def test_what_each_exit_status_says(kind: str, options: dict[str, object], results: dict[int, Result]) -> None:
    """A program that could not look has found nothing."""
    assert {status: found(Ended(status), kind, **options).result for status in results} == results


def test_the_words_are_the_programs_own() -> None:
    """The first line that says something, without a plug-in's figures, printable."""
    assert found(Ended(0, b"\n OK - 3 users|users=3;5;9\nmore")) == Outcome(W, "OK - 3 users")
    assert found(Ended(2, b"", b"no such table\n")) == Outcome(B, "exit status 2: no such table")
    assert found(Ended(1)) == Outcome(B, "exit status 1")
    assert found(Ended(-9)).text == "killed by signal 9 (KILL)"
    assert found(Ended(-63)).text == "killed by signal 63"
    assert first_line(b"\xff\x1b[2J caf\xc3\xa9") == "\ufffd?[2J caf\u00e9"


def test_an_agents_last_reason_is_its_words() -> None:
    """Or the last line of its log."""
    errors = b"ocf-exit-reason:old\nWARNING: x\nocf-exit-reason:no redis here\nDEBUG\n"
    assert found(Ended(7, b"", errors), "ocf") == Outcome(B, "exit status 7: no redis here")
    assert found(Ended(1, b"", b"a\nb\n"), "ocf") == Outcome(B, "exit status 1: b")


def test_what_cannot_be_executed_has_not_looked() -> None:
    """The path is named."""
    error = FileNotFoundError(2, "No such file or directory", "/no/such")
    assert found(error) == Outcome(E, "cannot be executed: no such file or directory: /no/such")
    assert found(OSError(11, "Resource temporarily unavailable")).result is E
    assert now(check("true", user="nosuchuser").run()).result is E


def test_output_without_end_is_an_error_of_the_check() -> None:
    """Whatever status it came to."""
    assert found(Ended(-13, b"y", flooded=True)) == Outcome(E, "it writes without end")


def test_the_environment_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a login has, and who asks."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    run = FakeRun()
    check(["sh", "-c", "true"], run=run).run()
    program = run.programs[0]
    assert program.argv in {("/usr/bin/sh", "-c", "true"), ("/bin/sh", "-c", "true")}
    assert set(program.environment) == {
        *("PATH", "LANG", "HOME", "USER", "LOGNAME", "SHELL"),
        *("TOCSIN_RESOURCE", "TOCSIN_CHECK"),
    }
    assert program.user is None


def test_another_user_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory of users may be far away."""
    run = FakeRun()
    one = check("true", run=run, user="nobody")
    one.run()
    monkeypatch.setattr("tocsin_daemon.environment.identity", None)
    one.run()
    assert run.programs[0] is run.programs[1]
    assert run.programs[0].environment["USER"] == "nobody"
    assert run.programs[0].user


def test_an_agent_is_called_as_pacemaker_calls_a_recurring_monitor() -> None:
    """Its parameters and what it may ask of itself."""
    run = FakeRun()
    check("ocf:heartbeat:redis", "ocf", run, parameters={"port": 6380}).run()
    program = run.programs[0]
    assert program.argv == ("/usr/lib/ocf/resource.d/heartbeat/redis", "monitor")
    assert (
        program.environment.items()
        >= {
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_RA_VERSION_MAJOR": "1",
            "OCF_RA_VERSION_MINOR": "1",
            "OCF_RESOURCE_INSTANCE": "web",
            "OCF_RESOURCE_TYPE": "redis",
            "OCF_RESOURCE_PROVIDER": "heartbeat",
            "OCF_RESKEY_port": "6380",
            "OCF_RESKEY_CRM_meta_interval": "10000",
            "OCF_RESKEY_CRM_meta_timeout": "20000",
            "OCF_RESKEY_CRM_meta_name": "monitor",
        }.items()
    )


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
    assert await one.run() == Outcome(S, "exit status 1: WARNING - slow")
    script.chmod(0o644)
    assert (await one.run()).text == f"cannot be executed: permission denied: {script}"


@pytest_twisted.ensureDeferred
async def test_a_real_agent(commands: Commands) -> None:
    """Pacemaker's own Dummy, which was never started."""
    if not os.path.exists("/usr/lib/ocf/resource.d/pacemaker/Dummy"):
        pytest.skip("needs pacemaker's agents")
    one = check("ocf:pacemaker:Dummy", "ocf", commands.run, parameters={"state": "/nonexistent/state"})
    outcome = await one.run()
    assert outcome.result is B
    assert outcome.text.startswith("exit status 7")


@pytest_twisted.ensureDeferred
async def test_an_agent_that_is_not_installed_has_not_looked(commands: Commands) -> None:
    """Its path is named."""
    outcome = await check("ocf:heartbeat:none", "ocf", commands.run).run()
    assert outcome.result is E
    assert "/usr/lib/ocf/resource.d/heartbeat/none" in outcome.text
    await deferLater(reactor, 0, lambda: None)  # type: ignore[arg-type]
