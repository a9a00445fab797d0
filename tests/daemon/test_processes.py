"""Real processes in the real reactor: started, watched, taken over, ended, and none left a zombie."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred

from tests.fakes.running import (
    Heard,
    cleared,
    dead,
    end,
    means_in,
    pids,
    python,
    says,
    service_in,
    shell,
    started,
    subreaping,
    until,
)
from tests.requirements import require_root
from tocsin_daemon import entrance
from tocsin_daemon.children import Children, Program
from tocsin_daemon.core.stopping import Plan
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_daemon.tools import Tools
from tocsin_ocf import processes
from tocsin_ocf.definition import Definition
from tocsin_ocf.pacemaker import Command, Killed, NotConnected, NotInstalled, TimedOut, Version, crm_node

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def children() -> Children:
    """Watch children in the reactor that pytest-twisted runs."""
    return Children(reactor)  # type: ignore[arg-type]


@pytest.fixture
def service(tmp_path: Path, children: Children) -> Iterator[ProcessDriver]:
    """Run a service, and leave nothing of it whatever the test does."""
    one = service_in(tmp_path, children)
    yield one
    end(one)


def test_a_look_at_the_process_table_from_before_the_start_is_not_used(service: ProcessDriver) -> None:
    """Checks of a thousand services share looks that are a second old; in those a service of today has no process."""
    service._means.table.since(reactor.seconds())  # type: ignore[attr-defined]
    main = started(service, shell("exec sleep 600"), "young")
    assert main.pid in {process.pid for process in service.members(thorough=False, age=10.0)}
    assert main.pid in service.known


def end_of(begin: Callable[[Callable[[int | None], None]], object]) -> Deferred[int | None]:
    """Return what `on_end` will be called with."""
    ended: Deferred[int | None] = Deferred()
    begin(ended.callback)
    return ended


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
async def test_a_service_runs_in_a_session_of_its_own_with_its_own_environment(service: ProcessDriver) -> None:
    """Its mark tells who it is; what it writes is kept."""
    told = Heard()
    script = "echo hello; echo $TOCSIN_RESOURCE; env | wc -l; pwd; umask; exec sleep 0"
    main = started(service, shell(script), "abc", told)
    assert await told.end == 0
    assert (told.ups, told.ends) == ([main], [(0, "")])
    lines = service.output.drain()
    assert lines[:2] == ["hello", "web"]
    assert lines[3:] == ["/", "0022"]


@pytest.fixture
def unusual() -> Iterator[None]:
    """Be what no service should be: with signals ignored and blocked, variables, a descriptor, a bad OOM score."""
    read, write = os.pipe()
    os.set_inheritable(read, True)
    numbers = (signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE, signal.SIGRTMIN)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    umask = os.umask(0o077)
    score = Path("/proc/self/oom_score_adj")
    score_before = score.read_text()
    if not os.geteuid():
        score.write_text("300")
    os.environ.update(NOTIFY_SOCKET="/run/nobody", OCF_RESKEY_port="x", WATCHDOG_USEC="1")
    yield
    for name in ("NOTIFY_SOCKET", "OCF_RESKEY_port", "WATCHDOG_USEC"):
        del os.environ[name]
    if not os.geteuid():
        score.write_text(score_before)
    os.umask(umask)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for number, how in before.items():
        signal.signal(number, how)
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("user", ["", "nobody"])
def test_a_service_inherits_nothing_of_the_daemon(service: ProcessDriver, unusual: None, user: str) -> None:
    """Descriptors, signals, variables, session, terminal, umask, directory, OOM score: all as at boot."""
    if user:
        require_root()
    main = started(service, Definition(("/bin/sleep", "600"), user=user), "own")
    proc = Path("/proc", str(main.pid))
    deadline = time.monotonic() + 5
    while "nanosleep" not in (proc / "wchan").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)  # the dynamic linker still opens libraries
    status = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines())
    assert sorted(os.listdir(proc / "fd")) == ["0", "1", "2"]
    assert os.readlink(proc / "fd/0") == "/dev/null"
    assert {status[name] for name in ("SigIgn", "SigBlk", "SigCgt", "SigPnd", "ShdPnd")} == {"0" * 16}
    assert (status["Umask"], os.readlink(proc / "cwd")) == ("0022", "/")
    assert (proc / "oom_score_adj").read_text() == "0\n"
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    assert fields[2:5] == [str(main.pid), str(main.pid), "0"]  # process group, session, terminal
    names = {line.partition(b"=")[0].decode() for line in (proc / "environ").read_bytes().split(b"\0") if line}
    own = {"TOCSIN_INCARNATION", "TOCSIN_RESOURCE"}
    assert names == {"PATH", "LANG", "HOME", "USER", "LOGNAME", "SHELL", *own}


def test_a_user_that_we_may_not_become_is_an_error(children: Children) -> None:
    """What setgroups(2) says, and what Python says of a number that is none."""
    for groups, user in (([2**33], None), (None, 2**33), ([0] * 2**17, 0)):
        program = Program(["/bin/true"], ENVIRONMENT, user=user, groups=groups, service=True)
        with pytest.raises(OSError, match="user or group"):
            children.spawn(program, lambda status: None, stdout=2, stderr=2)


@pytest.mark.parametrize("flags", [0, 1])
def test_where_the_kernel_refuses_to_clone_into_a_cgroup_a_service_starts_all_the_same(
    children: Children, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: int
) -> None:
    """It is no cgroup, or a seccomp filter is in the way; nor does a cgroup that has gone matter."""
    monkeypatch.setattr(entrance, "SYS_CLONE3", -1 if flags else entrance.SYS_CLONE3)
    for place in (str(tmp_path), str(tmp_path / "absent")):
        program = Program(["/bin/sleep", "600"], ENVIRONMENT, service=True, cgroup=place)
        child = children.spawn(program, lambda status: None, stdout=2, stderr=2)
        assert os.readlink(f"/proc/{child.pid}/exe").endswith("sleep")
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED)
        children.forget(child)
        os.close(child.fileno())


@pytest_twisted.ensureDeferred
async def test_a_stopped_process_hears_the_signal(service: ProcessDriver) -> None:
    """TERM alone would wait until somebody continues it: CONT follows, and no KILL is needed."""
    main = started(service, shell("sleep 600 & echo on; wait"), "stopped")
    await until(says(service, "on"))
    for process in service.members(thorough=True):
        processes.send_signal(process, signal.SIGSTOP)
    await until(lambda: {process.state for process in service.members(thorough=False)} == {"T"})
    seen: list[tuple[str, ...]] = []
    await cleared(service, 10, seen)
    assert seen == [] and dead(main.pid)


@pytest_twisted.ensureDeferred
async def test_zombies_are_not_left_of_a_service_that_does_not_wait(service: ProcessDriver, children: Children) -> None:
    """Nor waited for: they end with their parent, and as orphans become the daemon's."""
    careless = "import os, time\nfor _ in range(3):\n    if not os.fork(): os._exit(0)\nprint('on', flush=True)"
    with subreaping(children):
        main = started(service, python(f"{careless}\ntime.sleep(600)"), "careless")
        await until(says(service, "on"))
        zombies = [process.pid for process in processes.snapshot() if process.parent == main.pid]
        assert len(zombies) == 3
        await cleared(service, 10)
    assert [pid for pid in zombies if not dead(pid)] == []


