"""How a check reaches a server: a Unix socket, an address as it is, or a name with several addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, UNIXClientEndpoint

from tocsin_daemon.checks.outside import UnknownName
from tocsin_daemon.core.check import Outcome, Result

if TYPE_CHECKING:
    from twisted.python.failure import Failure

PATIENCE = 86400.0
"""Seconds: no timeout of its own. Who has the deadline cancels."""

LookAt = Callable[[str], "Deferred[Outcome]"]


def at_address(reactor: Any, address: str, port: int, path: str = "") -> Any:  # noqa: ANN401 - Twisted's endpoints
    """Return the endpoint of a Unix socket at `path`, or else of address and port: nothing is looked up."""
    if path:
        return UNIXClientEndpoint(reactor, path, timeout=PATIENCE)
    kind = TCP6ClientEndpoint if isIPv6Address(address) else TCP4ClientEndpoint
    return kind(reactor, address, port, timeout=PATIENCE)


def look_at(host: str, addresses: Callable[[str], Deferred[list[str]]], look: LookAt) -> Deferred[Outcome]:
    """Look at a host: at its address, or, if it is a name, at each of its addresses until one is well."""
    if isIPAddress(host) or isIPv6Address(host):
        return look(host)
    return addresses(host).addCallbacks(lambda found: _look_at_each(found, look), _no_name)


def _look_at_each(found: list[str], look: LookAt) -> Deferred[Outcome]:
    address, *rest = found
    seen = look(address)
    if not rest:
        return seen
    return seen.addCallback(lambda one: succeed(one) if one.result is Result.WELL else _look_at_each(rest, look))


def _no_name(failure: Failure) -> Outcome:
    failure.trap(UnknownName)
    return Outcome(Result.ERROR, failure.getErrorMessage())
