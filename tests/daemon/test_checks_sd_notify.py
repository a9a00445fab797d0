"""What a service says by sd_notify(3): whom we believe, what it may cost, and when silence is a failure."""

from __future__ import annotations

import array
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.requirements import require_root
from tocsin_daemon.checks import notify_socket
from tocsin_daemon.checks.notify_message import LONGEST_STATUS, Message, parse
from tocsin_daemon.checks.notify_socket import PER_SECOND, SEARCHES_PER_SECOND, Notify, socket_path
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.checks.sd_notify import SdNotify
from tocsin_daemon.core.check import Outcome, Result, Spec
from tocsin_ocf.processes import Process, look


class Reactor(Clock):
    """A clock that also knows who reads."""

    def __init__(self) -> None:
        """Nobody reads."""
        super().__init__()
        self.readers: set[object] = set()

    def addReader(self, reader: object) -> None:
        """Note it."""
        self.readers.add(reader)

    def removeReader(self, reader: object) -> None:
        """Forget it."""
        self.readers.discard(reader)


class Service:
    """A notify socket whose service is this very process, unless a test says otherwise."""

    def __init__(self, path: str) -> None:
        """Listen."""
        self.reactor = Reactor()
        self.pids = [os.getpid()]
        self.asked = 0
        self.heard: list[Message] = []
        self.notify = Notify(self.reactor, path, self.members)
        self.notify.hear(self.heard.append)
        self.notify.listen()

    def members(self) -> list[Process]:
        """Return its processes."""
        self.asked += 1
        return [process for process in map(look, self.pids) if process]

    def say(self, *texts: str | bytes) -> None:
        """Send, as sd_notify does, and let the daemon read."""
        for text in texts:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(text if isinstance(text, bytes) else text.encode(), self.notify.path)
            self.read()

    def read(self, times: int = 1) -> None:
        """Read as the reactor would."""
        for _ in range(times):
            if self.notify in self.reactor.readers:
                self.notify.doRead()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return a service that has said nothing yet."""
    made = Service(str(tmp_path / "notify" / "9909" / "web"))
    yield made
    made.notify.close()
    assert not made.reactor.readers and not made.reactor.getDelayedCalls()


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


class Judged:
    """A check of the kind, and what it tells."""

    def __init__(self, service: Service, patience: str = "10s") -> None:
        """Begin to watch."""
        self.told: list[Outcome] = []
        self.lost = 0.0
        outside = Outside(
            reactor=service.reactor,
            resource="web",
            run=lambda program: Deferred(),
            notify=lambda: service.notify,
            lost=lambda: self.lost,
        )
        self.check = SdNotify(Spec("sd_notify", patience, "alive"), outside)
        self.check.begin(self.told.append)

    def results(self) -> list[Result]:
        """Return what was told, and forget it."""
        told, self.told[:] = [outcome.result for outcome in self.told], []
        return told


def test_signs_of_life_are_well_and_silence_is_bad(service: Service) -> None:
    """READY=1 is one; silence is said again and again until a sign comes."""
    judged = Judged(service)
    service.reactor.advance(9)
    service.say("READY=1")
    service.reactor.advance(9)
    service.say("WATCHDOG=1", "STATUS=busy", "ERRNO=28")
    service.reactor.advance(9.9)
    assert judged.results() == [Result.WELL, Result.WELL]
    service.reactor.advance(0.2)
    text = "no sign of life (WATCHDOG=1) for 10.1 s, one every 10 s is wanted; it says: busy; error: no space left"
    assert len(judged.told) == 1 and judged.told[0].text.startswith(text)
    service.reactor.advance(10)
    service.say("WATCHDOG=1")
    assert judged.results() == [Result.BAD, Result.BAD, Result.WELL]
    service.say("WATCHDOG=trigger")
    assert judged.results() == [Result.BAD]
    judged.check.end()
    service.say("WATCHDOG=1")
    assert judged.told == []


def test_time_that_was_lost_does_not_count(service: Service) -> None:
    """The daemon was starved for 7 of the seconds, and so may have been the service."""
    judged = Judged(service)
    service.reactor.advance(5)
    judged.lost = 7.0
    service.reactor.advance(11)
    assert judged.results() == []
    service.reactor.advance(1.1)
    assert judged.results() == [Result.BAD]
    judged.check.end()


def test_without_a_socket_nothing_is_judged() -> None:
    """It is an error of the check; not told from within begin."""
    clock = Clock()
    told: list[Outcome] = []
    outside = Outside(reactor=clock, resource="web", run=lambda program: Deferred())
    check = SdNotify(Spec("sd_notify", "10s", "alive"), outside)
    check.begin(told.append)
    assert told == []
    clock.advance(0)
    assert [outcome.result for outcome in told] == [Result.ERROR]
    check.end()


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
