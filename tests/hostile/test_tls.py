"""HTTPS with a private authority: nginx as a real peer, and servers that only pretend."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater

from tests.hostile.authority import Authority
from tests.hostile.looking import http, settled
from tests.hostile.nginx import Nginx
from tests.hostile.server import Server, TlsServer, forever, resets, says, silent
from tests.requirements import require, require_program
from tocsin_daemon.checks.http import Http
from tocsin_daemon.core.check import Outcome, Result

pytest.importorskip("OpenSSL", reason="needs python3-openssl")
pytest.importorskip("service_identity", reason="needs python3-service-identity")

WELL = Outcome(Result.WELL, "status 200")


async def seen(check: Http) -> Outcome:
    """Look once, and let the reactor close what is to be closed: the servers' threads wait for that."""
    outcome = await check.run()
    await deferLater(reactor, 0.02)
    return outcome


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the authority of these tests."""
    require_program("openssl")
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def nginx(authority: Authority) -> Iterator[Nginx]:
    """Return nginx with a certificate for web.test and 127.0.0.1."""
    require(os.path.exists("/usr/sbin/nginx"), "nginx")
    certificate, key = authority.issue("web", "DNS:web.test,IP:127.0.0.1")
    authority.directory.chmod(0o755)
    running = Nginx(authority.directory, certificate, key)
    yield running
    running.end()


@pytest_twisted.ensureDeferred
async def test_nginx_is_judged_over_http_and_a_unix_socket(nginx: Nginx) -> None:
    """Status and body; a redirect is judged by its status, a big file is not read to its end."""
    base = f"http://127.0.0.1:{nginx.plain}"
    assert await seen(http(f"{base}/health", body="^alive and well$")) == WELL
    assert await seen(http("http://web.test/health", socket=nginx.socket, body="alive")) == WELL
    assert await seen(http(f"http://web.test:{nginx.plain}/health", method="HEAD")) == WELL
    assert await seen(http(f"{base}/moved", status=301)) == Outcome(Result.WELL, "status 301")
    assert (await seen(http(f"{base}/broken"))).text == "status 503, not 200-399"
    assert await seen(http(f"{base}/big")) == WELL
    assert "its body of 65536 bytes does not match" in (await seen(http(f"{base}/big", body="alive"))).text


@pytest_twisted.ensureDeferred
async def test_nginx_is_judged_over_https(nginx: Nginx, authority: Authority) -> None:
    """By name and by address, with our authority, and not with the system's."""
    by_name, by_address = (f"https://{host}:{nginx.tls}/health" for host in ("web.test", "127.0.0.1"))
    for target in (by_name, by_address, by_name.replace("https", "HTTPS")):
        assert await seen(http(target, ca=authority.certificate, body="alive")) == WELL
        assert await seen(http(target, verify=False)) == WELL
    assert await seen(http(by_address, ca=authority.certificate, server_name="web.test")) == WELL
    wrong = await seen(http(by_address, ca=authority.certificate, server_name="other.test"))
    assert wrong == Outcome(Result.BAD, "its certificate is not for other.test")
    untrusted = await seen(http(by_name))
    assert untrusted == Outcome(Result.BAD, "its certificate is of an authority that is not trusted here")
    plain = await seen(http(f"https://127.0.0.1:{nginx.plain}/", verify=False))
    assert plain.result is Result.BAD and "no TLS is spoken there" in plain.text
    not_plain = await seen(http(f"http://127.0.0.1:{nginx.tls}/"))
    assert not_plain == Outcome(Result.BAD, "status 400, not 200-399")


REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalive"


@pytest_twisted.ensureDeferred
async def test_a_wrong_certificate_is_bad_and_gets_no_request(authority: Authority) -> None:
    """Expired, for somebody else, or signed by itself: each in words, and the token in the header stays with us."""
    other = Authority(authority.directory, "other")
    cases = {
        authority.issue("expired", "IP:127.0.0.1", expired=True): "its certificate has expired on 2020-01-02",
        authority.issue("else", "DNS:else.test"): "its certificate is not for 127.0.0.1",
        other.issue("foreign", "IP:127.0.0.1"): "its certificate is of an authority that is not trusted here",
        (other.certificate, str(authority.directory / "other.key")): "is signed by itself, and not trusted here",
    }
    for (certificate, key), text in cases.items():
        with TlsServer(certificate, key, says(REPLY)) as server:
            check = http(f"https://127.0.0.1:{server.port}/", ca=authority.certificate, headers={"X-Token": "secret"})
            outcome = await seen(check)
        assert outcome.result is Result.BAD and text in outcome.text
        assert server.seen == b""


