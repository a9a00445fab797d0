"""The port: who knows the token gets one answer, everybody else gets nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent

from tocsin_daemon.control import MAX_STRANGERS, REQUEST_SECONDS, STRANGERS_BYTES, Control, ControlFactory
from tocsin_daemon.core.answers import Answer
from tocsin_ocf import wire

TOKEN, PROOF = "t" * 32, "p" * 32
GOOD = wire.request_line(TOKEN, "MONITOR", "web")


class Transport(StringTransport):
    """A transport that also knows how to be cut off, and to be read at once."""

    protocol: Control

    waiting = b""

    def doRead(self) -> None:
        """Hand over what waits in the socket."""
        if self.waiting:
            self.protocol.dataReceived(self.waiting)

    def abortConnection(self) -> None:
        """Note it, and tell the protocol as a socket would."""
        self.aborting = True
        self.loseConnection()


class Port:
    """A port whose requests wait until the test answers."""

    def __init__(self) -> None:
        """Nobody has asked."""
        self.clock = Clock()
        self.asked: list[wire.Request] = []
        self.answer: Deferred[Answer] = succeed(Answer(0))
        self.factory = ControlFactory(self.clock, (TOKEN, PROOF), self.ask)

    def ask(self, request: wire.Request) -> Deferred[Answer]:
        """Note the request."""
        self.asked.append(request)
        return self.answer

    def connect(self) -> tuple[Control, Transport]:
        """Return a new connection."""
        connection, transport = self.factory.buildProtocol(None), Transport()  # type: ignore[arg-type]
        transport.protocol = connection
        connection.makeConnection(transport)
        return connection, transport


def test_a_request_is_answered_with_proof_and_the_connection_closed() -> None:
    """One line each way."""
    port = Port()
    connection, transport = port.connect()
    connection.dataReceived(GOOD)
    assert wire.parse_reply(transport.value().rstrip(b"\n"), PROOF) == (0, "")
    assert transport.disconnecting
    assert port.clock.getDelayedCalls() == []


@pytest.mark.parametrize("cut", range(1, len(GOOD)))
def test_a_request_may_come_in_pieces(cut: int) -> None:
    """Cut anywhere."""
    port = Port()
    connection, transport = port.connect()
    connection.dataReceived(GOOD[:cut])
    assert transport.value() == b""
    connection.dataReceived(GOOD[cut:])
    assert transport.value()


def test_only_the_first_line_counts() -> None:
    """One request per connection."""
    port = Port()
    port.answer = Deferred()
    connection, _ = port.connect()
    connection.dataReceived(GOOD + GOOD)
    connection.dataReceived(GOOD)
    assert len(port.asked) == 1


STRANGERS = [
    b"\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"tocsin/1 wrong MONITOR web\n",
    b"tocsin/1 wrong STOP web\n",
    b"tocsin/1  STOP web\n",
    b"tocsin/2 wrong STOP web\n",
    b"tocsin/1\n",
    b"\xff\xfe\n",
    TOKEN[:-1].encode() + b"\n",
]


@pytest.mark.parametrize("line", STRANGERS)
def test_a_stranger_gets_no_byte_and_asks_nothing(line: bytes) -> None:
    """Whatever they say."""
    port = Port()
    connection, transport = port.connect()
    connection.dataReceived(line)
    assert transport.value() == b""
    assert transport.disconnecting
    assert port.asked == []


@given(st.binary(max_size=300))
def test_no_bytes_of_a_stranger_reach_the_daemon(data: bytes) -> None:
    """Nor do they get any back."""
    port = Port()
    connection, transport = port.connect()
    connection.dataReceived(data + b"\n")
    assert port.asked == []
    assert transport.value() == b""


def test_who_knows_the_token_is_told_what_is_wrong() -> None:
    """An agent of another version fails with a reason."""
    port = Port()
    connection, transport = port.connect()
    connection.dataReceived(f"tocsin/2 {TOKEN} DANCE web\n".encode())
    code, text = wire.parse_reply(transport.value().rstrip(b"\n"), PROOF)
    assert code == 2
    assert "tocsin/1" in text


def test_an_endless_line_is_cut_off() -> None:
    """Also of who knows the token."""
    port = Port()
    connection, transport = port.connect()
    for data in (GOOD[:-1], b"x" * wire.MAX_REQUEST):
        connection.dataReceived(data)
    assert transport.aborting
    assert port.asked == []


@pytest.mark.parametrize("begins", [b"x", b"tocsin/1 " + b"u" * 32 + b" START web "])
def test_a_stranger_has_no_mebibyte_to_send(begins: bytes) -> None:
    """Whoever has not shown the token by then is cut off: there are many strangers, and their lines are our memory."""
    port = Port()
    connection, transport = port.connect()
    connection.dataReceived(begins.ljust(STRANGERS_BYTES, b"x"))
    assert not transport.disconnecting
    connection.dataReceived(b"x")
    assert transport.aborting


def test_a_request_of_a_big_cluster_comes_in_pieces() -> None:
    """What notify lists is long, and a socket gives as much as it has."""
    port = Port()
    connection, _ = port.connect()
    line = wire.request_line(TOKEN, "NOTIFY", "web", f'"{"x" * (wire.MAX_REQUEST - 100)}"')
    for start in range(0, len(line), 1448):
        connection.dataReceived(line[start : start + 1448])
    assert len(port.asked) == 1
    assert len(port.asked[0].body) > wire.MAX_REQUEST - 100


def test_a_slow_sender_is_cut_off() -> None:
    """Two seconds for one line."""
    port = Port()
    connection, transport = port.connect()
    connection.dataReceived(GOOD[:10])
    port.clock.advance(REQUEST_SECONDS - 0.1)
    assert not transport.disconnecting
    port.clock.advance(0.2)
    assert transport.disconnecting


def test_a_request_under_way_is_not_cut_off() -> None:
    """A stop may take minutes."""
    port = Port()
    port.answer = Deferred()
    connection, transport = port.connect()
    connection.dataReceived(GOOD)
    port.clock.advance(600)
    assert not transport.disconnecting
    port.answer.callback(Answer(0))
    assert transport.value()


def test_a_crowd_makes_room_for_the_newcomer() -> None:
    """The one that has waited longest goes; root's request is read at once."""
    port = Port()
    crowd = [port.connect()[1] for _ in range(MAX_STRANGERS)]
    assert not any(transport.disconnecting for transport in crowd)
    connection, transport = port.connect()
    assert crowd[0].disconnecting and not crowd[1].disconnecting
    connection.dataReceived(GOOD)
    assert transport.value()


