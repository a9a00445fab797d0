"""A look by HTTP or HTTPS at a server of the test's."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed

from tests.fakes.running import until
from tests.hostile.server import Server
from tocsin_daemon.checks.http import Http
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.core.check import Outcome, Spec


def http(target: str, **options: object) -> Http:
    """Return a check in the real reactor; web.test is this machine."""
    outside = Outside(
        reactor=reactor, resource="web", run=lambda program: Deferred(), addresses=lambda name: succeed(["127.0.0.1"])
    )
    return Http(Spec("http", target, "http", options=options), outside)


def look(server: Server, **options: object) -> Deferred[Outcome]:
    """Look at a server once."""
    return http(f"http://127.0.0.1:{server.port}/health?token=secret", **options).run()


def settled(server: Server) -> Deferred[None]:
    """Wait until the server has noticed that its connection is closed."""
    return until(server.ended.is_set, 3.0)
