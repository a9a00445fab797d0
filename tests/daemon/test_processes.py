"""Real processes in the real reactor: started, watched, taken over, ended, and none left a zombie."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from tocsin_daemon.children import Children, Program
from tocsin_daemon.core.stopping import Plan
from tocsin_daemon.output import Output
from tocsin_daemon.service import CannotStart, Service
from tocsin_daemon.tools import Tools
from tocsin_ocf import processes
from tocsin_ocf.definition import Definition
from tocsin_ocf.pacemaker import Command

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
LONG = 600


@pytest.fixture
def children() -> Children:
    """Watch children in the reactor that pytest-twisted runs."""
    return Children(reactor)  # type: ignore[arg-type]


@pytest.fixture
def service(tmp_path: Path, children: Children) -> Iterator[Service]:
    """Run a service, and leave nothing of it whatever the test does."""
    one = Service("web", Output(str(tmp_path / "out")), reactor, children)  # type: ignore[arg-type]
    yield one
    one.cancel()
    for process in one.members(thorough=True):
        processes.send_signal(process, signal.SIGKILL)


def shell(text: str) -> Definition:
    """Return the definition of a service that is a shell script."""
    return Definition(("/bin/sh", "-c", text))


def end_of(begin: Callable[[Callable[[int | None], None]], object]) -> Deferred[int | None]:
    """Return what `on_end` will be called with."""
    ended: Deferred[int | None] = Deferred()
    begin(ended.callback)
    return ended


def until(true: Callable[[], bool], seconds: float = 5.0) -> Deferred[None]:
    """Wait in the reactor until something is true."""
    if true() or seconds <= 0:
        assert true()
        return deferLater(reactor, 0)  # type: ignore[arg-type]
    return deferLater(reactor, 0.01, until, true, seconds - 0.01)  # type: ignore[arg-type]


def dead(pid: int) -> bool:
    """Tell whether a process is gone, zombie and all."""
    return processes.look(pid) is None


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("command", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", -9), ("kill -TERM $$", -15)]
)
async def test_the_end_of_a_child_is_told_with_its_status_and_it_is_reaped(
    children: Children, command: str, status: int
) -> None:
    """Exit statuses and signals, as wait(2) has them."""
    pids: list[int] = []

    def begin(on_end: Callable[[int | None], None]) -> None:
        program = Program(["/bin/sh", "-c", command], ENVIRONMENT)
        pids.append(children.spawn(program, on_end, stdout=2, stderr=2).pid)

    assert await end_of(begin) == status
    await until(lambda: dead(pids[0]))


@pytest.fixture
def orphan() -> processes.Process:
    """Start a process whose parent is gone."""
    fork = "import os, time\npid = os.fork()\nif pid: print(pid); os._exit(0)\nos.close(1); time.sleep(600)"
    said = subprocess.run([sys.executable, "-uc", fork], stdout=subprocess.PIPE, check=True).stdout
    process = processes.look(int(said))
    assert process is not None
    return process


@pytest_twisted.ensureDeferred
async def test_a_process_of_somebody_else_is_watched_too(children: Children, orphan: processes.Process) -> None:
    """Its end is told at once; its status only its parent knows."""
    ended: Deferred[int | None] = Deferred()
    child = children.adopt(orphan.pid, orphan.start, ended.callback)
    assert child is not None
    child.send_signal(signal.SIGKILL)
    assert await ended in (None, -9)  # -9 where this very process is the subreaper


def test_a_stranger_with_the_same_pid_is_not_adopted(children: Children) -> None:
    """The start time differs."""
    me = processes.look(os.getpid())
    assert me is not None
    assert children.adopt(me.pid, me.start + 1, lambda status: None) is None
    assert children.adopt(2**22 - 1, 1, lambda status: None) is None


@pytest_twisted.ensureDeferred
async def test_orphans_are_reaped_and_children_told_on_sigchld(children: Children) -> None:
    """Whichever comes first, the pidfd or the signal: one status, told once."""
    told: list[int | None] = []
    child = children.spawn(Program(["/bin/sh", "-c", "exit 7"], ENVIRONMENT), told.append, stdout=2, stderr=2)
    orphan = os.posix_spawn("/bin/true", ["true"], {})  # noqa: ASYNC221 - it does not block
    deadline = time.monotonic() + 5
    while not (dead(orphan) and told) and time.monotonic() < deadline:
        children.reap()
    await until(lambda: dead(child.pid))
    assert told == [7]


@pytest_twisted.ensureDeferred
async def test_a_service_runs_in_a_session_of_its_own_with_its_own_environment(service: Service) -> None:
    """Its mark tells who it is; what it writes is kept."""
    ended: Deferred[int | None] = Deferred()
    service.start(
        shell("echo hello; echo $TOCSIN_RESOURCE; env | wc -l; pwd; umask; exec sleep 0"), "abc", ended.callback
    )
    assert service.main is not None
    assert await ended == 0
    lines = service.output.drain()
    assert lines[:2] == ["hello", "web"]
    assert lines[3:] == ["/", "0022"]


@pytest_twisted.ensureDeferred
async def test_a_stop_ends_the_whole_tree(service: Service) -> None:
    """Child, daemonised grandchild in its own session, and one whose parents are gone."""
    script = "sleep 600 & setsid sleep 601 & (setsid setsid sleep 602 &) ; exec sleep 603"
    ended: Deferred[int | None] = Deferred()
    service.start(shell(script), "tree-1", ended.callback)
    await until(lambda: len([p for p in service.members(thorough=True) if p.name == "sleep"]) == 4)
    cleared: Deferred[None] = Deferred()
    service.clear(Plan(10.0), signal.SIGTERM, lambda: cleared.callback(None))
    await cleared
    assert service.members(thorough=True) == []
    assert await ended == -signal.SIGTERM


@pytest_twisted.ensureDeferred
async def test_what_ignores_the_signal_is_killed_in_time(service: Service) -> None:
    """The main process and its child both ignore TERM."""
    ended: Deferred[int | None] = Deferred()
    service.start(shell("trap '' TERM; sleep 600 & echo on; while :; do sleep 0.1; done"), "deaf", ended.callback)
    await until(lambda: "on" in service.output.drain() or "on" in service.output.tail)
    cleared: Deferred[None] = Deferred()
    begun = time.monotonic()
    service.clear(Plan(0.3), signal.SIGTERM, lambda: cleared.callback(None))
    await cleared
    assert await ended == -signal.SIGKILL
    assert time.monotonic() - begun >= 0.3


@pytest_twisted.ensureDeferred
async def test_a_service_is_taken_over_by_a_new_daemon(service: Service, children: Children, tmp_path: Path) -> None:
    """Found by pid and start time, and, where even that was not written down, by its mark."""
    service.start(shell("exec sleep 600"), "handed-on", lambda status: None)
    main = service.main
    assert main is not None
    other = Service("web", Output(str(tmp_path / "out")), reactor, children)  # type: ignore[arg-type]
    assert not other.adopt(None, "handed-on", {}, lambda status: None)
    assert [p.pid for p in other.members(thorough=True)] == [main.pid]
    ended: Deferred[int | None] = Deferred()
    assert other.adopt(main, "handed-on", {}, ended.callback)
    cleared: Deferred[None] = Deferred()
    other.clear(Plan(5.0), signal.SIGTERM, lambda: cleared.callback(None))
    await cleared
    await ended


@pytest.mark.parametrize(
    ("definition", "code", "says"),
    [
        (Definition(("/no/such/program",)), 5, "/no/such/program"),
        (Definition(("/etc/passwd",)), 4, "/etc/passwd"),
        (Definition(("/bin/true",), user="no-such-user"), 5, "no-such-user"),
        (Definition(("/bin/true",), directory="/no/such"), 5, "/no/such"),
        (Definition(("/bin/true",), environment_file="/no/such"), 5, "/no/such"),
    ],
)
def test_what_cannot_be_started_says_why(service: Service, definition: Definition, code: int, says: str) -> None:
    """With the code that sends Pacemaker to another node."""
    with pytest.raises(CannotStart, match=says) as error:
        service.start(definition, "x", lambda status: None)
    assert error.value.code == code


def test_a_file_that_is_no_program_says_so(service: Service, tmp_path: Path) -> None:
    """The kernel knows: Exec format error."""
    path = tmp_path / "rubbish"
    path.write_bytes(b"\x7fELF rubbish")
    path.chmod(0o755)
    with pytest.raises(CannotStart, match="format"):
        service.start(Definition((str(path),)), "x", lambda status: None)


@pytest_twisted.ensureDeferred
async def test_a_service_runs_as_its_user(service: Service) -> None:
    """With that user's groups and home."""
    if os.geteuid():
        pytest.skip("needs root: another user")
    ended: Deferred[int | None] = Deferred()
    service.start(Definition(("/bin/sh", "-c", "id -un; id -gn; echo $HOME"), user="nobody"), "x", ended.callback)
    assert await ended == 0
    assert service.output.drain() == ["nobody", "nogroup", "/nonexistent"]


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
async def test_a_tool_that_is_cancelled_is_killed(children: Children) -> None:
    """A stop came while the cluster was looked at."""
    running = Tools(reactor, children).run(Command(("/bin/sleep", "604"), 60.0))  # type: ignore[arg-type]
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    await until(lambda: not [p for p in processes.snapshot() if p.name == "sleep" and p.parent == os.getpid()])
