"""
One look through a stream socket: it can be connected, and where something is to be sent or expected, that comes back.

A thousand services are looked at every second, so a look is a bare non-blocking socket. On loopback the kernel has made
the connection when connect(2) returns, though it says EINPROGRESS; asked once more it says so, and neither the reactor
nor a timer has to be troubled.

A connection is closed in order, not reset: some services complain of every reset, and count them (MySQL blocks hosts).
The TIME_WAIT that stays with us for a minute takes 200 bytes and no port: it is per destination, and Linux uses those
of loopback again (tcp_tw_reuse).
"""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadWriteDescriptor
from zope.interface import implementer

from tocsin_daemon.checks.blame import outcome_of
from tocsin_daemon.core.check import Outcome, Result, Spec

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor
    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

MOST_READ = 64 * 1024
FREE_SEARCHES = 100
"""Times that what has come is searched as more comes; then only once it has grown: a byte at a time is no work."""
FULL_AGAIN = 0.05
"""Seconds before a Unix socket whose queue is full is tried again; a TCP connection waits in the kernel."""
STREAM = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
CONNECTING = (errno.EINPROGRESS, errno.EALREADY)

CONNECTED = Outcome(Result.WELL, "connected")
ANSWERED = Outcome(Result.WELL, "answered")
NOBODY = Outcome(Result.BAD, "connection refused")

Address = Any
"""(host, port) or a path."""


class Talk:
    """What is said after the connection was made: nothing, or something to send, or a pattern to wait for."""

    def __init__(self, spec: Spec) -> None:
        """Read the options."""
        self.send = str(spec.options.get("send") or "").encode()
        expect = spec.options.get("expect")
        self.expect = re.compile(str(expect).encode()) if expect else None


@implementer(IReadWriteDescriptor)
class Look:
    """One connection; `done` fires with its outcome."""

    def __init__(self, reactor: EPollReactor, family: int, address: Address, talk: Talk) -> None:
        """Connect, and take it as far as it goes at once."""
        self.done: Deferred[Outcome] = Deferred(lambda _: self._close())
        self._reactor = reactor
        self._address = address
        self._talk = talk
        self._unsent = talk.send
        self._got = bytearray()
        self._searches = 0
        self._search_from = 0
        self._again: IDelayedCall | None = None
        self._waiting = False
        self._proceed: Callable[[], None] = self._connect
        try:
            self._socket = socket.socket(family, STREAM)
        except OSError as error:
            self.done.callback(outcome_of(error))
            return
        self._connect()

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """Name this descriptor in the reactor's own messages."""
        return f"check of {self._address}"

    def doRead(self) -> None:
        """Go on."""
        self._proceed()

    def doWrite(self) -> None:
        """Go on."""
        self._proceed()

    def connectionLost(self, reason: Failure) -> None:
        """Tell what the kernel says of the connection; where it says nothing, the daemon goes down."""
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if self._socket.fileno() >= 0 else 0
        lost = outcome_of(OSError(number, "")) if number else Outcome(Result.ERROR, "tocsind ends")
        self._tell(lost)

    def _connect(self) -> None:
        number = self._socket.connect_ex(self._address)
        if number == errno.EINPROGRESS:
            number = self._socket.connect_ex(self._address)
        if number in CONNECTING:
            self._wait_to_write()
        elif number == errno.EAGAIN and self._socket.family == socket.AF_UNIX:
            self._again = self._reactor.callLater(FULL_AGAIN, self._connect)
        elif number not in (0, errno.EISCONN):
            self._tell(outcome_of(OSError(number, "")))
        elif self._is_with_itself():
            self._tell(NOBODY)
        elif self._unsent or self._talk.expect:
            self._proceed = self._write
            self._write()
        else:
            self._tell(CONNECTED)

    def _is_with_itself(self) -> bool:
        """Tell whether nobody listens, and our own port happened to be the very port that was asked for."""
        if self._socket.family == socket.AF_UNIX:
            return False
        try:
            return bool(self._socket.getsockname() == self._socket.getpeername())
        except OSError:  # it is gone already: it was there
            return False

    def _write(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent, socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            self._wait_to_write()
            return
        except OSError as error:
            self._tell(outcome_of(error))
            return
        if self._talk.expect is None:
            self._tell(CONNECTED)
            return
        self._reactor.removeWriter(self)
        self._proceed = self._read
        self._waiting = True
        self._reactor.addReader(self)

    def _read(self) -> None:
        try:
            data = self._socket.recv(MOST_READ - len(self._got))
        except BlockingIOError:
            return
        except OSError as error:
            self._tell(outcome_of(error))
            return
        self._got += data
        self._search(last=not data or len(self._got) >= MOST_READ)

    def _search(self, *, last: bool) -> None:
        assert self._talk.expect is not None, "there is something to wait for"
        self._searches += 1
        if self._searches > FREE_SEARCHES and len(self._got) < self._search_from and not last:
            return
        self._search_from = len(self._got) * 5 // 4
        if self._talk.expect.search(self._got):
            self._tell(ANSWERED)
        elif last:
            self._tell(Outcome(Result.BAD, f"what is expected did not come, but {_shown(self._got)}"))

    def _wait_to_write(self) -> None:
        self._waiting = True
        self._reactor.addWriter(self)

    def _tell(self, outcome: Outcome) -> None:
        self._close()
        if not self.done.called:
            self.done.callback(outcome)

    def _close(self) -> None:
        if self._again and self._again.active():
            self._again.cancel()
        if self._waiting:
            self._waiting = False
            self._reactor.removeReader(self)
            self._reactor.removeWriter(self)
        self._socket.close()


def _shown(data: bytearray) -> str:
    """Return the beginning of an answer in printable words."""
    if not data:
        return "the connection was closed"
    text = bytes(data[:60]).decode(errors="replace").split("\n")[0].strip()
    return repr("".join(letter if letter.isprintable() else "?" for letter in text))
