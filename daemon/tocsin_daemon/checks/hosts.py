"""How a check looks at a host: at its address, or, if it is a name, at each of its addresses until one is well."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

from tocsin_daemon.checks.outside import UnknownName
from tocsin_daemon.core.check import Outcome, Result
from tocsin_daemon.names import family_of

if TYPE_CHECKING:
    from twisted.python.failure import Failure

LookAt = Callable[[str], "Deferred[Outcome]"]


def look_at(host: str, addresses: Callable[[str], Deferred[list[str]]], look: LookAt) -> Deferred[Outcome]:
    """Look at a host; a name that is not known is no failure of the service."""
    if family_of(host):
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
