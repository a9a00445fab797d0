"""Where metrics are served: what whoever asks can get and do, and how late the event loop is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure as Why

from tocsin_daemon.metrics import endpoint
from tocsin_daemon.metrics.address import Address, BadAddress, parse
from tocsin_daemon.metrics.beat import EVERY, Beat
from tocsin_daemon.metrics.endpoint import FRESH, LONGEST, MOST_CONNECTIONS, Guarded, serve, site

WHERE = IPv4Address("TCP", "127.0.0.1", 1)


def test_the_beat_tells_how_late_it_is() -> None:
    """In seconds."""
    clock, late = Clock(), list[float]()
    Beat(clock, late.append)
    clock.advance(EVERY)
    clock.advance(EVERY + 0.25)
    assert late == [0.0, 0.25]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9910", Address("127.0.0.1", 9910)),
        ("localhost:9910", Address("127.0.0.1", 9910)),
        ("[::1]:9910", Address("::1", 9910)),
        ("/run/tocsin/metrics", Address(path="/run/tocsin/metrics")),
    ],
)
def test_loopback_and_paths_are_addresses(text: str, address: Address) -> None:
    """And are shown as they may be given."""
    assert parse(text) == address and parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["0.0.0.0:9910", "[::]:1", "192.0.2.1:80", "9910", ":9910", "127.0.0.1:0", "127.0.0.1:99999", "host:1", "x"]
)
def test_nothing_else_is(text: str) -> None:
    """What the network could reach above all."""
    with pytest.raises(BadAddress):
        parse(text)


class Pages:
    """Makes a page of two pieces, and counts."""

    def __init__(self) -> None:
        """None yet."""
        self.made = 0
        self.wrong = False

    def pieces(self) -> Iterator[bytes]:
        """Yield it."""
        self.made += 1
        yield b"a 1\n"
        if self.wrong:
            raise ValueError
        yield b"b 2\n"


class Transport(StringTransport):
    """A connection in memory, which tells the other side of its end."""

    aborted = False

    def abortConnection(self) -> None:
        """End at once."""
        self.aborted = True
        super().abortConnection()


class Served:
    """The endpoint on a clock."""

    def __init__(self) -> None:
        """Nobody is connected."""
        self.clock, self.pages = Clock(), Pages()
        self.factory: Guarded = site(self.clock, self.pages)

    def connect(self, request: bytes = b"") -> tuple[object, Transport]:
        """Connect, and send this."""
        protocol, transport = self.factory.buildProtocol(WHERE), Transport()
        assert protocol
        protocol.makeConnection(transport)
        protocol.dataReceived(request)
        return protocol, transport

    def get(self, path: str = "/metrics", method: str = "GET", more: str = "") -> bytes:
        """Return what is replied."""
        _, transport = self.connect(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())
        for _ in range(5):
            self.clock.advance(0)
        return bytes(transport.value())


def test_the_page_is_made_in_pieces_and_once_a_second() -> None:
    """Whoever asks meanwhile gets the same one."""
    served = Served()
    reply = served.get()
    assert reply.startswith(b"HTTP/1.1 200 ") and b"version=0.0.4" in reply
    assert b"a 1" in reply and b"b 2" in reply
    served.get()
    assert served.pages.made == 1
    served.clock.advance(FRESH)
    served.get()
    assert served.pages.made == 2


def test_nothing_else_is_served() -> None:
    """Neither other paths nor other methods."""
    served = Served()
    assert b" 404 " in served.get("/") and b" 404 " in served.get("/metrics/x")
    assert b" 405 " in served.get(method="POST", more="Content-Length: 0\r\n")
    assert served.pages.made == 0


def test_a_page_that_cannot_be_made_is_told_and_the_next_one_is_tried(critical_events: list[object]) -> None:
    """500, and then 200."""
    served = Served()
    served.pages.wrong = True
    assert b" 500 " in served.get()
    critical_events.clear()
    served.pages.wrong = False
    assert b" 200 " in served.get()


def test_a_body_is_not_kept() -> None:
    """However long it says that it is, or that it has no end."""
    served = Served()
    for more in ("Content-Length: 100000000\r\n", "Transfer-Encoding: chunked\r\n"):
        head = f"POST /metrics HTTP/1.1\r\nHost: x\r\n{more}\r\n"
        protocol, _ = served.connect(head.encode())
        chunk = b"x" * 65536 if "Length" in more else b"10000\r\n" + b"x" * 65536 + b"\r\n"
        for _ in range(4):
            protocol.dataReceived(chunk)  # type: ignore[attr-defined]
        request = protocol.wrappedProtocol._channel.requests[0]  # type: ignore[attr-defined]
        assert request.content.read() == b""


def test_the_oldest_connection_makes_room_and_none_lasts() -> None:
    """Eight that say nothing do not keep the ninth out."""
    served = Served()
    connections = [served.connect()[1] for _ in range(MOST_CONNECTIONS + 2)]
    assert [transport.aborted for transport in connections] == [True] * 2 + [False] * MOST_CONNECTIONS
    served.clock.advance(LONGEST)
    assert all(transport.aborted for transport in connections)


def test_a_scraper_that_goes_while_the_page_is_made_is_forgotten() -> None:
    """And the page is made for the others."""
    served = Served()
    protocol, _ = served.connect(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    protocol.connectionLost(Why(ConnectionLost()))  # type: ignore[attr-defined]
    assert b"b 2" in served.get()
    assert len(served.factory._ends) == 1


def test_an_address_that_is_taken_is_tried_again() -> None:
    """No service wants for its daemon because of that."""

    class Reactor(Clock):
        tries = 0

        def listenTCP(self, port: int, factory: object, interface: str) -> None:
            self.tries += 1
            if self.tries < 3:
                raise CannotListenError(interface, port, OSError("taken"))

    reactor = Reactor()
    serve(reactor, Address("127.0.0.1", 9910), Served().factory)
    for _ in range(3):
        reactor.advance(endpoint.AGAIN)
    assert reactor.tries == 3 and reactor.getDelayedCalls() == []
