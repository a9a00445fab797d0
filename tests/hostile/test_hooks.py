"""A hook's URL that takes an event, and then talks without end."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS

from tests.fakes.running import until
from tests.hostile.authority import Authority
from tests.hostile.server import Server, TlsServer, forever, says
from tests.requirements import require_program
from tocsin_daemon.hooks.post import post

tls = pytest.importorskip("twisted.internet.ssl", reason="needs python3-openssl")
pytest.importorskip("service_identity", reason="needs python3-service-identity")

ENDLESS = says(b"HTTP/1.1 200 OK\r\n\r\n", then=forever(b"x" * 16384))


@pytest.mark.parametrize("server", [Server, TlsServer])
@pytest_twisted.ensureDeferred
async def test_a_reply_without_end_is_left(tmp_path: Path, server: type[Server]) -> None:
    """The event was taken; whoever goes on to talk is not listened to, nor is his connection kept."""
    require_program("openssl")
    authority = Authority(tmp_path)
    certificate = authority.issue("page", "IP:127.0.0.1") if server is TlsServer else ()
    trusted = tls.Certificate.loadPEM(Path(authority.certificate).read_bytes())
    agent = Agent(reactor, BrowserLikePolicyForHTTPS(tls.trustRootFromCertificates([trusted])))
    with server(*certificate, ENDLESS) as talker:
        url = f"{'https' if certificate else 'http'}://127.0.0.1:{talker.port}/"
        assert await post(reactor, agent, url, {}, 10.0, b"{}") == ""  # type: ignore[arg-type]
        await until(talker.ended.is_set, 5.0)
