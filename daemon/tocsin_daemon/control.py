"""
The listening end of the wire: one request per connection, authenticated, bounded, answered, closed.

Any local user can connect. What they get is a closed connection: no byte, however they ask. They cannot fill
the daemon up either: only so many may be waiting for their request to be read, and the one that has waited
longest makes room, after a last look at what it sent: root's requests come complete, in one piece, at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.logger import Logger

from tocsin_daemon.core.answers import Answer
from tocsin_ocf import wire
from tocsin_ocf.exit_codes import OCF_ERR_ARGS, OCF_ERR_GENERIC

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, IReadDescriptor, ITCPTransport
    from twisted.python.failure import Failure

log = Logger()

MAX_STRANGERS = 128
"""Connections whose request has not been read yet. Pacemaker runs far fewer actions at once."""
REQUEST_SECONDS = 2.0
"""A request is one write of the agent; whoever needs longer is not the agent."""
STRANGERS_BYTES = 4096
"""Bytes of a line by which its sender must have shown the token: all may connect, and each line is memory of ours."""
BACKLOG = 1024
"""Connections that the kernel may hold for us: with fewer, a crowd at the door delays root by whole seconds."""


class Control(Protocol):
    """One connection."""

    def __init__(self, factory: ControlFactory) -> None:
        """Belong to this factory."""
        self.port = factory
        self._received = bytearray()
        self._known = False
        self._asked: Deferred[None] | None = None
        self._read = False
        self._cut_off: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Give it a short while to send its request."""
        self._cut_off = self.port.clock.callLater(REQUEST_SECONDS, self.refuse)
        self.port.admit(self)

    def dataReceived(self, data: bytes) -> None:
        """Look for the one line of a request; whatever follows it is not even looked at."""
        if self._read:
            return
        end = data.find(b"\n")  # in what is new: a mebibyte in small pieces must not be searched a thousand times
        self._received += data if end < 0 else data[:end]
        if end >= 0:
            self._request(bytes(self._received))
        elif len(self._received) > wire.MAX_REQUEST or self._is_strangers():
            self.refuse()

    def _is_strangers(self) -> bool:
        """Tell whether somebody sends more than a little before we know the token: a stranger's line is not kept."""
        if not self._known and len(self._received) > STRANGERS_BYTES:
            self._known = self._has_token(bytes(self._received[:STRANGERS_BYTES]))
        return not self._known and len(self._received) > STRANGERS_BYTES

    def _has_token(self, line: bytes) -> bool:
        words = line.split(b" ", 2)
        return len(words) > 2 and wire.same(words[1].decode("latin-1"), self.port.token)

    def _request(self, line: bytes) -> None:
        """Answer the one request of this connection, if whoever sends it knows the token."""
        self._read, self._received = True, bytearray()
        self.port.forget(self)
        try:
            request = wire.parse_request(line)
        except wire.WireError as error:
            self._refuse_politely(line, str(error))
            return
        if not wire.same(request.token, self.port.token):
            self.refuse()
            return
        self._asked = maybeDeferred(self.port.ask, request).addCallback(self._reply).addErrback(self._failed)

    def hurry(self) -> None:
        """
        Read what has come already, for the last time: room is needed.

        A request of root's is in the socket as soon as its connection is; in a flood its turn to be read may be late.
        """
        transport = cast("IReadDescriptor", self.transport)
        if transport.doRead() is not None or not self._read:
            self.refuse()

    def _refuse_politely(self, line: bytes, why: str) -> None:
        """Tell an agent of another version what is wrong; a stranger, who has no token, is told nothing."""
        if self._has_token(line + b" "):
            self._reply(Answer(OCF_ERR_ARGS, why))
        else:
            self.refuse()

    def _reply(self, answer: Answer) -> None:
        assert self.transport is not None
        self.transport.write(wire.reply_line(self.port.proof, answer.code, answer.text))
        self.transport.loseConnection()

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            log.failure("a request broke off", failure)
            self._reply(Answer(OCF_ERR_GENERIC, f"tocsind: {failure.getErrorMessage()}"))

    def refuse(self) -> None:
        """Close without a byte."""
        self._read = True
        self.port.forget(self)
        transport = cast("ITCPTransport", self.transport)
        transport.abortConnection()

    def disarm(self) -> None:
        """Stop the clock for the request."""
        if self._cut_off and self._cut_off.active():
            self._cut_off.cancel()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget a client that is gone; Pacemaker kills its actions, and that is nothing unusual."""
        self.port.forget(self)
        if self._asked:
            self._asked.cancel()


class ControlFactory(ServerFactory):
    """The port: who waits before it, and the secrets that open it."""

    noisy = False

    def __init__(
        self, clock: IReactorTime, secrets: tuple[str, str], ask: Callable[[wire.Request], Deferred[Answer]]
    ) -> None:
        """Let in whoever knows the token, prove ourselves with the proof, and pass requests to `ask`."""
        self.clock = clock
        self.token, self.proof = secrets
        self.ask = ask
        self._strangers: dict[Control, None] = {}

    def buildProtocol(self, addr: IAddress | None) -> Control:
        """Serve one more connection."""
        return Control(self)

    def admit(self, connection: Control) -> None:
        """Count a connection until its request is read; the one that has waited longest makes room."""
        self._strangers[connection] = None
        if len(self._strangers) > MAX_STRANGERS:
            next(iter(self._strangers)).hurry()

    def forget(self, connection: Control) -> None:
        """Count it no longer."""
        connection.disarm()
        self._strangers.pop(connection, None)
