"""Servers that answer an HTTP check as badly as they can: judged right, in bounded memory, and nothing stays open."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater

from tests.hostile.looking import http, look, settled
from tests.hostile.server import OK, Server, resets, says
from tocsin_daemon.checks.http_reply import MAX_BODY, MAX_HEAD
from tocsin_daemon.core.check import Outcome, Result

JUDGED = {
    "well": (says(OK + b"Content-Length: 2\r\n\r\nok"), {}, Result.WELL, "status 200"),
    "no body": (says(b"HTTP/1.1 204 No Content\r\n\r\n"), {}, Result.WELL, "status 204"),
    "redirect": (says(b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n"), {}, Result.WELL, "status 302"),
    "redirect not wanted": (
        says(b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n"),
        {"status": 200},
        Result.BAD,
        "status 302, not 200",
    ),
    "unavailable": (
        says(b"HTTP/1.1 503 Nope\r\n\r\n"),
        {},
        Result.BAD,
        "status 503, not 200-399",
    ),
    "pattern": (says(OK + b"Content-Length: 5\r\n\r\nalive"), {"body": "al.ve$"}, Result.WELL, "status 200"),
    "pattern at the end of the connection": (says(OK + b"\r\nalive"), {"body": "^alive$"}, Result.WELL, "status 200"),
    "pattern in chunks": (
        says(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nal\r\n3;x=y\r\n", b"ive\r\n0\r\n\r\n"),
        {"body": "alive"},
        Result.WELL,
        "status 200",
    ),
    "no pattern": (
        says(OK + b"Content-Length: 4\r\n\r\ndead"),
        {"body": "alive"},
        Result.BAD,
        "status 200, but its body of 4 bytes does not match 'alive'",
    ),
    "no body for a pattern": (
        says(OK + b"Content-Length: 0\r\n\r\n"),
        {"body": "alive"},
        Result.BAD,
        "status 200, but its empty body does not match 'alive'",
    ),
    "closed at once": (lambda connection, server: None, {}, Result.BAD, "closed the connection without a reply|reset"),
    "empty": (says(), {}, Result.BAD, "closed the connection without a reply"),
    "reset": (says(then=resets), {}, Result.BAD, "the connection was reset before its reply"),
    "reset in the head": (says(OK, then=resets), {}, Result.BAD, "the connection was reset before its reply"),
    "reset in the body": (
        says(OK + b"Content-Length: 5\r\n\r\nal", then=resets),
        {"body": "alive"},
        Result.BAD,
        "the connection was reset in the middle of its reply",
    ),
    "half a head": (says(OK + b"A: b\r\n"), {}, Result.BAD, "closed the connection in the middle of its headers"),
    "too short a body": (
        says(OK + b"Content-Length: 500\r\n\r\nalive"),
        {"body": "alive"},
        Result.BAD,
        "closed the connection after 5 bytes of its body, before the end of it",
    ),
    "too long a body": (says(OK + b"Content-Length: 2\r\n\r\nalive"), {"body": "^al$"}, Result.WELL, "status 200"),
    "two lengths": (
        says(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nab"),
        {},
        Result.BAD,
        "two lengths of its body that differ",
    ),
    "no length": (says(OK + b"Content-Length: -1\r\n\r\n"), {}, Result.BAD, 'no length of a body: "-1"'),
    "0.9": (says(b"<html>hello</html>"), {}, Result.BAD, 'no HTTP: it begins with "<html>hello</html>"'),
    "ssh": (says(b"SSH-2.0-OpenSSH_9.2\r\n"), {}, Result.BAD, 'no HTTP: it begins with "SSH-2.0-OpenSSH_9.2??"'),
    "nul": (says(b"\0" * 1000), {}, Result.BAD, 'no HTTP: it begins with "??????'),
    "nul in the status": (
        says(b"HTTP/1.1 200 O\0K\r\n\r\n"),
        {},
        Result.BAD,
        'no status of HTTP: "HTTP/1.1 200 O\\?K"',
    ),
    "nul in a header": (says(OK + b"A: \0b\r\n\r\n"), {}, Result.BAD, 'no header: "A"'),
    "no status": (says(b"HTTP/1.1 abc\r\n\r\n"), {}, Result.BAD, 'no status of HTTP: "HTTP/1.1 abc"'),
    "huge chunk": (
        says(OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nalive"),
        {"body": "alive"},
        Result.BAD,
        "closed the connection after 5 bytes of its body, before the end of it",
    ),
    "impossible chunk": (
        says(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"F" * 50 + b"\r\n"),
        {"body": "alive"},
        Result.BAD,
        'no size of a chunk: "FFFFF',
    ),
    "negative chunk": (
        says(OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nalive"),
        {"body": "alive"},
        Result.BAD,
        'no size of a chunk: "-5"',
    ),
    "chunk that is too long": (
        says(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nalive\r\n0\r\n\r\n"),
        {"body": "alive"},
        Result.BAD,
        "a chunk that is longer than its size",
    ),
    "continue, then well": (says(b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"\r\n"), {}, Result.WELL, "status 200"),
    "switching": (says(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), {}, Result.BAD, "status 101, not 200-399"),
    "head": (says(OK + b"Content-Length: 5000\r\n\r\n"), {"method": "HEAD"}, Result.WELL, "status 200"),
    "several statuses": (says(b"HTTP/1.0 404 x\n\n"), {"status": ["200-299", 404]}, Result.WELL, "status 404"),
}


@pytest.mark.parametrize("name", JUDGED)
@pytest_twisted.ensureDeferred
async def test_a_reply_is_judged_and_said_in_words(name: str) -> None:
    """None of it fails the check itself, and no text holds the query."""
    behave, options, result, text = JUDGED[name]
    with Server(behave) as server:
        outcome = await look(server, **options)
        await settled(server)
    assert outcome.result is result
    assert any(outcome.text.startswith(part.replace("\\", "")) or part in outcome.text for part in text.split("|"))
    assert "secret" not in outcome.text and outcome.text.isprintable() and len(outcome.text) < 200


@pytest_twisted.ensureDeferred
async def test_a_refused_connection_is_the_services_fault() -> None:
    """Nobody listens there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        outcome = await http(f"http://127.0.0.1:{bound.getsockname()[1]}/").run()
    assert outcome == Outcome(Result.BAD, "connection refused")


