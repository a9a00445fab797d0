"""
The daemon's one connection to D-Bus: made when it is first needed, and made again when it is lost.

What we listen for is asked for again each time. Whatever was said meanwhile is lost, so whoever listens is told, and
asks anew. Nobody waits for a bus that is not there: a call fails as soon as an attempt to connect has failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from tocsin_daemon.bus.connection import Connection, NoBus
from tocsin_daemon.bus.message import Address, Call, Rule, Signal

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

log = Logger()

DBUS = "org.freedesktop.DBus"
TIMEOUT = 25.0
"""Seconds for an answer, as libdbus and sd-bus have it."""
CONNECT = 10.0
"""Seconds for the connection and its authentication."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0


class Listener(Protocol):
    """Who hears what the bus has to say."""

    def connected(self, *, direct: bool) -> None:
        """Hear that calls are answered again: what is known may be outdated. `direct`: by systemd, without a bus."""

    def disconnected(self, why: str) -> None:
        """Hear that nothing is heard any more."""

    def heard(self, signal: Signal) -> None:
        """Hear a signal, from whomever it may be."""


def pause(attempt: int) -> float:
    """Return the seconds before attempt 0, 1, ... to connect again."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt, 20)))


class Bus:
    """A connection that comes back."""

    def __init__(self, reactor: Any, addresses: Sequence[Address]) -> None:  # noqa: ANN401 - clock and sockets
        """Use these addresses, the first that answers; nothing is connected yet."""
        self._reactor = reactor
        self.clock: IReactorTime = reactor
        self._addresses = addresses
        self._connection: Connection | None = None
        self._attempt: Deferred[Any] | None = None
        self._retry: IDelayedCall | None = None
        self._failed = 0
        self._rules: dict[Rule, int] = {}
        self._waiting: list[Deferred[None]] = []
        self.direct = False
        self.listener: Listener | None = None

    @property
    def connected(self) -> bool:
        """Tell whether calls go out at once."""
        return self._connection is not None

    def call(self, call: Call, timeout: float = TIMEOUT) -> Deferred[tuple[Any, ...]]:
        """Return what a call returns; BusError, NoBus."""
        if self._connection:
            return self._connection.call(self._addressed(call), timeout)
        ready: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(ready)
        self._connect_now()
        return ready.addCallback(lambda _: self.call(call, timeout))

    def listen(self, rule: Rule) -> None:
        """Hear such signals from now on, over every connection to come."""
        self._rules[rule] = self._rules.get(rule, 0) + 1
        if self._rules[rule] == 1:
            self._match("AddMatch", rule)
        self._connect_now()

    def unlisten(self, rule: Rule) -> None:
        """Take back one `listen`."""
        self._rules[rule] -= 1
        if not self._rules[rule]:
            del self._rules[rule]
            self._match("RemoveMatch", rule)

    def close(self) -> None:
        """Give everything up."""
        self._rules.clear()
        if self._retry and self._retry.active():
            self._retry.cancel()
        if self._attempt:
            self._attempt.cancel()
        if self._connection:
            self._connection.give_up("closed")

    def _addressed(self, call: Call) -> Call:
        """Leave out to whom a call goes where nobody else could get it."""
        return Call("", call.path, call.interface, call.member, call.signature, call.body) if self.direct else call

    def _match(self, method: str, rule: Rule) -> None:
        if self._connection and not self.direct:
            call = Call(DBUS, "/org/freedesktop/DBus", DBUS, method, "s", (str(rule),))
            self._connection.call(call, TIMEOUT).addErrback(self._complain, method)

    def _complain(self, failure: Failure, what: str) -> None:
        if not failure.check(NoBus):  # that is told to the listener
            log.warn("D-Bus: {what}: {why}", what=what, why=failure.getErrorMessage())

    # Connecting

    def _connect_now(self) -> None:
        """Try at once, unless an attempt is under way."""
        if self._retry and self._retry.active():
            self._retry.cancel()
        if not self._connection and not self._attempt:
            self._try(list(self._addresses), "no address")

    def _try(self, left: list[Address], why: str) -> None:
        self._attempt = None
        if not left:
            self._unreachable(why)
            return
        address = left.pop(0)
        attempt: Deferred[Connection] = self._open(address)
        attempt.addTimeout(CONNECT, self._reactor)
        self._attempt = attempt
        attempt.addCallbacks(self._open_now, self._next, callbackArgs=(address,), errbackArgs=(address, left))
        attempt.addErrback(lambda failure: log.failure("D-Bus", failure))

    def _open(self, address: Address) -> Deferred[Connection]:
        """Return a connection over which calls may be made."""
        opened: Deferred[None] = Deferred()
        connection = Connection(self._reactor, lambda: opened.callback(None), self._hear)
        connection.lost = lambda why: None if opened.called else opened.errback(NoBus(why))
        endpoint = UNIXClientEndpoint(self._reactor, address.path, CONNECT)
        factory = Factory.forProtocol(lambda: connection)
        factory.noisy = False
        reached: Deferred[Any] = endpoint.connect(factory)
        reached.addCallback(lambda _: opened)
        if not address.direct:
            hello = Call(DBUS, "/org/freedesktop/DBus", DBUS, "Hello")
            reached.addCallback(lambda _: connection.call(hello, CONNECT))
        reached.addCallbacks(lambda _: connection, lambda failure: _abort(connection, failure))
        return reached

    def _next(self, failure: Failure, address: Address, left: list[Address]) -> None:
        self._try(left, f"{address.path}: {failure.getErrorMessage()}")

    def _open_now(self, connection: Connection, address: Address) -> None:
        self._attempt, self._connection, self._failed, self.direct = None, connection, 0, address.direct
        connection.lost = self._lost
        for rule in self._rules:
            self._match("AddMatch", rule)
        if self.listener:
            self.listener.connected(direct=address.direct)
        waiting, self._waiting = self._waiting, []
        for ready in waiting:
            ready.callback(None)

    def _unreachable(self, why: str) -> None:
        """Disappoint whoever waits, and try again later if somebody listens."""
        waiting, self._waiting = self._waiting, []
        if self._rules:
            self._retry = self._reactor.callLater(pause(self._failed), self._connect_now)
            self._failed += 1
        if self.listener and self._failed == 1:
            self.listener.disconnected(why)
        for ready in waiting:
            ready.errback(NoBus(f"no D-Bus: {why}"))

    def _lost(self, why: str) -> None:
        self._connection = None
        if self.listener:
            self.listener.disconnected(why)
        if self._rules:
            self._retry = self._reactor.callLater(pause(0), self._connect_now)

    def _hear(self, signal: Signal) -> None:
        if self.listener:
            self.listener.heard(signal)


def _abort(connection: Connection, failure: Failure) -> Failure:
    connection.lost = lambda _: None
    connection.give_up("it did not let us in")
    return failure
