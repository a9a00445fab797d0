"""`tcp` and `unix`: somebody listens, and answers as expected."""

from __future__ import annotations

import socket

from twisted.internet.defer import Deferred

from tocsin_daemon.checks.hosts import look_at
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.checks.stream import Look, Talk
from tocsin_daemon.core.check import Outcome, Spec
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

    def run(self) -> Deferred[Outcome]:
        """Look once."""
        return look_at(self._host, self._addresses, self._look, self._reactor)

    def _look(self, address: str) -> Deferred[Outcome]:
        return Look(self._reactor, family_of(address), (address, self._port), self._talk).done


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