@pytest_twisted.ensureDeferred
async def test_ipv6_and_unix_sockets_are_reached(tmp_path: Path) -> None:
    """By an address in brackets, and by a path; a path where nothing is, is the service's fault."""
    with Server(says(OK + b"\r\n"), socket.AF_INET6) as server:
        assert (await http(f"http://[::1]:{server.port}/").run()).result is Result.WELL
        assert f"Host: [::1]:{server.port}\r\n".encode() in server.seen
    path = str(tmp_path / "socket")
    with Server(says(OK + b"\r\n"), path=path) as server:
        assert (await http("http://web.example/x", socket=path).run()).result is Result.WELL
        assert b"GET /x HTTP/1.1\r\nHost: web.example\r\n" in server.seen
    assert await http("http://x/", socket=path).run() == Outcome(Result.BAD, "connection refused")
    assert "no such file" in (await http("http://x/", socket=f"{path}2").run()).text


@pytest_twisted.ensureDeferred
async def test_a_unix_socket_whose_queue_is_full_is_tried_again(tmp_path: Path) -> None:
    """A TCP connection would wait in the kernel; a moment's crowd is no failure, and the deadline decides."""
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(path)
        listener.listen(0)
        first.connect(path)
        looking = http("http://x/", socket=path).run()
        await deferLater(reactor, 0.15)
        assert not looking.called
        listener.accept()[0].close()
        await deferLater(reactor, 0.1)
        listener.accept()[0].close()
        assert (await looking).text.startswith(("closed the connection", "the connection was reset"))
        first.close()
        with socket.socket(socket.AF_UNIX) as second:
            second.connect(path)
            looking = http("http://x/", socket=path).run()
            await deferLater(reactor, 0.1)
            looking.cancel()
            with pytest.raises(CancelledError):
                await looking


@pytest_twisted.ensureDeferred
async def test_no_free_descriptor_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing of the service."""
    import resource as limits

    soft, hard = limits.getrlimit(limits.RLIMIT_NOFILE)
    with Server(says(OK + b"\r\n")) as server:
        check = http(f"http://127.0.0.1:{server.port}/")
        free = os.open("/dev/null", os.O_RDONLY)
        os.close(free)
        limits.setrlimit(limits.RLIMIT_NOFILE, (free, hard))
        try:
            outcome = await check.run()
        finally:
            limits.setrlimit(limits.RLIMIT_NOFILE, (soft, hard))
    assert outcome == Outcome(Result.ERROR, "too many open files")


@pytest_twisted.ensureDeferred
async def test_the_request_is_what_was_asked_for() -> None:
    """Headers replace ours, whatever their case; a POST says that it has no body."""
    with Server(says(OK + b"\r\n")) as server:
        await look(server, method="POST", headers={"host": "web", "Authorization": "Bearer x"})
    lines = server.seen.decode().split("\r\n")
    assert lines[0] == "POST /health?token=secret HTTP/1.1"
    assert {"host: web", "Authorization: Bearer x", "Connection: close", "Content-Length: 0"} <= set(lines)
    assert not [line for line in lines if line.startswith("Host")]


@pytest.mark.parametrize("headers", [{"X": "a\r\nB: c"}, {"X\r\n": "a"}, {"Connection": "keep-alive"}, {"A b": "c"}])
def test_a_header_cannot_smuggle(headers: dict[str, str]) -> None:
    """One header is one line, and the framing is ours; the fault does not show the value."""
    with pytest.raises(ValueError, match="header"):
        http("http://127.0.0.1/", headers=headers)


def test_the_limits_are_what_the_manual_says() -> None:
    """64 KiB each."""
    assert MAX_BODY == MAX_HEAD == 64 * 1024
