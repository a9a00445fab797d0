"""Processes under watch: their end is told once, with its status, and none is left a zombie."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from tests.fakes.running import (
    dead,
    ours,
    started,
    until,
)
from tests.requirements import require_root
from tocsin_daemon import entrance
from tocsin_daemon.children import Children, Program
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_ocf import processes
from tocsin_ocf.definition import Definition

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


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
    main = started(service, Definition(("/bin/sleep", "600"), user=user), ours("own"))
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
