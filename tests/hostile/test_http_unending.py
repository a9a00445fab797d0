"""Servers whose HTTP has no end, or makes no progress: cut off, in bounded memory."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater

from tests.hostile.looking import look, settled
from tests.hostile.server import OK, Server, forever, says, silent, slowly
from tocsin_daemon.core.check import Result

IN_FLIGHT = 16 * 1024 * 1024
"""Bytes that the kernel's buffers on both ends may hold of what nobody reads."""
MOST_MEMORY = 1024 * 1024

ENDLESS = {
    "headers": (
        says(OK, then=forever(b"X-Padding: 12345678901234567890\r\n" * 100)),
        {},
        "more than 64 KiB of headers",
    ),
    "one header": (says(OK + b"X: ", then=forever(b"y" * 65536)), {}, "more than 64 KiB of headers"),
    "a status line": (says(b"HTTP/1.1 200 ", then=forever(b"y" * 65536)), {}, "more than 64 KiB of headers"),
    "continues": (says(then=forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)), {}, "more than 64 KiB of headers"),
    "a body": (says(OK + b"\r\n", then=forever(b"y" * 65536)), {"body": "alive"}, "its body of 65536 bytes does not"),
    "a body nobody looks at": (says(OK + b"\r\n", then=forever(b"y" * 65536)), {}, "status 200"),
    "a counted body": (
        says(OK + b"Content-Length: 999999999999999\r\n\r\n", then=forever(b"y" * 65536)),
        {"body": "alive"},
        "its body of 65536 bytes does not",
    ),
    "a chunk": (
        says(OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFF\r\n", then=forever(b"y" * 65536)),
        {"body": "alive"},
        "its body of 65536 bytes does not",
    ),
    "small chunks": (
        says(OK + b"Transfer-Encoding: chunked\r\n\r\n", then=forever(b"1\r\ny\r\n" * 1000)),
        {"body": "alive"},
        "more than 64 KiB of chunk sizes",
    ),
    "chunk extensions": (
        says(OK + b"Transfer-Encoding: chunked\r\n\r\n", then=forever(b"1;" + b"x" * 1000 + b"\r\ny\r\n")),
        {"body": "alive"},
        "more than 64 KiB of chunk sizes",
    ),
    "a chunk size": (
        says(OK + b"Transfer-Encoding: chunked\r\n\r\n", then=forever(b"0" * 65536)),
        {"body": "alive"},
        "no size of a chunk",
    ),
    "nuls": (says(then=forever(b"\0" * 65536)), {}, "no HTTP: it begins with"),
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest_twisted.ensureDeferred
async def test_what_has_no_end_costs_bounded_memory_and_is_judged(name: str) -> None:
    """The connection is dropped, so the server gets rid of what the kernel buffers and no more."""
    behave, options, text = ENDLESS[name]
    with Server(behave) as server:
        tracemalloc.start()
        try:
            outcome = await look(server, **options)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        await settled(server)
    assert text in outcome.text
    assert server.sent < IN_FLIGHT and peak < MOST_MEMORY, (server.sent, peak)


@pytest_twisted.ensureDeferred
async def test_a_gzip_bomb_is_not_unpacked() -> None:
    """Nobody asked for it; a pattern is searched in what came, and the text says why it was not found."""
    bomb = gzip.compress(b"alive" * 1_000_000, 9)
    head = OK + f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with Server(says(head + bomb)) as server:
        outcome = await look(server, body="alive")
        await settled(server)
    assert outcome.result is Result.BAD
    assert "(gzip, which is not unpacked)" in outcome.text
    assert b"Accept-Encoding: identity" in server.seen


STALLING = {
    "silent": silent,
    "silent after the status": says(OK, then=silent),
    "silent in the body": says(OK + b"Content-Length: 5\r\n\r\nal", then=silent),
    "slow headers": says(then=slowly(OK + b"X: " + b"y" * 10_000)),
    "slow body": says(OK + b"\r\n", then=slowly(b"y" * 10_000)),
    "slow chunks": says(OK + b"Transfer-Encoding: chunked\r\n\r\n", then=slowly(b"1\r\ny\r\n" * 1000)),
}


@pytest.mark.parametrize("name", STALLING)
@pytest_twisted.ensureDeferred
async def test_what_stalls_is_cancelled_and_leaves_nothing(name: str) -> None:
    """Whoever has the deadline cancels; the socket is closed at once."""
    with Server(STALLING[name]) as server:
        looking = look(server, body="alive")
        await deferLater(reactor, 0.1)
        assert not looking.called
        looking.cancel()
        with pytest.raises(CancelledError):
            await looking
        await settled(server)


@pytest_twisted.ensureDeferred
async def test_a_slow_reply_is_judged_when_it_is_whole() -> None:
    """Slow is not wrong: the deadline decides, and it is not the check's."""
    with Server(says(then=slowly(OK + b"Content-Length: 5\r\n\r\nalive", 0.002))) as server:
        assert (await look(server, body="^alive$")).result is Result.WELL
