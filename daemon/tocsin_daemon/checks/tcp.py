"""`tcp` and `unix`: somebody listens, and answers as expected."""

from __future__ import annotations

import socket

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from tocsin_daemon.checks.outside import Outside, UnknownName
from tocsin_daemon.checks.stream import Look, Talk
from tocsin_daemon.core.check import Outcome, Result, Spec
from tocsin_daemon.names import family_of
from tocsin_ocf import targets


class Tcp:
    """A check of a TCP port: of each address of its host, until one is well."""

    def __init__(self, spec: Spec, outside: Outside) -> None:
        """Read the target; no name is looked up yet."""
        self._reactor = outside.reactor
        self._addresses = outside.addresses
        self._host, self._port = targets.address(spec.target)
        self._talk = Talk(spec)
        self._literal = family_of(self._host)

    def run(self) -> Deferred[Outcome]:
        """Look once."""
        if self._literal:
            return self._look(self._host, self._literal)
        return self._look_by_name()

    def _look(self, host: str, family: int) -> Deferred[Outcome]:
        return Look(self._reactor, family, (host, self._port), self._talk).done

    def _look_by_name(self) -> Deferred[Outcome]:
        return self._addresses(self._host).addCallbacks(self._look_at_each, _no_name)

    def _look_at_each(self, hosts: list[str]) -> Deferred[Outcome]:
        host, rest = hosts[0], hosts[1:]
        looking = self._look(host, family_of(host) or socket.AF_INET)
        return looking.addCallback(lambda seen: self._look_at_each(rest) if _try_next(seen, rest) else succeed(seen))


def _no_name(failure: Failure) -> Outcome:
    failure.trap(UnknownName)
    return Outcome(Result.ERROR, failure.getErrorMessage())


def _try_next(seen: Outcome, rest: list[str]) -> bool:
    return bool(rest) and seen.result is not Result.WELL


class Unix:
    """A check of a Unix socket."""

    def __init__(self, spec: Spec, outside: Outside) -> None:
        """Read the target."""
        self._reactor = outside.reactor
        self._path = str(spec.target)
        self._talk = Talk(spec)

    def run(self) -> Deferred[Outcome]:
        """Look once."""
        return Look(self._reactor, socket.AF_UNIX, self._path, self._talk).done
