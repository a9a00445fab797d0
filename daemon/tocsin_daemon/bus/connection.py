"""One connection to D-Bus in the reactor: calls out, answers and signals in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone

from tocsin_daemon.bus.message import Answer, Call, Conversation, Garbage, Signal

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
    from twisted.python.failure import Failure

NO_REPLY = "org.freedesktop.DBus.Error.NoReply"
"""What the bus says when whom we asked has left it: systemd does so while it executes itself anew."""
TIMEOUT = "org.freedesktop.DBus.Error.Timeout"


class BusError(Exception):
    """A call failed: the name of the error, and its text."""

    def __init__(self, name: str, text: str) -> None:
        """Keep both."""
        super().__init__(text)
        self.name = name
        self.text = text


class NoBus(BusError):
    """There is no connection, or no answer: nothing is known of what was asked for."""

    def __init__(self, text: str, name: str = NO_REPLY) -> None:
        """Say why."""
        super().__init__(name, text)


def error_of(failure: Failure) -> BusError:
    """Return the BusError in a failure; another goes on."""
    failure.trap(BusError)
    assert isinstance(failure.value, BusError)
    return failure.value


class Connection(Protocol):
    """The calls that wait for their answers, and who hears signals."""

    def __init__(self, clock: IReactorTime, opened: Callable[[], None], heard: Callable[[Signal], None]) -> None:
        """Tell when calls may be made, and every signal; `lost` is to be set by whoever is to hear of the end."""
        self._clock = clock
        self._opened = opened
        self._heard = heard
        self._conversation = Conversation()
        self._waiting: dict[int, tuple[Deferred[tuple[Any, ...]], IDelayedCall]] = {}
        self.lost: Callable[[str], None] = lambda _: None

    def connectionMade(self) -> None:
        """Say who we are."""
        self._write(self._conversation.opening())

    def dataReceived(self, data: bytes) -> None:
        """Answer whom it concerns."""
        was_open = self._conversation.open
        try:
            out, values = self._conversation.feed(data)
        except Garbage as garbage:
            self.give_up(f"not understood: {garbage}")
            return
        self._write(out)
        if self._conversation.open and not was_open:
            self._opened()
        for value in values:
            if isinstance(value, Answer):
                self._answer(value)
            else:
                self._heard(value)

    def call(self, call: Call, timeout: float) -> Deferred[tuple[Any, ...]]:
        """Return the values that a call returns; BusError, and NoBus after `timeout` seconds without an answer."""
        serial, data = self._conversation.call(call)
        done: Deferred[tuple[Any, ...]] = Deferred(lambda _: self._drop(serial))
        self._waiting[serial] = done, self._clock.callLater(timeout, self._late, serial, call, timeout)
        self._write(data)
        return done

    def _write(self, data: bytes) -> None:
        if data and self.transport:
            self.transport.write(data)

    def _take(self, serial: int) -> Deferred[tuple[Any, ...]] | None:
        """Return who waits for an answer, and let nobody else have it."""
        done, timer = self._waiting.pop(serial, (None, None))
        if timer and timer.active():
            timer.cancel()
        return done

    def _drop(self, serial: int) -> None:
        self._take(serial)

    def _late(self, serial: int, call: Call, timeout: float) -> None:
        done = self._take(serial)
        if done:
            done.errback(NoBus(f"no answer to {call.member} within {timeout:g} s", TIMEOUT))

    def _answer(self, answer: Answer) -> None:
        done = self._take(answer.serial)
        if done is None:
            return  # it came too late
        if not answer.error:
            done.callback(answer.body)
            return
        text = answer.body[0] if answer.body and isinstance(answer.body[0], str) else answer.error
        done.errback(NoBus(text) if answer.error == NO_REPLY else BusError(answer.error, text))

    def give_up(self, why: str) -> None:
        """End the connection; whoever waits hears why."""
        if self.transport:
            cast("ITCPTransport", self.transport).abortConnection()
        self._end(why)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell whoever waits for an answer, and whoever keeps the connection."""
        self._end("the connection to D-Bus was lost")

    def _end(self, why: str) -> None:
        for serial in list(self._waiting):
            done = self._take(serial)
            if done:
                done.errback(NoBus(why))
        lost, self.lost = self.lost, lambda _: None
        lost(why)
