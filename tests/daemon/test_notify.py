"""What the daemon says to who started it, on real sockets and a clock that stands still."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from tocsin_daemon.notify import Starter, summary


class Ear:
    """Who started the daemon, and listens."""

    def __init__(self, path: str) -> None:
        """Listen from now on."""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(path)
        self.name = self.socket.getsockname()

    def heard(self) -> "list[str]":
        """Return what has been said since the last time."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    """Return one that listens at a path."""
    made = Ear(str(tmp_path / "notify"))
    yield made
    made.socket.close()


def asked_by(ear: Ear, **more: str) -> "dict[str, str]":
    """Return the environment that it starts the daemon with."""
    return {"PATH": "/bin", "NOTIFY_SOCKET": ear.name, **more}


def test_nobody_below_the_daemon_hears_of_its_socket(ear: Ear) -> None:
    """A service that said READY=1, or nothing in time, would be taken for the daemon."""
    environ = asked_by(ear, WATCHDOG_USEC="1000000", WATCHDOG_PID=str(os.getpid()))
    Starter(environ)
    assert environ == {"PATH": "/bin"}


def test_several_lines_are_one_message(ear: Ear) -> None:
    """As sd_notify(3) has it."""
    Starter(asked_by(ear)).tell("READY=1", "STATUS=well")
    assert ear.heard() == ["READY=1\nSTATUS=well"]


def test_an_abstract_socket_is_found() -> None:
    """The agent's own has no file."""
    ear = Ear("")
    Starter({"NOTIFY_SOCKET": f"@{ear.name[1:].decode()}"}).tell("READY=1")
    assert ear.heard() == ["READY=1"]
    ear.socket.close()


def test_who_is_gone_or_never_asked_does_not_matter(ear: Ear) -> None:
    """The agent listens until the daemon is ready, and no longer."""
    starter = Starter(asked_by(ear))
    ear.socket.close()
    starter.tell("STATUS=well")
    Starter({}).tell("STATUS=well")


def test_who_does_not_read_is_not_waited_for(ear: Ear) -> None:
    """A systemd that is stuck must not stop the reactor."""
    starter = Starter(asked_by(ear))
    for _ in range(10000):
        starter.tell("STATUS=" + "x" * 1000)
    assert 0 < len(ear.heard()) < 10000


def test_a_watchdog_hears_twice_in_its_patience_that_the_reactor_turns(ear: Ear) -> None:
    """And at once: its time runs since READY=1."""
    clock = Clock()
    signs = Starter(asked_by(ear, WATCHDOG_USEC="10000000")).tell_that_we_live(clock)
    assert signs is not None and ear.heard() == ["WATCHDOG=1"]
    clock.advance(4.9)
    assert ear.heard() == []
    clock.pump([0.2, 5.0])
    assert ear.heard() == ["WATCHDOG=1"] * 2
    signs.stop()
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    "variables", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}]
)
def test_without_a_watchdog_nothing_is_said(ear: Ear, variables: "dict[str, str]") -> None:
    """Nor where it waits for another process."""
    clock = Clock()
    assert Starter(asked_by(ear, **variables)).tell_that_we_live(clock) is None
    assert (clock.getDelayedCalls(), ear.heard()) == ([], [])


def test_a_status_is_said_when_it_has_changed(ear: Ear) -> None:
    """Not every second."""
    starter = Starter(asked_by(ear))
    for text in (summary([]), summary([]), summary(["running", "failed", "running"])):
        starter.tell_status(text)
    assert ear.heard() == ["STATUS=no resources", "STATUS=1 failed, 2 running"]
