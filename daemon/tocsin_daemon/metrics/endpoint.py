"""
Metrics over HTTP: one page, for whoever can connect, who can do no harm.

Few connections, none for longer than a scrape may take, the oldest makes room; no body of a request is kept; and the
page is made once a second at most, a little at a time: that of a thousand services is a megabyte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol, cast

from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.http import Request as HttpRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport

    from tocsin_daemon.metrics.address import Address


log = Logger()

MOST_CONNECTIONS = 8
LONGEST = 10.0
"""Seconds of a connection: Prometheus gives up after as many."""
TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""Content type of Prometheus' text format."""
FRESH = 1.0
"""Seconds that a page is new enough for the next one who asks."""
AGAIN = 10.0
"""Seconds between two tries to listen."""
SOCKET_MODE = 0o660
"""For root and the group of the directory that it is in, if that has the setgid bit."""


class Nothing(Resource):
    """What is at every other path; Twisted's own is deprecated where its successor is not there yet."""

    isLeaf = True  # noqa: N815 - Twisted calls it so

    def render(self, request: HttpRequest) -> bytes:
        """Say where the page is."""
        request.setResponseCode(404)
        request.setHeader("content-type", TEXT)
        return b"the metrics are at /metrics\n"


class Root(Resource):
    """Where nothing is below but what was put there."""

    def getChild(self, path: bytes, request: HttpRequest) -> Resource:
        """Return what is at a path that is not known."""
        return Nothing()


class Pages(Protocol):
    """Who makes the page."""

    def pieces(self) -> Iterator[bytes]:
        """Yield it in pieces, each of which takes little time."""


class Page(Root):
    """The page: made for all who wait for it, in pieces, between which everything else has its turn."""

    def __init__(self, clock: IReactorTime, pages: Pages) -> None:
        """Serve what `pages` makes."""
        super().__init__()
        self._clock = clock
        self._pages = pages
        self._waiting: list[Request] = []
        self._pieces: Iterator[bytes] | None = None
        self._made: list[bytes] = []
        self._page = b""
        self._at = float("-inf")

    def render(self, request: Request) -> bytes | int:
        """Return the metrics as text, now or when they are made; of a HEAD Twisted sends only the head."""
        if request.method not in (b"GET", b"HEAD"):
            request.setResponseCode(405)
            request.setHeader("allow", "GET, HEAD")
            return b""
        request.setHeader("content-type", TEXT)
        request.setHeader("connection", "close")
        if self._clock.seconds() - self._at < FRESH:
            return self._page
        self._waiting.append(request)
        request.notifyFinish().addErrback(lambda _: self._waiting.remove(request))
        if self._pieces is None:
            self._made, self._pieces = [], self._pages.pieces()
            self._go_on()
        return NOT_DONE_YET

    def _go_on(self) -> None:
        """Make one more piece."""
        assert self._pieces is not None, "it is being made"
        try:
            self._made.append(next(self._pieces))
        except StopIteration:
            self._page, self._at = b"".join(self._made), self._clock.seconds()
            self._answer(200, self._page)
        except Exception:  # noqa: BLE001 - a page that cannot be made must not keep the next one from being tried
            log.failure("the metrics cannot be told")
            self._answer(500, b"the log of tocsind says why\n")
        else:
            self._clock.callLater(0, self._go_on)

    def _answer(self, code: int, page: bytes) -> None:
        waiting, self._waiting, self._pieces, self._made = self._waiting, [], None, []
        for request in waiting:
            request.setResponseCode(code)
            request.write(page)
            request.finish()


class Scrape(Request):
    """A request; whatever body it brings is not kept."""

    def gotLength(self, length: int | None) -> None:
        """Make no room for a body."""
        super().gotLength(0)

    def handleContentChunk(self, data: bytes) -> None:
        """Forget a part of a body."""


class Quiet(Site):
    """A site that does not log each request: there is one every few seconds."""

    noisy = False

    def log(self, request: HttpRequest) -> None:
        """Say nothing."""


class Guarded(WrappingFactory):
    """Lets a few connections in, each for a while."""

    noisy = False

    def __init__(self, clock: IReactorTime, site: Site) -> None:
        """Guard this site."""
        super().__init__(site)
        self._clock = clock
        self._ends: dict[ProtocolWrapper, IDelayedCall] = {}

    def registerProtocol(self, protocol: ProtocolWrapper) -> None:
        """Give a connection its time; the oldest makes room."""
        super().registerProtocol(protocol)
        self._ends[protocol] = self._clock.callLater(LONGEST, _abort, protocol)
        if len(self._ends) > MOST_CONNECTIONS:
            oldest = next(iter(self._ends))
            self._ends.pop(oldest).cancel()
            _abort(oldest)

    def unregisterProtocol(self, protocol: ProtocolWrapper) -> None:
        """Forget a connection that is closed."""
        super().unregisterProtocol(protocol)
        end = self._ends.pop(protocol, None)
        if end and end.active():
            end.cancel()


def _abort(connection: ProtocolWrapper) -> None:
    cast("ITCPTransport", connection.transport).abortConnection()


def site(reactor: IReactorTime, pages: Pages) -> Guarded:
    """Return what serves /metrics."""
    root = Root()
    root.putChild(b"metrics", Page(reactor, pages))
    return Guarded(reactor, Quiet(root, requestFactory=Scrape, timeout=LONGEST, reactor=reactor))


def serve(reactor: Any, address: Address, factory: Guarded, *, tried: bool = False) -> None:  # noqa: ANN401 - TCP, UNIX and time
    """Listen; where that cannot be, say so once and try again: no service may want for its daemon because of it."""
    try:
        if address.path:
            reactor.listenUNIX(address.path, factory, mode=SOCKET_MODE, wantPID=True)
        else:
            reactor.listenTCP(address.port, factory, interface=address.host)
    except (CannotListenError, OSError) as error:  # of a lock beside a Unix socket
        if not tried:
            log.error("metrics are not served: {why}", why=str(error))
        reactor.callLater(AGAIN, lambda: serve(reactor, address, factory, tried=True))
    else:
        log.info("metrics are served at {address}", address=str(address))