def test_who_makes_room_is_read_for_the_last_time() -> None:
    """In a flood root's request is in its socket, but its turn has not come."""
    port = Port()
    _, transport = port.connect()
    transport.waiting = GOOD
    for _ in range(MAX_STRANGERS):
        port.connect()
    assert transport.value()
    assert len(port.asked) == 1


def test_a_flood_of_newlines_is_one_line(critical_events: list[LogEvent]) -> None:
    """The rest is not even looked at."""
    port = Port()
    connection, transport = port.connect()
    connection.dataReceived(b"\n" * 60_000)
    assert transport.disconnecting and port.asked == []


def test_a_client_that_vanishes_cancels_its_request() -> None:
    """Pacemaker killed it."""
    port = Port()
    gone: list[bool] = []
    port.answer = Deferred(lambda _: gone.append(True))
    connection, transport = port.connect()
    connection.dataReceived(GOOD)
    connection.connectionLost(None)  # type: ignore[arg-type]
    assert gone == [True]
    assert transport.value() == b""


def test_a_bug_is_answered_as_an_error_and_logged(critical_events: list[LogEvent]) -> None:
    """The agent does not wait for an answer that never comes."""
    port = Port()
    port.answer = fail(RuntimeError("oops"))
    connection, transport = port.connect()
    connection.dataReceived(GOOD)
    assert wire.parse_reply(transport.value().rstrip(b"\n"), PROOF) == (1, "tocsind: oops")
    assert len(critical_events) == 1
    critical_events.clear()
