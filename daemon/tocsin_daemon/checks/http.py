"""
The check `http`: one request over a connection of its own, judged by the status and, where asked, by the body.

Twisted's Agent is not used: it reads headers without an end, and follows the server's framing for as long as that
likes. Here a reply costs bounded memory (see `http_reply`), and as soon as it is judged the connection is closed:
without a pattern for the body, the head alone decides and the body is not read. Redirects are not followed. No text of
an outcome holds anything of the request's headers or of the URL's query, which may be secrets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from twisted.internet.defer import Deferred, succeed

from tocsin_daemon.checks.hosts import look_at
from tocsin_daemon.checks.http_exchange import Exchange
from tocsin_daemon.checks.http_reply import Reply
from tocsin_daemon.checks.reach import at_address
from tocsin_daemon.core.check import Outcome, Result
from tocsin_ocf import targets

if TYPE_CHECKING:
    from tocsin_daemon.checks.outside import Outside
    from tocsin_daemon.checks.tls import Tls
    from tocsin_daemon.core.check import Spec

WELL_STATUSES = "200-399"
DEFAULT_PORTS = {"http": 80, "https": 443}
OURS = {"User-Agent": "tocsin", "Accept": "*/*", "Accept-Encoding": "identity"}
"""Headers that the definition may replace; Host too."""
FRAMING = {"connection", "content-length", "transfer-encoding", "expect", "upgrade"}
"""Headers that say how the connection is used: ours to say."""
URL_SAFE = "/:?#[]@!$&'()*+,;=%~"


@dataclass(frozen=True)
class Wanted:
    """What a good reply is: ranges of its status, and a pattern that its body must match."""

    ranges: tuple[tuple[int, int], ...]
    said: str
    pattern: re.Pattern[str] | None = None

    def judge(self, reply: Reply) -> Outcome:
        """Judge a reply that is complete."""
        status = f"status {reply.status}"
        if not any(low <= reply.status <= high for low, high in self.ranges):
            return Outcome(Result.BAD, f"{status}, not {self.said}")
        if self.pattern and not self.pattern.search(reply.body.decode("utf-8", "replace")):
            return Outcome(Result.BAD, f"{status}, but {_unmatched(reply)} does not match {self.pattern.pattern!r}")
        return Outcome(Result.WELL, status)


def _unmatched(reply: Reply) -> str:
    """Return what of a reply was searched in vain."""
    packed = f" ({reply.encoding}, which is not unpacked)" if reply.encoding not in ("", "identity") else ""
    return f"its body of {len(reply.body)} bytes{packed}" if reply.body else "its empty body"


@dataclass(frozen=True)
class Request:
    """Where to send what; `payload` is never shown."""

    host: str
    port: int
    path: str = ""
    method: str = "GET"
    secure: bool = False
    payload: bytes = field(default=b"", repr=False)


def request(spec: Spec) -> Request:
    """Return what to send where; ValueError where that is none."""
    split = urlsplit(targets.url(spec.target))
    host, method = split.hostname or "", spec.options.get("method", "GET")
    port = split.port or DEFAULT_PORTS[split.scheme]
    named = f"[{host}]" if ":" in host else (host if host.isascii() else host.encode("idna").decode("ascii"))
    headers = {"Host": named if port == DEFAULT_PORTS[split.scheme] else f"{named}:{port}", **OURS}
    for name, value in spec.options.get("headers", {}).items():
        _demand_header(name, str(value))
        headers = {known: said for known, said in headers.items() if known.lower() != name.lower()}
        headers[name] = str(value)
    headers |= {"Connection": "close", **({"Content-Length": "0"} if method == "POST" else {})}
    resource = quote(split.path or "/", safe=URL_SAFE) + (
        f"?{quote(split.query, safe=URL_SAFE)}" if split.query else ""
    )
    lines = [f"{method} {resource} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    path, secure = spec.options.get("socket", ""), split.scheme == "https"
    return Request(host, port, path, method, secure, "\r\n".join(lines).encode("utf-8"))


def _demand_header(name: str, value: str) -> None:
    if name.lower() in FRAMING:
        raise ValueError(f"header {name}: how the connection is used is not to be chosen; remove it")
    if not re.fullmatch(r"[!-9;-~]+", name) or not all(letter.isprintable() or letter == "\t" for letter in value):
        raise ValueError(f"header {name!r}: a line break or another unprintable character in it")


class Http:
    """One check of the kind."""

    def __init__(self, spec: Spec, outside: Outside) -> None:
        """Prepare the request; ValueError, `tocsin_ocf.values.Wrong` where there is none to make."""
        options = spec.options
        self._reactor = outside.reactor
        self._addresses = outside.addresses
        self._request = request(spec)
        status = options.get("status", WELL_STATUSES)
        said = ", ".join(map(str, status)) if isinstance(status, (list, tuple)) else str(status)
        pattern = re.compile(options["body"]) if "body" in options else None
        self._wanted = Wanted(targets.statuses(status), said, pattern)
        self._tls = _tls(self._request.host, options) if self._request.secure else None

    def run(self) -> Deferred[Outcome]:
        """Ask once; see `PolledCheck`."""
        if self._tls:
            fault = self._tls.fault()
            if fault:
                return succeed(Outcome(Result.ERROR, fault))
        if self._request.path:
            return self._ask("")
        return look_at(self._request.host, self._addresses, self._ask, self._reactor)

    def _ask(self, address: str) -> Deferred[Outcome]:
        to = self._request
        reply = Reply(body=self._wanted.pattern is not None, bodiless=to.method == "HEAD")
        exchange = Exchange(self._reactor, to.payload, reply, self._wanted.judge, self._tls)
        return exchange.connect(at_address(self._reactor, address, to.port, to.path))


def _tls(host: str, options: Any) -> Tls:  # noqa: ANN401 - JSON
    from tocsin_daemon.checks.tls import Tls  # noqa: PLC0415 - who speaks no TLS need not load it

    name = options.get("server_name", "") or host
    return Tls(name, verify=options.get("verify", True), ca=options.get("ca", ""))
