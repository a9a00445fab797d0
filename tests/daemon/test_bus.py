"""D-Bus: what bytes mean, and a connection that comes back; with a dbus-daemon of the test's own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, Message, new_error, new_method_call, new_method_return, new_signal
from pytest_twisted import inlineCallbacks
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from tests.fakes.running import until
from tests.requirements import require_program
from tocsin_daemon.bus.bus import DBUS, FIRST_PAUSE, LONGEST_PAUSE, Bus, pause
from tocsin_daemon.bus.connection import BusError, Connection, NoBus
from tocsin_daemon.bus.message import LONGEST, PRIVATE, Address, Answer, Call, Conversation, Garbage, Rule, Signal
from tocsin_daemon.bus.message import addresses as addresses_in

CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""
SOMEBODY = DBusAddress("/x", "org.example", "org.example.Thing")
NAMES = Call(DBUS, "/org/freedesktop/DBus", DBUS, "ListNames")
COMES_AND_GOES = Rule(DBUS, DBUS, "NameOwnerChanged")


def opened() -> Conversation:
    """Return a conversation past its authentication."""
    conversation = Conversation()
    assert conversation.opening().startswith(b"\0AUTH EXTERNAL ")
    assert conversation.feed(b"OK 0123\r\n") == (b"BEGIN\r\n", [])
    return conversation


def said() -> bytes:
    """Return an answer, an error and a signal, as a bus would send them."""
    call = new_method_call(SOMEBODY, "Do")
    call.header.serial = 5
    messages: list[Message] = [
        new_method_return(call, "su", ("yes", 3)),
        new_error(call, "org.example.No", "s", ("no",)),
        new_signal(SOMEBODY, "Happened", "v", (("s", "now"),)),
        new_method_call(SOMEBODY, "NotOurs"),
    ]
    return b"".join(message.serialise(serial + 1) for serial, message in enumerate(messages))


HEARD = [
    Answer(5, ("yes", 3)),
    Answer(5, ("no",), "org.example.No"),
    Signal("", "/x", "org.example.Thing", "Happened", (("s", "now"),)),
]


def test_messages_are_read_whatever_pieces_they_come_in() -> None:
    """Split anywhere, and byte by byte; methods that somebody calls of us are not ours."""
    data = said()
    for cut in range(0, len(data) + 1, 7):
        conversation = opened()
        pieces = [conversation.feed(piece)[1] for piece in (data[:cut], data[cut:])]
        assert [*pieces[0], *pieces[1]] == HEARD
    conversation = opened()
    assert [value for byte in data for value in conversation.feed(bytes([byte]))[1]] == HEARD


@pytest.mark.parametrize("chunk", [1000, 65536, 10**9])
def test_a_message_that_is_too_long_is_skipped(chunk: int) -> None:
    """Anybody may send us one; what follows it is read."""
    long = new_signal(SOMEBODY, "Flood", "s", ("x" * (LONGEST + 5),)).serialise(1)
    conversation, data = opened(), long + said() + long + said()
    heard = [value for at in range(0, len(data), chunk) for value in conversation.feed(data[at : at + chunk])[1]]
    assert heard == HEARD * 2 and len(conversation._buffer) == 0


@pytest.mark.parametrize(
    "answer", [b"REJECTED ANONYMOUS\r\n", b"HTTP/1.1 400 Bad Request\r\n", b"x" * 9000, b"OK 1\r\nmore"]
)
def test_who_does_not_let_us_in_is_left(answer: bytes) -> None:
    """Whoever it is."""
    with pytest.raises(Garbage):
        Conversation().feed(answer)


@pytest.mark.parametrize(
    "garbage", [b"G" * 100, b"l\x07\0\1" + b"\0" * 12, b"l\2\0\1\0\0\0\0\1\0\0\0\x08\0\0\0" + b"\xff" * 8]
)
def test_garbage_has_a_name(garbage: bytes) -> None:
    """No traceback of the library's."""
    with pytest.raises(Garbage):
        opened().feed(garbage + b"\0" * 64)


