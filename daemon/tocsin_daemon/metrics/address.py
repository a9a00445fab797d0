"""Where metrics are served: on loopback, or on a Unix socket. Whoever can connect can read them, and nothing more."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


class BadAddress(ValueError):
    """A text that is no address to serve metrics at; it says what one looks like."""


@dataclass(frozen=True)
class Address:
    """A TCP port of a loopback address, or the `path` of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        """Return it as it is given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.path or f"{host}:{self.port}"


def parse(text: str) -> Address:
    """Return the address in HOST:PORT or an absolute path; BadAddress."""
    if text.startswith("/"):
        return Address(path=text)
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise BadAddress(f"{text!r} is neither HOST:PORT, such as 127.0.0.1:9910, nor the path of a socket")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise BadAddress(f"{host!r} is no address; write 127.0.0.1 or [::1]") from None
    if not loopback:
        raise BadAddress(f"{host} is open to the network, and nobody is asked who he is; use 127.0.0.1 or a socket")
    return Address(host, int(port))
