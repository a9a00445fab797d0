"""`tcp` against real listeners on loopback, well and ill."""

from __future__ import annotations

import errno
import os
import resource
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import deferLater

from tests.fakes.checks import FakeRun
from tocsin_daemon.checks import KINDS
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.core.check import Outcome, Result, Spec

pytestmark = pytest.mark.usefixtures("nothing_left")
OUTSIDE = Outside(reactor, "web", FakeRun())


def check(target: str, kind: str = "tcp", outside: Outside = OUTSIDE, **options: object) -> Any:  # noqa: ANN401
    """Return a check."""
    return KINDS[kind](Spec(kind, target, "one", options=options), outside)


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """Return a socket that listens on loopback."""
    host = "127.0.0.1" if request.param == socket.AF_INET else "::1"
    with socket.create_server((host, 0), family=request.param) as one:
        one.settimeout(5)
        yield one


def address(one: socket.socket) -> str:
    """Return its address as a check takes it."""
    host, port = one.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def soon(call: Callable[[], Any]) -> Deferred[Any]:
    """Call in the next turn of the reactor."""
    return deferLater(reactor, 0, call)  # type: ignore[arg-type]


@pytest_twisted.ensureDeferred
async def test_somebody_listens(listener: socket.socket) -> None:
    """He sees a connection that is closed in order."""
    assert await check(address(listener)).run() == Outcome(Result.WELL, "connected")
    accepted = listener.accept()[0]
    assert accepted.recv(10) == b""
    accepted.close()


@pytest_twisted.ensureDeferred
async def test_nobody_listens(listener: socket.socket) -> None:
    """Refused is bad: a service that should be there is not."""
    target = address(listener)
    listener.close()
    assert await check(target).run() == Outcome(Result.BAD, "connection refused")


@pytest_twisted.ensureDeferred
async def test_a_connection_with_itself_is_nobody() -> None:
    """The kernel may give our own end the very port that was asked for."""
    for _ in range(50):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        outcomes = [await check(f"127.0.0.1:{port}").run() for _ in range(20)]
        assert {outcome.text for outcome in outcomes} == {"connection refused"}


@pytest_twisted.ensureDeferred
async def test_what_is_expected_comes(listener: socket.socket) -> None:
    """In pieces, after what was sent."""
    done = check(address(listener), send="PING\r\n", expect=r"^\+PONG").run()
    service = listener.accept()[0]
    assert service.recv(100) == b"PING\r\n"
    service.send(b"+PO")
    await soon(lambda: service.send(b"NG\r\n"))
    assert await done == Outcome(Result.WELL, "answered")
    service.close()


@pytest_twisted.ensureDeferred
async def test_something_else_comes_and_then_the_end(listener: socket.socket) -> None:
    """It is shown in printable words."""
    done = check(address(listener), expect="ready").run()
    service = listener.accept()[0]
    service.send(b"\x1b[31mbusy\r\nmore")
    service.close()
    assert await done == Outcome(Result.BAD, "what is expected did not come, but '?[31mbusy'")


@pytest_twisted.ensureDeferred
async def test_nothing_comes_but_the_end(listener: socket.socket) -> None:
    """A service that is up and hangs up."""
    done = check(address(listener), expect="ready").run()
    listener.accept()[0].close()
    assert (await done).text == "what is expected did not come, but the connection was closed"


@pytest_twisted.ensureDeferred
async def test_a_reset_is_bad(listener: socket.socket) -> None:
    """As the kernel says it."""
    done = check(address(listener), expect="ready").run()
    service = listener.accept()[0]
    service.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    service.close()
    assert await done == Outcome(Result.BAD, "connection reset by peer")


@pytest_twisted.ensureDeferred
async def test_an_answer_without_end_is_cut(listener: socket.socket) -> None:
    """64 KiB are enough to find it in."""
    done = check(address(listener), expect="needle").run()
    service = listener.accept()[0]
    service.setblocking(False)
    while not done.called:
        try:
            service.send(b"x" * 65536)
        except BlockingIOError:
            await soon(lambda: None)
    assert (await done).result is Result.BAD
    service.close()


@pytest_twisted.ensureDeferred
async def test_an_answer_by_the_byte_costs_no_search_for_each(listener: socket.socket) -> None:
    """And is found all the same, at the latest at the end."""
    done = check(address(listener), expect="xyz").run()
    service = listener.accept()[0]
    service.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(300):
        service.send(b"a")
        await soon(lambda: None)
    service.send(b"xyz")
    service.close()
    assert await done == Outcome(Result.WELL, "answered")


@pytest_twisted.ensureDeferred
async def test_a_look_that_is_cancelled_leaves_nothing(listener: socket.socket) -> None:
    """Its socket is closed at once."""
    before = len(os.listdir("/proc/self/fd"))
    done = check(address(listener), expect="ready").run()
    service = listener.accept()[0]
    done.cancel()
    with pytest.raises(CancelledError):
        await done
    assert service.recv(1) == b""
    service.close()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest_twisted.ensureDeferred
async def test_a_full_queue_is_waited_for() -> None:
    """The kernel drops what does not fit, so there is no answer until the deadline; nothing is left then."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as one:
        full = [socket.create_connection(one.getsockname())]
        done = check(address(one)).run()
        await deferLater(reactor, 0.05, lambda: None)  # type: ignore[arg-type]
        assert not done.called
        done.cancel()
        with pytest.raises(CancelledError):
            await done
        for each in full:
            each.close()


@pytest_twisted.ensureDeferred
async def test_no_descriptor_is_our_fault(listener: socket.socket) -> None:
    """It says nothing of the service."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    one = check(address(listener))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        outcome = await one.run()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert outcome == Outcome(Result.ERROR, os.strerror(errno.EMFILE).lower())


@pytest.mark.parametrize(
    ("number", "result"),
    [
        (errno.EADDRNOTAVAIL, Result.ERROR),
        (errno.ENOBUFS, Result.ERROR),
        (errno.EAGAIN, Result.ERROR),
        (errno.ETIMEDOUT, Result.BAD),
        (errno.EHOSTUNREACH, Result.BAD),
    ],
)
def test_whose_fault_it_is(monkeypatch: pytest.MonkeyPatch, number: int, result: Result) -> None:
    """What the machine lacks is not the service's."""
    monkeypatch.setattr(socket.socket, "connect_ex", lambda self, address: number)
    assert now(check("127.0.0.1:1").run()) == Outcome(result, os.strerror(number).lower())


def now(done: Deferred[Outcome]) -> Outcome:
    """Return what has been found already."""
    found: list[Outcome] = []
    done.addCallback(found.append)
    return found[0]


@pytest_twisted.ensureDeferred
async def test_a_host_name_is_looked_up_and_each_address_tried(listener: socket.socket) -> None:
    """The service may listen on one of them only."""
    outside = Outside(reactor, "web", FakeRun(), addresses=lambda host: succeed(["127.0.0.1", "::1"]))
    port = listener.getsockname()[1]
    assert (await check(f"db:{port}", outside=outside).run()).result is Result.WELL


@pytest_twisted.ensureDeferred
async def test_a_name_without_an_address_is_an_error() -> None:
    """DNS is not the service."""
    assert await check("db:80").run() == Outcome(Result.ERROR, "no address of db is known")
