"""
TLS over a connection, with an end to what the other side may send.

OpenSSL swallows some messages for as long as they come, such as HelloRequest in a handshake: without a bound a server
would keep the daemon busy until the check's deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.error import ConnectionAborted
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
    from twisted.internet.protocol import Factory

MOST_RAW = 384 * 1024
"""Bytes as they come: certificates (OpenSSL's own limit is 100 KiB), what is read of a reply, TLS's share."""


class Bounded(TLSMemoryBIOProtocol):
    """A client's end of TLS that gives up on whoever sends too much."""

    _received = 0

    def dataReceived(self, data: bytes) -> None:
        """Count, and decrypt."""
        self._received += len(data)
        if self._received > MOST_RAW:
            self.failVerification(Failure(ConnectionAborted("too much TLS")))
        else:
            super().dataReceived(data)


class BoundedFactory(TLSMemoryBIOFactory):
    """Makes those."""

    noisy = False
    protocol = Bounded

    def __init__(self, creator: IOpenSSLClientConnectionCreator, wrapped: Factory) -> None:
        """Speak TLS as `creator` wants, below the protocols of `wrapped`."""
        super().__init__(creator, True, wrapped)  # noqa: FBT003 - isClient, by position in every Twisted