def test_the_bus_is_where_the_environment_says() -> None:
    """Or where it always is; systemd itself only for root, and after it."""
    usual = Address("/run/dbus/system_bus_socket")
    assert list(addresses_in({}, root=False)) == [usual]
    assert list(addresses_in({"DBUS_SYSTEM_BUS_ADDRESS": "unix:abstract=x,guid=1"}, root=False)) == [Address("\0x")]
    assert list(addresses_in({"DBUS_SYSTEM_BUS_ADDRESS": "tcp:host=x"}, root=True)) == [usual, Address(PRIVATE, True)]
    assert list(addresses_in({"DBUS_SYSTEM_BUS_ADDRESS": "nonsense"}, root=False)) == [usual]


def test_a_rule_names_what_matters() -> None:
    """As AddMatch takes it."""
    rule = Rule("a.b", "c.d", "Changed", first="x")
    assert str(rule) == "type='signal',sender='a.b',interface='c.d',member='Changed',arg0='x'"


def test_an_answer_that_does_not_come_is_no_answer() -> None:
    """Nor does it come later; a call that was given up is nobody's any more."""
    clock, heard = Clock(), [Signal("", "", "", "", ())][:0]
    connection = Connection(clock, lambda: None, heard.append)
    connection.makeConnection(StringTransport())
    connection.dataReceived(b"OK 1\r\n")
    failures: list[Any] = []
    connection.call(NAMES, 3).addErrback(failures.append)
    connection.call(NAMES, 3).addErrback(lambda _: None).cancel()
    clock.advance(3)
    assert failures[0].check(NoBus) and "ListNames within 3 s" in failures[0].getErrorMessage()
    assert clock.getDelayedCalls() == []
    connection.dataReceived(said())
    assert heard == HEARD[2:]


def test_a_pause_grows_and_stays_bearable() -> None:
    """However long the bus is away."""
    assert pause(0) == FIRST_PAUSE and pause(1000) == LONGEST_PAUSE


class Listening:
    """Keeps what a bus tells."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.told: list[str] = []
        self.signals: list[Signal] = []
        self.heard = self.signals.append

    def connected(self, *, direct: bool) -> None:
        """Note it."""
        self.told.append("direct" if direct else "connected")

    def disconnected(self, why: str) -> None:
        """Note it."""
        self.told.append("disconnected")


Daemon = Callable[[], "subprocess.Popen[str]"]
Steps = Generator["Deferred[Any]", Any, None]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Return what starts a dbus-daemon at the same place each time."""
    program, config, started = require_program("dbus-daemon"), tmp_path / "conf", []
    config.write_text(CONFIG.format(path=tmp_path / "bus"))

    def start() -> subprocess.Popen[str]:
        argv = [program, f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"]
        started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        assert started[-1].stdout and started[-1].stdout.readline()
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    """Return a connection to it."""
    bus = Bus(reactor, [Address(str(tmp_path / "bus"))])
    bus.listener = Listening()
    yield bus
    bus.close()


@inlineCallbacks
def test_a_call_is_answered(daemon: Daemon, bus: Bus) -> Steps:
    """It makes the connection; an error has its name."""
    daemon()
    (names,) = yield bus.call(NAMES)
    assert DBUS in names and bus.connected
    with pytest.raises(BusError) as error:
        yield bus.call(Call("org.example", "/", "org.example.X", "Do"))
    assert error.value.name == f"{DBUS}.Error.NameHasNoOwner" and not isinstance(error.value, NoBus)


@inlineCallbacks
def test_without_a_bus_a_call_fails_at_once(bus: Bus) -> Steps:
    """It says where there is none."""
    with pytest.raises(NoBus, match=r"no D-Bus: .*/bus"):
        yield bus.call(NAMES)


@inlineCallbacks
def test_a_listener_hears_again_after_the_bus_was_restarted(daemon: Daemon, bus: Bus, tmp_path: Path) -> Steps:
    """What was asked meanwhile has no answer; rules are given anew."""
    first, listening = daemon(), bus.listener
    assert isinstance(listening, Listening)
    bus.listen(COMES_AND_GOES)
    (names,) = yield bus.call(NAMES)
    unanswered: Deferred[Any] = bus.call(Call(max(names), "/", "x.y", "Nobody"))
    first.kill()
    with pytest.raises(NoBus):
        yield unanswered
    yield until(lambda: "disconnected" in listening.told)
    daemon()
    yield until(lambda: listening.told[-1] == "connected")
    other = Bus(reactor, [Address(str(tmp_path / "bus"))])
    yield other.call(NAMES)
    yield until(lambda: any(signal.member == "NameOwnerChanged" for signal in listening.signals))
    other.close()
    bus.unlisten(COMES_AND_GOES)
