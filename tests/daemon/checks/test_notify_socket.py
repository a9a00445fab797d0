"""What a service says by sd_notify(3): whom we believe, and what it may cost."""

from __future__ import annotations

import array
import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.speaking import Reactor, Service
from tests.requirements import require_root
from tocsin_daemon.checks import notify_socket
from tocsin_daemon.checks.notify_message import LONGEST_STATUS, Message, parse
from tocsin_daemon.checks.notify_socket import PER_SECOND, SEARCHES_PER_SECOND, Notify, socket_path


def test_what_is_said_is_read() -> None:
    """What is not understood says nothing, and a status is one printable line."""
    assert parse(b"READY=1\nSTATUS=up\nMAINPID=12\n") == Message(ready=True, status="up", main_pid=12)
    assert parse(b"WATCHDOG=1") == Message(watchdog="1")
    assert parse(b"STOPPING=1\nERRNO=13\nWATCHDOG=trigger") == Message(stopping=True, errno=13, watchdog="trigger")
    assert parse(b"READY=0\nWATCHDOG=2\nERRNO=-1\nMAINPID=1e3\nX\n=\n\0\xff") == Message()
    assert parse(b"STATUS=a\x1b[2Jb\0" + b"c" * 1000).status == "a?[2Jb?" + "c" * (LONGEST_STATUS - 7)


def test_the_service_is_heard(service: Service) -> None:
    """And asked for once: who is believed stays so."""
    service.say("READY=1\nSTATUS=up", "WATCHDOG=1", f"MAINPID={os.getpid()}")
    assert (service.notify.ready, service.notify.status, service.notify.main_pid) == (True, "up", os.getpid())
    assert [message.watchdog for message in service.heard] == ["", "1", ""]
    assert service.asked == 1
    assert service.notify.environment(1.5) == {"NOTIFY_SOCKET": service.notify.path, "WATCHDOG_USEC": "1500000"}


def test_a_stranger_is_not_believed(service: Service) -> None:
    """Not even root: the kernel says who sent it. A stranger's pid is no main process either."""
    service.pids = [1]
    service.say("READY=1")
    assert not service.notify.ready and not service.heard
    service.pids = [os.getpid()]
    service.say("MAINPID=1", "MAINPID=0", "MAINPID=999999999")
    assert service.notify.main_pid == 0 and len(service.heard) == 3


def test_only_the_services_user_may_write_and_others_may_not_list(tmp_path: Path) -> None:
    """Whatever our umask is; somebody else's flood would keep the service from speaking."""
    require_root()
    notify = Notify(Reactor(), str(tmp_path / "notify" / "1" / "web"), list)
    former = os.umask(0o077)
    try:
        notify.listen(65534)
    finally:
        os.umask(former)
    found = os.stat(notify.path)
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (65534, 0o600)
    for directory in (tmp_path / "notify", tmp_path / "notify" / "1"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o711
    assert os.listdir(tmp_path / "notify" / "1") == ["web"]
    notify.close()
    assert not os.path.exists(notify.path)


def test_a_new_daemon_takes_the_place_of_the_old_one(service: Service) -> None:
    """The path is never missing, and the next message reaches the new one; without a daemon it is refused at once."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        service.notify.close(keep_path=True)
        with pytest.raises(ConnectionRefusedError):
            sender.sendto(b"WATCHDOG=1", service.notify.path)
        service.notify.listen()
        sender.sendto(b"WATCHDOG=1", service.notify.path)
    service.read()
    assert [message.watchdog for message in service.heard] == ["1"]


def test_a_flood_waits_in_the_kernel(service: Service) -> None:
    """The daemon reads so many a second, and goes on in the next one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for _ in range(20):
            try:
                while True:
                    sender.sendto(b"WATCHDOG=1", service.notify.path)
            except BlockingIOError:
                service.read(11)
    assert len(service.heard) == PER_SECOND and service.notify not in service.reactor.readers
    service.reactor.advance(1)
    service.read()
    assert len(service.heard) == PER_SECOND + 1


def test_strangers_cost_few_searches(service: Service) -> None:
    """A search may take a tenth of a second; a message that has to wait for one is not lost."""
    service.pids = []
    service.say(*["READY=1"] * (SEARCHES_PER_SECOND + 1))
    assert service.asked == SEARCHES_PER_SECOND
    service.pids = [os.getpid()]
    service.reactor.advance(1)
    assert service.notify.ready


def test_a_datagram_that_is_too_long_is_dropped(service: Service) -> None:
    """Its end is missing."""
    service.say("STATUS=" + "x" * 5000 + "\nREADY=1")
    assert not service.heard


def test_descriptors_are_closed_which_answers_a_barrier(service: Service) -> None:
    """sd_notify_barrier(3): the sender waits until its pipe is closed. A flood of descriptors leaves none."""
    before = len(os.listdir("/proc/self/fd"))
    for count in (1, 16, 50):
        reading, writing = os.pipe()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            fds = array.array("i", [writing] * count)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]
            sender.sendmsg([b"BARRIER=1"], rights, 0, service.notify.path)
        os.close(writing)
        service.read()
        assert os.read(reading, 1) == b""
        os.close(reading)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(not shutil.which("systemd-notify"), reason="needs systemd-notify")
def test_systemd_notify_is_believed(service: Service) -> None:
    """It lives only as long as its barrier: READY=1 has been read by then."""
    environment = {"NOTIFY_SOCKET": service.notify.path, "PATH": os.environ["PATH"]}
    with subprocess.Popen(["systemd-notify", "--ready", "--status=up"], env=environment) as process:
        service.pids.append(process.pid)
        for _ in range(500):
            service.read()
            if process.poll() is not None:
                break
            service.reactor.advance(0.01)
            try:
                process.wait(0.01)
            except subprocess.TimeoutExpired:
                continue
    assert process.returncode == 0 and service.notify.ready and service.notify.status == "up"


def test_a_long_name_gets_a_short_path() -> None:
    """unix(7) has room for 107 bytes."""
    assert socket_path("/run/tocsin", 9909, "web") == "/run/tocsin/notify/9909/web"
    names = {socket_path("/run/tocsin", 9909, "x" * 90 + end) for end in "ab"}
    assert len(names) == 2 and all(len(name) <= notify_socket.LONGEST_PATH - 4 for name in names)


def test_a_process_of_another_user_is_kept_out(tmp_path: Path) -> None:
    """The file's rights do that, before anybody is asked who it is."""
    require_root()
    tmp_path.chmod(0o755)
    directory = Path("/tmp") / f"tocsin-test-{os.getpid()}"
    notify = Notify(Reactor(), str(directory / "1" / "web"), list)
    notify.listen()
    send = f"import socket, os; os.setuid(65534); socket.socket(1, 2).sendto(b'READY=1', {notify.path!r})"
    try:
        ended = subprocess.run([sys.executable, "-c", send], capture_output=True, text=True, check=False)
    finally:
        notify.close()
        shutil.rmtree(directory)
    assert "PermissionError" in ended.stderr