@pytest_twisted.ensureDeferred
async def test_a_stop_that_cannot_end_a_process_names_it(service: ProcessDriver, tmp_path: Path) -> None:
    """It sleeps uninterruptibly; the evidence before the KILL tells it too, and in what it sleeps."""
    os.mkfifo(tmp_path / "fifo")
    call = "os.posix_spawn('/bin/true', ['true'], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 3, sys.argv[1], 0, 0)])"
    main = started(service, python(f"import os, sys\n{call}", str(tmp_path / "fifo")), "stuck")
    await until(lambda: "D" in [process.state for process in service.members(thorough=False)])
    seen: list[tuple[str, ...]] = []
    done = cleared(service, 0.3, seen)
    assert any(f"[{main.pid}] D (uninterruptible sleep" in name for name in service.left())
    await done
    assert any(f"[{main.pid}] D (uninterruptible sleep" in line for line in seen[0])


@pytest_twisted.ensureDeferred
async def test_a_stranger_that_got_a_pid_is_never_signalled(
    service: ProcessDriver, orphan: processes.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one that takes a pid between the look at the table and the signal."""
    service.known[orphan.pid] = orphan.start - 1
    await cleared(service, 0)
    past = processes.Process(orphan.pid, "past", "S", 1, orphan.pid, orphan.start - 1)
    tables = [[past], [past], []]
    monkeypatch.setattr(processes, "snapshot", lambda: tables.pop(0) if tables else [])
    service.known[orphan.pid] = past.start
    await cleared(service, 0)
    monkeypatch.undo()
    assert tables == [] and not dead(orphan.pid)
    assert processes.send_signal(orphan, signal.SIGKILL)


@pytest_twisted.ensureDeferred
async def test_a_stop_signal_that_kills_leaves_evidence_too(service: ProcessDriver) -> None:
    """Whoever chose it wants to know what was killed."""
    main = started(service, shell("exec sleep 600"), "brief")
    done: Deferred[None] = Deferred()
    seen: list[tuple[str, ...]] = []
    service.clear(Plan(5), signal.SIGKILL, lambda: done.callback(None), seen.append)
    await done
    assert len(seen) == 1 and f"[{main.pid}]" in seen[0][0]


@pytest_twisted.ensureDeferred
async def test_a_stop_ends_the_whole_tree(service: ProcessDriver) -> None:
    """Child, daemonised grandchild in its own session, and one whose parents are gone."""
    script = "sleep 600 & setsid sleep 601 & (setsid setsid sleep 602 &) ; exec sleep 603"
    told = Heard()
    main = started(service, shell(script), "tree-1", told)
    await until(lambda: len([p for p in service.members(thorough=True) if p.name == "sleep"]) == 4)
    await cleared(service, 10)
    assert service.members(thorough=True) == [] and service.left() == []
    assert dead(main.pid) and told.ends == []  # who is cleared is told no end


@pytest_twisted.ensureDeferred
async def test_what_ignores_the_signal_is_killed_in_time(service: ProcessDriver) -> None:
    """The main process and its child both ignore TERM."""
    main = started(service, shell("trap '' TERM; sleep 600 & echo on; while :; do sleep 0.1; done"), "deaf")
    await until(lambda: "on" in service.output.drain() or "on" in service.output.tail)
    begun = time.monotonic()
    await cleared(service, 0.3)
    assert dead(main.pid)
    assert time.monotonic() - begun >= 0.3


@pytest_twisted.ensureDeferred
async def test_a_service_is_taken_over_by_a_new_daemon(
    service: ProcessDriver, children: Children, tmp_path: Path
) -> None:
    """Found by pid and start time, and, where even that was not written down, by its mark."""
    main = started(service, shell("exec sleep 600"), "handed-on")
    other = service_in(tmp_path, children)
    assert not other.adopt(None, None, "handed-on", {}, Heard())
    await until(lambda: pids(other) == [main.pid])  # its mark cannot be read while it is just being executed
    told = Heard()
    assert other.adopt(None, main, "handed-on", {}, told)
    await cleared(other, 5)
    assert told.ends == [] and other.members(thorough=True) == []
    assert not other.adopt(None, main, "handed-on", {}, told)


@pytest_twisted.ensureDeferred
async def test_a_service_whose_record_is_lost_is_found_by_its_resource(children: Children, tmp_path: Path) -> None:
    """Where there are no cgroups nothing else names it, and a stop that finds nothing would lie."""
    name = f"lost-{os.getpid()}"
    one, other = (ProcessDriver(name, means_in(tmp_path, children)) for _ in range(2))
    try:
        main = started(one, shell("exec sleep 600"), "gone")
        assert other.members(thorough=True) == []  # of what was never started nothing is looked for
        other.adopt(None, None, "", {}, Heard())
        await until(lambda: pids(other) == [main.pid])
        await cleared(other, 5)
        assert dead(main.pid)
    finally:
        end(one)


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
def test_what_cannot_be_started_says_why(service: ProcessDriver, definition: Definition, code: int, says: str) -> None:
    """With the code that sends Pacemaker to another node."""
    with pytest.raises(CannotStart, match=says) as error:
        service.start(definition, "x", Heard())
    assert error.value.code == code


def test_a_file_that_is_no_program_says_so(service: ProcessDriver, tmp_path: Path) -> None:
    """The kernel knows: Exec format error."""
    path = tmp_path / "rubbish"
    path.write_bytes(b"\x7fELF rubbish")
    path.chmod(0o755)
    with pytest.raises(CannotStart, match="format"):
        service.start(Definition((str(path),)), "x", Heard())


@pytest_twisted.ensureDeferred
async def test_a_service_runs_as_its_user(service: ProcessDriver) -> None:
    """With that user's groups and home."""
    require_root()
    told = Heard()
    service.start(Definition(("/bin/sh", "-c", "id -un; id -gn; echo $HOME"), user="nobody"), "x", told)
    assert await told.end == 0
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
    deadline = time.monotonic() + 5
    while (found := processes.look(tool)) and found.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not (found and found.alive)
    left = processes.look(kept)
    assert left and left.alive
    processes.send_signal(left, signal.SIGKILL)
