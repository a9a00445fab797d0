"""Whom a pid file may name: nobody who is none of the service, whoever writes what into it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import pytest_twisted

from tests.fakes.forking import born, forking, looked
from tests.fakes.running import Heard, cleared, dead, ours, python, until
from tocsin_daemon.children import Child, Program
from tocsin_daemon.drivers import Means
from tocsin_daemon.drivers.pidfile import FEW_LOOKS, PidfileDriver, read_pid
from tocsin_daemon.drivers.process import ProcessDriver


@pytest.fixture
def service(forked: PidfileDriver) -> PidfileDriver:
    """Have it fork."""
    return forked


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("what", ["setsid", "setsid,double,scrub"])
async def test_whoever_is_none_of_the_service_is_ignored_until_the_file_changes(
    service: PidfileDriver, means: Means, path: Path, what: str
) -> None:
    """Pid 1, we ourselves, a stranger that is older, or younger, and rubbish."""

    def stranger() -> Child:
        return means.children.spawn(Program(["/bin/sleep", "600"], {}), lambda _: None, stdout=2, stderr=2)

    older, told = stranger(), Heard()
    for text in ("1", str(os.getpid()), str(older.pid), "", "\n", "-1", "x" * 9000, "9" * 30, "0x10", "\0"):
        path.write_text(text)
        assert service._named() is None
    service.start(forking(path, "silent", what, "slow"), ours("stranger"), told)
    younger = stranger()
    for process in (older, younger):
        path.write_text(f"{process.pid}\n")
        await looked(service, FEW_LOOKS + 1)
        assert told.ups == []
    daemon = await born(path)
    path.write_text(f"{daemon}")
    await until(lambda: told.ups != [])
    await cleared(service, 5)
    await until(lambda: dead(daemon))
    for process in (older, younger):
        assert process.alive
        process.send_signal(signal.SIGKILL)


@pytest_twisted.ensureDeferred
async def test_an_orphan_of_another_service_is_a_stranger(service: PidfileDriver, means: Means, path: Path) -> None:
    """Even where the pid file names it: that service's mark, its session, or what was seen of it, tells."""
    other = ProcessDriver("db", means)
    other.start(python("import os, time; os.fork() or os.setsid(); time.sleep(600)"), ours("other"), Heard())
    told = Heard()
    service.start(forking(path, "silent", "setsid"), ours("orphan"), told)
    await until(lambda: len(other.members(thorough=True)) == 2)
    assert other.main
    os.kill(other.main.pid, signal.SIGKILL)
    await until(lambda: len(other.members(thorough=True)) == 1)
    (orphan,) = other.members(thorough=True)
    path.write_text(f"{orphan.pid}\n")
    await looked(service, FEW_LOOKS + 1)
    assert told.ups == []
    await cleared(service, 5)
    assert not dead(orphan.pid)
    await cleared(other, 5)


@pytest.mark.parametrize("kind", ["pipe", "directory", "link", "device"])
def test_a_pid_file_that_is_none_holds_nobody_up(path: Path, kind: str) -> None:
    """Its directory may be another user's."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/etc/passwd" if kind == "link" else "/dev/zero")
    assert read_pid(str(path)) is None


def test_the_first_line_of_a_pid_file_counts(path: Path) -> None:
    """PostgreSQL's has more, and others write spaces."""
    path.write_text(" 4711 \n/var/lib/postgresql\n1700000000\n5432\n")
    assert read_pid(str(path)) == 4711
