"""One event posted to a URL: JSON in, any status from 200 to 299 out, within a time; nothing of the reply is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from tocsin_ocf import __version__

if TYPE_CHECKING:
    from twisted.internet.interfaces import IConsumer, IPushProducer, IReactorTime, ITransport
    from twisted.python.failure import Failure
    from twisted.web.iweb import IAgent, IResponse


@implementer(IBodyProducer)
class Body:
    """A few bytes that are there already."""

    def __init__(self, data: bytes) -> None:
        """Send these."""
        self.length = len(data)
        self._data = data

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Write them."""
        consumer.write(self._data)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Do nothing: all is written at once."""

    def resumeProducing(self) -> None:
        """Do nothing: all is written at once."""

    def stopProducing(self) -> None:
        """Do nothing: all is written at once."""


class Unread(Protocol):
    """The body of a reply, which may be endless: the connection is closed."""

    def __init__(self, clock: IReactorTime) -> None:
        """Close it soon: this one is still being told of it."""
        self._clock = clock

    def connectionMade(self) -> None:
        """Read none of it."""
        self._clock.callLater(0, self._close)

    def _close(self) -> None:
        """Close it below TLS as well, which would read on until the other end agrees."""
        below, transport = cast("IPushProducer", self.transport), cast("ITransport", self.transport)
        below.stopProducing()
        transport.loseConnection()


def post(
    clock: IReactorTime, agent: IAgent, url: str, headers: Mapping[str, str], seconds: float, event: bytes
) -> Deferred[str]:
    """
    Return "" when somebody at the URL has taken the event, else why not; cancelling gives up.

    Raises what the agent does that cannot ask, such as for https without pyOpenSSL.
    """
    names = Headers({"Content-Type": ["application/json"], "User-Agent": [f"tocsind/{__version__}"]})
    for name, value in headers.items():
        names.setRawHeaders(name, [value])
    asked: Deferred[Any] = agent.request(b"POST", url.encode("ascii"), names, Body(event))

    def judge(response: IResponse) -> str:
        response.deliverBody(Unread(clock))
        return "" if 200 <= response.code < 300 else f"HTTP status {response.code}"

    def too_late(_: object, seconds: float) -> str:
        return f"no reply within {seconds:g} s"

    return asked.addCallbacks(judge, _cause).addTimeout(seconds, clock, too_late)


def _cause(failure: Failure) -> str:
    """Return why, also where Twisted's failure is only a wrapper of others."""
    reasons = getattr(failure.value, "reasons", None)
    return str((reasons[0] if reasons else failure).getErrorMessage())