@pytest_twisted.ensureDeferred
async def test_what_pretends_to_speak_tls_is_judged(authority: Authority) -> None:
    """Garbage, endless garbage, a close and a reset in the handshake; a close without TLS's own goodbye is none."""
    options = {"ca": authority.certificate}
    for behave, text in (
        (lambda connection, server: server.send(connection, b"\x16\x03\x01\0\x05hello"), "TLS failed: "),
        (lambda connection, server: server.send(connection, b"garbage" * 100), "TLS failed: "),
        (forever(b"\x16\x03\x03\x40\0" + b"\0" * 0x4000), "TLS failed: "),
        (lambda connection, server: connection.recv(4096), "closed the connection in the middle of the TLS handshake"),
        (resets, "connection"),  # reset, or closed in the middle of the handshake: who is faster
    ):
        with Server(behave) as server:
            outcome = await seen(http(f"https://127.0.0.1:{server.port}/", **options))
        assert outcome.result is Result.BAD and text in outcome.text
        assert server.sent < 16 * 1024 * 1024
    certificate, key = authority.issue("rude", "IP:127.0.0.1")
    with TlsServer(certificate, key, says(b"HTTP/1.1 200 OK\r\n\r\nalive")) as server:
        assert await seen(http(f"https://127.0.0.1:{server.port}/", body="^alive$", **options)) == WELL


@pytest_twisted.ensureDeferred
async def test_a_stall_in_tls_is_cancelled(authority: Authority) -> None:
    """In the handshake, and behind it."""
    certificate, key = authority.issue("stall", "IP:127.0.0.1")
    halfway = says(REPLY[:-3], then=silent)
    for server in (Server(silent), TlsServer(certificate, key, silent), TlsServer(certificate, key, halfway)):
        with server:
            looking = http(f"https://127.0.0.1:{server.port}/", ca=authority.certificate, body="alive").run()
            await deferLater(reactor, 0.1)
            assert not looking.called
            looking.cancel()
            with pytest.raises(CancelledError):
                await looking
            await settled(server)


@pytest_twisted.ensureDeferred
async def test_an_endless_body_over_tls_is_cut_off(authority: Authority) -> None:
    """As without TLS."""
    certificate, key = authority.issue("endless", "IP:127.0.0.1")
    endless = says(b"HTTP/1.1 200 OK\r\n\r\n", then=forever(b"y" * 65536))
    with TlsServer(certificate, key, endless) as server:
        check = http(f"https://127.0.0.1:{server.port}/", ca=authority.certificate, body="alive")
        assert "65536 bytes does not match" in (await seen(check)).text
        await settled(server)
        assert server.sent < 16 * 1024 * 1024


@pytest_twisted.ensureDeferred
async def test_a_file_of_authorities_is_read_again_when_it_has_changed(authority: Authority, tmp_path: Path) -> None:
    """A private authority is renewed now and then; a file that cannot be read is not the service's fault."""
    file = tmp_path / "ca.pem"
    certificate, key = authority.issue("renewed", "IP:127.0.0.1")
    with TlsServer(certificate, key, says(REPLY)) as server:
        check = http(f"https://127.0.0.1:{server.port}/", ca=str(file))
        assert await seen(check) == Outcome(
            Result.ERROR, f"cannot read authorities in {file}: no such file or directory"
        )
        file.write_text("garbage\n")
        assert await seen(check) == Outcome(Result.ERROR, f"no certificate of an authority can be read in {file}")
        file.write_bytes(Path(Authority(tmp_path, "former").certificate).read_bytes())
        assert (await seen(check)).result is Result.BAD
        (tmp_path / "new").write_bytes(Path(authority.certificate).read_bytes())
        (tmp_path / "new").rename(file)
        assert await seen(check) == WELL
        file.unlink()
        os.mkfifo(file)
        assert await seen(check) == Outcome(Result.ERROR, f"cannot read authorities in {file}: not a regular file")


@pytest_twisted.ensureDeferred
async def test_without_the_libraries_https_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text says what to install, and no service fails by it."""
    for module, package in (
        ("OpenSSL.SSL", "python3-openssl"),
        ("service_identity.pyopenssl", "python3-service-identity"),
    ):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            outcome = await seen(http("https://127.0.0.1:1/"))
        assert outcome == Outcome(Result.ERROR, f"TLS is not available: install {package}")
