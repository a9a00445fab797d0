"""Names looked up by DNS, with a server in memory; and what a reactor's endpoints see of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.names import dns
from twisted.names.error import DNSNameError
from twisted.python.failure import Failure

from tocsin_daemon.checks.outside import UnknownName
from tocsin_daemon.names import ForReactor, Names

A = {"db.example.com": "10.0.0.7", "db.prod.example.com": "10.0.0.8"}


class FakeServer:
    """Stands for twisted.names' resolver: knows some names."""

    def __init__(self) -> None:
        """Has not been asked."""
        self.asked: list[str] = []
        self.silent = False

    def lookupAddress(self, name: str, timeout: object) -> Deferred[Any]:
        """Answer with an alias in front, as servers do."""
        self.asked.append(name)
        if self.silent:
            return Deferred()
        if name not in A:
            return fail(DNSNameError())
        alias = dns.RRHeader(name, dns.CNAME, payload=dns.Record_CNAME("other"))
        return succeed(([alias, dns.RRHeader("other", dns.A, payload=dns.Record_A(A[name]))], [], []))

    def lookupIPV6Address(self, name: str, timeout: object) -> Deferred[Any]:
        """Know one."""
        if name != "db.example.com":
            return succeed(([], [], []))
        return succeed(([dns.RRHeader(name, dns.AAAA, payload=dns.Record_AAAA("fd00::7"))], [], []))


@pytest.fixture
def names(tmp_path: Path) -> Names:
    """Return names that ask the server in memory, and search two domains."""
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 127.0.0.1\nsearch prod.example.com example.com\n")
    found = Names(reactor, "/nonexistent", str(path))
    found._resolver = FakeServer()
    return found


def now(done: Deferred[Any]) -> Any:  # noqa: ANN401
    """Return what is known already."""
    got: list[Any] = []
    done.addBoth(got.append)
    return got[0]


def test_both_kinds_of_address(names: Names) -> None:
    """IPv4 first."""
    assert now(names.addresses("db.example.com")) == ["10.0.0.7", "fd00::7"]


def test_a_short_name_is_searched_for(names: Names) -> None:
    """In the order of the domains."""
    assert now(names.addresses("db")) == ["10.0.0.8"]
    assert names._resolver.asked == ["db.prod.example.com"]


def test_a_name_that_nobody_knows(names: Names) -> None:
    """With what the last server said."""
    failure = now(names.addresses("none"))
    assert isinstance(failure, Failure) and failure.check(UnknownName)
    assert failure.getErrorMessage() == "no address of none is known: DNSNameError"
    assert names._resolver.asked == ["none.prod.example.com", "none.example.com", "none"]


def test_a_question_that_is_cancelled_is_the_last(names: Names) -> None:
    """Also where other domains are left to search."""
    names._resolver.silent = True
    asking = names.addresses("db")
    asking.cancel()
    assert now(asking).check(UnknownName)
    assert len(names._resolver.asked) == 1


class Receiver:
    """Notes what a reactor would be told."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.told: list[Any] = []

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: ANN401
        """Note it."""
        self.told.append(resolution.name)

    def addressResolved(self, address: Any) -> None:  # noqa: ANN401
        """Note it."""
        self.told.append(address)

    def resolutionComplete(self) -> None:
        """Note it."""
        self.told.append("complete")


def test_what_an_endpoint_is_told(names: Names) -> None:
    """Only the kinds that it wants; an unknown name has no address."""
    one, other = Receiver(), Receiver()
    ForReactor(names).resolveHostName(one, "db.example.com", 80, [IPv4Address])
    assert one.told == ["db.example.com", IPv4Address("TCP", "10.0.0.7", 80), "complete"]
    ForReactor(names).resolveHostName(other, "none").cancel()
    assert other.told == ["none", "complete"]


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("::1", ["::1"]),
        ("db1", ["10.0.0.1", "fd00::1"]),
        ("DB1.Example.com.", ["10.0.0.1"]),
        ("localhost", ["127.0.0.1", "::1"]),
    ],
)
def test_addresses_and_listed_names_need_no_server(tmp_path: Path, host: str, addresses: list[str]) -> None:
    """`localhost` is local wherever the hosts file does not say more."""
    hosts = tmp_path / "hosts"
    hosts.write_text("# comment\nfd00::1 db1\n10.0.0.1 db1.example.com db1 # one\nnonsense db1\n\n")
    found: list[list[str]] = []
    Names(reactor, str(hosts), "/nonexistent").addresses(host).addCallback(found.append)
    assert found == [addresses]
