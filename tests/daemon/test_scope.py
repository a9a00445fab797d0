"""Moving a service into its scope: what is asked of systemd, and when it is asked again."""

from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher

from tocsin_daemon.core.record import Main
from tocsin_daemon.scope import PAUSES, Scopes
from tocsin_ocf.pacemaker import Command, Reply
from tocsin_ocf.processes import Process

SCOPE = "tocsin-9909-web.scope"


class Systemd:
    """Moves processes when it is told to, or refuses."""

    def __init__(self, proc: Path, *, willing: bool = True) -> None:
        """Write into this /proc."""
        self.asked: list[Command] = []
        self._proc = proc
        self.willing = willing

    def run(self, command: Command) -> "Deferred[Reply]":
        """Do as `busctl` says."""
        self.asked.append(command)
        words = command.argv
        begin = words.index("au") + 1 if "au" in words else words.index("ssau") + 3
        if self.willing:
            for pid in words[begin + 1 : begin + 1 + int(words[begin])]:
                self.put(int(pid), f"/system.slice/{SCOPE}")
        return succeed(Reply(0) if self.willing else Reply(1, stderr="no bus"))

    def put(self, pid: int, cgroup: str) -> None:
        """Have a process in a cgroup."""
        (self._proc / str(pid)).mkdir(exist_ok=True)
        (self._proc / str(pid) / "cgroup").write_text(f"1:name=systemd:/\n0::{cgroup}\n")

    @property
    def methods(self) -> "list[str]":
        """What was called."""
        return [next(word for word in command.argv if word in METHODS) for command in self.asked]


METHODS = ("StartTransientUnit", "AttachProcessesToUnit")


class Service:
    """A service of given processes."""

    def __init__(self, resource: str, *pids: int) -> None:
        """Take the first for the main one."""
        self.resource = resource
        self.main = Main(pids[0], 7, "boot") if pids else None
        self.pids = list(pids)
        self.looks = 0

    def members(self, *, thorough: bool) -> "list[Process]":
        """Return who lives."""
        self.looks += 1
        return [Process(pid, "x", "S", 1, 10, 7) for pid in self.pids]


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Return a /proc of nobody."""
    return tmp_path


@pytest.fixture
def systemd(proc: Path) -> Systemd:
    """Return one that does what it is told."""
    return Systemd(proc)


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


@pytest.fixture
def scopes(systemd: Systemd, clock: Clock, proc: Path) -> Scopes:
    """Return the scopes of a daemon under systemd."""
    return Scopes(9909, clock, systemd.run, proc=str(proc), booted=str(proc))


def test_a_service_is_moved_as_a_whole_and_once(scopes: Scopes, systemd: Systemd, clock: Clock) -> None:
    """However often it is looked after."""
    web = Service("web", 10, 11)
    systemd.put(10, "/x"), systemd.put(11, "/x")
    for _ in range(3):
        scopes.look_after(web)
        clock.advance(1)
    (command,) = systemd.asked
    assert command.argv[-1] == "0" and SCOPE in command.argv
    assert "PIDs au 2 10 11 Slice s system.slice" in " ".join(command.argv)
    assert clock.getDelayedCalls() == [] and web.looks == 2


def test_who_was_forked_meanwhile_follows(scopes: Scopes, systemd: Systemd, clock: Clock) -> None:
    """It is still where its parent was."""
    web = Service("web", 10)
    systemd.put(10, "/x"), systemd.put(12, "/x")
    scopes.look_after(web)
    web.pids.append(12)
    clock.pump(PAUSES)
    assert systemd.methods == ["StartTransientUnit", "AttachProcessesToUnit"]
    assert systemd.asked[1].argv[-4:] == (SCOPE, "", "1", "12")


def test_the_next_incarnation_is_moved_too(scopes: Scopes, systemd: Systemd, clock: Clock) -> None:
    """It has another main process."""
    for pid in (10, 20):
        systemd.put(pid, "/x")
        scopes.look_after(Service("web", pid))
        clock.pump(PAUSES)
    assert systemd.methods == ["StartTransientUnit"] * 2


def test_one_that_is_there_already_is_left_alone(scopes: Scopes, systemd: Systemd) -> None:
    """A former daemon has moved it, and it may have divided its scope."""
    systemd.put(10, f"/system.slice/{SCOPE}/workers")
    scopes.look_after(Service("web", 10))
    assert systemd.asked == []


def test_a_refusal_is_tried_again_and_then_told(scopes: Scopes, systemd: Systemd, clock: Clock) -> None:
    """A scope of the same name takes a moment to be forgotten; without D-Bus there is none for long."""
    said: list[LogEvent] = []
    globalLogPublisher.addObserver(said.append)
    systemd.willing = False
    systemd.put(10, "/x")
    scopes.look_after(Service("web", 10))
    clock.pump(PAUSES)
    globalLogPublisher.removeObserver(said.append)
    assert len(systemd.asked) == len(PAUSES) and clock.getDelayedCalls() == []
    assert [(event["name"], event["pids"], event["why"]) for event in said] == [(SCOPE, [10], "exit status 1: no bus")]


@pytest.mark.parametrize("service", [Service("web"), Service("web", 99), Service("wéb", 10)])
def test_nothing_is_asked_for_who_does_not_run_or_has_a_name_systemd_refuses(
    scopes: Scopes, systemd: Systemd, service: Service
) -> None:
    """It keeps the cgroup that it has."""
    systemd.put(10, "/x")
    scopes.look_after(service)
    assert systemd.asked == []


def test_without_systemd_nothing_is_asked(systemd: Systemd, clock: Clock, proc: Path) -> None:
    """Only where it is pid 1, whatever is installed."""
    systemd.put(10, "/x")
    Scopes(9909, clock, systemd.run, proc=str(proc), booted=str(proc / "none")).look_after(Service("web", 10))
    assert systemd.asked == []
