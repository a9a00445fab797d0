"""How an event gets to a URL."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.web.client import Agent
from zope.interface import implementer

from tocsin_daemon.hooks.post import post


@implementer(IReactorPluggableNameResolver)
class Reactor(MemoryReactorClock):
    """A reactor in memory that knows every name."""

    def __init__(self) -> None:
        """Resolve names itself."""
        super().__init__()
        self.nameResolver = self

    def resolveHostName(self, resolutionReceiver: Any, hostName: str, portNumber: int = 0, **_: object) -> object:  # noqa: ANN401, N803
        """Resolve it at once."""
        resolutionReceiver.resolutionBegan(self)
        resolutionReceiver.addressResolved(IPv4Address("TCP", "127.0.0.1", portNumber))
        resolutionReceiver.resolutionComplete()
        return self


class Posted:
    """A post over a connection in memory."""

    def __init__(self) -> None:
        """Post, and be connected."""
        self.reactor = Reactor()
        self.said: list[str] = []
        url = "http://127.0.0.1:8080/in?x=1"
        asked = post(self.reactor, Agent(self.reactor), url, {"Authorization": "Bearer s"}, 10.0, b'{"a": 1}')
        asked.addCallback(self.said.append)
        self.transport = StringTransport()
        _, _, factory, *_ = self.reactor.tcpClients[0]
        self.protocol: Any = factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    def reply(self, head: str) -> list[str]:
        """Reply with this, and a body without end."""
        self.protocol.dataReceived(f"HTTP/1.1 {head}\r\n\r\n{'x' * 1000}".encode())
        self.reactor.advance(0)
        assert self.transport.disconnecting and self.reactor.getDelayedCalls() == []
        return self.said


def test_a_url_is_posted_to_and_its_status_says_whether_it_has_it() -> None:
    """The body of the reply is not read: the connection is closed."""
    posted = Posted()
    request = posted.transport.value()
    assert request.startswith(b"POST /in?x=1 HTTP/1.1\r\n") and request.endswith(b'\r\n\r\n{"a": 1}')
    assert b"Authorization: Bearer s\r\n" in request and b"Content-Type: application/json\r\n" in request
    assert posted.reply("204 No Content") == [""]
    assert Posted().reply("500 Oops") == ["HTTP status 500"]
    assert Posted().reply("302 Found\r\nLocation: http://169.254.169.254/") == ["HTTP status 302"]


def test_a_url_that_does_not_answer_is_given_up() -> None:
    """Within its time, which is not the network's."""
    posted = Posted()
    posted.reactor.advance(10.0)
    assert posted.said == ["no reply within 10 s"] and posted.transport.disconnecting | posted.transport.disconnected
