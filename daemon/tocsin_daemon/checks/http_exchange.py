"""One connection of an HTTP check: send the request, feed the reply, judge, and leave nothing open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol, connectionDone
from zope.interface import implementer

from tocsin_daemon.checks.blame import outcome_of
from tocsin_daemon.checks.http_reply import Garbage, Reply
from tocsin_daemon.core.check import Outcome, Result

if TYPE_CHECKING:
    from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from tocsin_daemon.checks.tls import Tls

FULL_AGAIN = 0.05
"""Seconds before a Unix socket whose queue is full is tried again; a TCP connection waits in the kernel."""
CLOSING = 1.0
"""Seconds for an orderly end of a connection, before it is cut off."""


@implementer(IHandshakeListener)
class Exchange(Protocol):
    """
    One request and its reply; `done` fires with the outcome, and cancelling it cuts the connection off.

    With TLS nothing is sent before the server's certificate is confirmed: headers may hold tokens.
    """

    def __init__(
        self,
        clock: IReactorTime,
        payload: bytes,
        reply: Reply,
        judge: Callable[[Reply], Outcome],
        tls: Tls | None = None,
    ) -> None:
        """Wait for a connection."""
        self.done: Deferred[Outcome] = Deferred(lambda _: self._cancelled())
        self._clock = clock
        self._payload = payload
        self._reply = reply
        self._judge = judge
        self._tls = tls
        self._handle: Any = None
        self._transport: Any = None
        self._guard: IDelayedCall | None = None
        self._attempt: Any = None
        self._over = False

    def connect(self, way: Any) -> Deferred[Outcome]:  # noqa: ANN401 - an endpoint of Twisted's
        """Connect by this endpoint; return `done`."""
        self._try(way)
        return self.done

    def _try(self, way: Any) -> None:  # noqa: ANN401 - an endpoint of Twisted's
        once = Once(self)
        self._attempt = way.connect(self._tls.over(once) if self._tls else once)
        self._attempt.addErrback(self._not_connected, way)

    def _not_connected(self, failure: Failure, way: Any) -> None:  # noqa: ANN401 - an endpoint of Twisted's
        if self.done.called or self._over:
            return
        error = failure.value
        if isinstance(error, ConnectError) and not error.osError:
            # A Unix socket whose queue is full: connect(2) says EAGAIN, Twisted nothing.
            self._guard = self._clock.callLater(FULL_AGAIN, self._try, way)
        else:
            self.conclude(failed_to_connect(error))

    def connectionMade(self) -> None:
        """Send the request, or wait for the handshake."""
        self._transport = self.transport
        if self.done.called:
            self._cut_off()
        elif self._tls:
            self._handle = self._transport.getHandle()
        else:
            self._transport.write(self._payload)

    def handshakeCompleted(self) -> None:
        """Send the request, now that we know to whom."""
        assert self._tls is not None
        fault = self._tls.distrust(self._handle)
        if fault:
            self.conclude(Outcome(Result.BAD, fault))
        else:
            self._transport.write(self._payload)

    def dataReceived(self, data: bytes) -> None:
        """Read on, until the reply can be judged."""
        if self.done.called:
            return
        try:
            if self._reply.feed(data):
                self.conclude(self._judge(self._reply))
        except Garbage as fault:
            self.conclude(Outcome(Result.BAD, str(fault)))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Judge what there is, where nothing was judged yet."""
        if self._guard and self._guard.active():
            self._guard.cancel()
        if not self.done.called:
            self.done.callback(self._at_the_end(reason.value))
        self._handle = self._transport = None

    def _at_the_end(self, reason: BaseException | None) -> Outcome:
        fault = self._tls.why_lost(self._handle, reason) if self._tls else ""
        lost = isinstance(reason, ConnectionLost)
        if not fault and lost and not self._tls:
            fault = f"the connection was reset {'before' if not self._reply.status else 'in the middle of'} its reply"
        try:
            if not fault:
                self._reply.end()
        except Garbage as garbage:
            fault = str(garbage)
        return Outcome(Result.BAD, fault) if fault else self._judge(self._reply)

    def conclude(self, outcome: Outcome) -> None:
        """Say what came of it, unless it was said, and close the connection."""
        if not self.done.called:
            self._close()
            self.done.callback(outcome)

    def _close(self) -> None:
        """Close in order, so that no server logs a reset at every look; it gets a moment, and then it is cut off."""
        if self._transport is None:
            return
        self._guard = self._clock.callLater(CLOSING, self._cut_off)
        self._transport.loseConnection()
        if self._tls:  # that waits for the other end to say the same; it need not
            self._transport.transport.loseConnection()

    def _cancelled(self) -> None:
        """Leave nothing: no attempt, no timer, no connection."""
        self._over = True
        if self._guard and self._guard.active():
            self._guard.cancel()
        self._attempt.cancel()
        self._cut_off()

    def _cut_off(self) -> None:
        if self._transport is not None:
            self._transport.abortConnection()


class Once(Factory):
    """Builds one exchange."""

    noisy = False

    def __init__(self, exchange: Exchange) -> None:
        """Build this one."""
        self._exchange = exchange

    def buildProtocol(self, addr: IAddress | None) -> Exchange:
        """Return it."""
        return self._exchange


def failed_to_connect(error: BaseException | None) -> Outcome:
    """Return the outcome of a connection that did not come about."""
    number = getattr(error, "osError", None)
    if isinstance(number, int):
        return outcome_of(OSError(number, ""))
    return Outcome(Result.ERROR, str(error).rstrip(".") or type(error).__name__)
