"""
Host names looked up without threads: in the hosts file, then by DNS.

Twisted's own resolver asks the C library in threads, and a daemon that forks has none (`entrance.py`). What else
nsswitch.conf(5) may list (LDAP, mDNS) is not asked. A name without a dot is looked for in the search domains.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError, Deferred, DeferredList, succeed
from twisted.internet.interfaces import IHostnameResolver, IHostResolution
from twisted.python.failure import Failure
from zope.interface import implementer

from tocsin_daemon.checks.outside import UnknownName

HOSTS, RESOLV_CONF = "/etc/hosts", "/etc/resolv.conf"
PATIENCE = (1, 2)
"""Seconds that a name server has for its answer: the first time, and the second."""
MOST_READ = 64 * 1024
LOCAL = ("127.0.0.1", "::1")


class Names:
    """Looks names up."""

    def __init__(self, reactor: Any, hosts_file: str = HOSTS, resolv_conf: str = RESOLV_CONF) -> None:  # noqa: ANN401
        """Ask through this reactor; no name server is asked yet."""
        self._reactor = reactor
        self._hosts = hosts_file
        self._resolv_conf = resolv_conf
        self._resolver: Any = None

    def addresses(self, host: str) -> Deferred[list[str]]:
        """Return the addresses of a host, IPv4 first; UnknownName, also where it is cancelled."""
        if family_of(host):
            return succeed([host])
        name = host.rstrip(".").lower()
        listed = self._listed(name)
        if not listed and (name == "localhost" or name.endswith(".localhost")):
            listed = list(LOCAL)
        if listed:
            return succeed(sorted(listed, key=lambda address: ":" in address))
        return self._ask([f"{name}.{domain}" for domain in self._search() if "." not in name] + [name], host)

    def _ask(self, names: Sequence[str], host: str) -> Deferred[list[str]]:
        from twisted.names import client  # noqa: PLC0415 - most services are at an address, and it is large

        if self._resolver is None:
            self._resolver = client.Resolver(self._resolv_conf, timeout=PATIENCE, reactor=self._reactor)
        name = names[0]
        asked = [self._resolver.lookupAddress(name, PATIENCE), self._resolver.lookupIPV6Address(name, PATIENCE)]
        both = DeferredList(asked, consumeErrors=True)
        return both.addCallback(self._answered, names, host)

    def _answered(self, replies: list[tuple[bool, Any]], names: Sequence[str], host: str) -> Any:  # noqa: ANN401
        found = [address for ok, reply in replies if ok for address in map(_address, reply[0]) if address]
        if found:
            return found
        failures = [reply for ok, reply in replies if not ok]
        if len(names) > 1 and not any(failure.check(CancelledError) for failure in failures):
            return self._ask(names[1:], host)
        why = f": {failures[0].type.__name__}" if failures and failures[0].type else ""
        raise UnknownName(f"no address of {host} is known{why}")

    def _listed(self, name: str) -> list[str]:
        """Return the addresses of a name in the hosts file (hosts(5))."""
        lines = [words for words in _lines(self._hosts) if name in map(str.lower, words[1:])]
        return [words[0] for words in lines if family_of(words[0])]

    def _search(self) -> list[str]:
        """Return the domains in which a short name is looked for (resolv.conf(5))."""
        lists = [words[1:] for words in _lines(self._resolv_conf) if words[0] in ("search", "domain")]
        return lists[-1] if lists else []


def _lines(path: str) -> list[list[str]]:
    """Return the words of each line that is more than a comment; nothing of a file that cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.partition("#")[0].split() for line in file.read(MOST_READ).splitlines()]
    except OSError:
        return []
    return [words for words in lines if words]


def _address(record: Any) -> str:  # noqa: ANN401 - of twisted.names, which is not loaded for its types
    """Return the address in a record of type A or AAAA, "" of any other."""
    packed = getattr(record.payload, "address", b"")
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(packed))
    return socket.inet_ntop(family, packed) if family else ""


def family_of(host: str) -> int:
    """Return the address family of an IP address, 0 for a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return family
    return 0


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name
        self.asking: Deferred[Any] | None = None

    def cancel(self) -> None:
        """Ask no more."""
        if self.asking:
            self.asking.cancel()


@implementer(IHostnameResolver)
class ForReactor:
    """What a reactor asks, on behalf of Twisted's endpoints: `reactor.installNameResolver`."""

    def __init__(self, names: Names) -> None:
        """Ask these."""
        self._names = names

    def resolveHostName(
        self,
        resolutionReceiver: Any,  # noqa: ANN401, N803 - Twisted's signature
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Any = None,  # noqa: ANN401, N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        """Tell the receiver each address; none where the name is not known."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)

        def answered(found: list[str] | Failure) -> None:
            for host in found if isinstance(found, list) else ():
                kind: Any = IPv6Address if ":" in host else IPv4Address
                if addressTypes is None or kind in addressTypes:
                    resolutionReceiver.addressResolved(kind(transportSemantics, host, portNumber))
            resolutionReceiver.resolutionComplete()

        resolution.asking = self._names.addresses(hostName).addBoth(answered)
        return resolution
