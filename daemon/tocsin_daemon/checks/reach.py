"""How a check reaches a server: at a Unix socket, or an address; nothing is looked up."""

from __future__ import annotations

from typing import Any

from twisted.internet.abstract import isIPv6Address
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint

PATIENCE = 86400.0
"""Seconds: no timeout of its own. Who has the deadline cancels."""


def at_address(reactor: Any, address: str, port: int, path: str = "") -> Any:  # noqa: ANN401 - Twisted's endpoints
    """Return the endpoint of a Unix socket at `path`, or else of address and port: nothing is looked up."""
    if path:
        return UNIXClientEndpoint(reactor, path, timeout=PATIENCE)
    kind = TCP6ClientEndpoint if isIPv6Address(address) else TCP4ClientEndpoint
    return kind(reactor, address, port, timeout=PATIENCE)
