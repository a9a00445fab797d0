"""Looks that nobody would miss: one without a deadline, one whose turn never comes, one that we slept through."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore, succeed
from twisted.internet.task import Clock

from tests.fakes.checks import BAD, ERROR, WELL, Watched, spec
from tocsin_daemon.checks.hosts import NEXT_AFTER, look_at
from tocsin_daemon.core.check import Outcome
from tocsin_daemon.looks import Means
from tocsin_daemon.pulse import Pulse


def test_a_look_at_a_name_that_is_known_at_once_has_a_deadline_too(
    web: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Deferred that was called and waits for another one looks as if it were over: localhost is in the hosts file."""

    def silent(_: object = None) -> Deferred[Outcome]:
        return look_at("localhost", lambda host: succeed(["127.0.0.1"]), lambda address: Deferred(), web.clock)

    assert silent().called
    monkeypatch.setattr("tests.fakes.checks.FakeCheck.run", silent)
    web.begin(spec(interval=1.0, timeout=1.0, fall=1))
    web.pass_time(3)
    assert web.watch.verdict.failed == "check one failed once: no answer within 1 s"
    web.watch.end()


class Addresses:
    """The looks at the addresses of one name."""

    def __init__(self, *addresses: str) -> None:
        """Begin."""
        self.clock = Clock()
        self.looks: dict[str, Deferred[Outcome]] = {}
        self.cancelled: list[str] = []
        self.got: list[Outcome] = []
        self.done = look_at("db", lambda host: succeed(list(addresses)), self.look, self.clock)
        self.done.addCallback(self.got.append).addErrback(lambda failure: failure.trap(CancelledError))

    def look(self, address: str) -> Deferred[Outcome]:
        """Look at one."""
        self.looks[address] = Deferred(lambda _: self.cancelled.append(address))
        return self.looks[address]


def test_an_address_that_drops_packets_does_not_use_up_the_time_of_the_next() -> None:
    """A name has an address of IPv6 behind a firewall, and one of IPv4 where the service answers."""
    db = Addresses("fd00::1", "10.0.0.1")
    assert list(db.looks) == ["fd00::1"]
    db.clock.advance(NEXT_AFTER)
    db.looks["10.0.0.1"].callback(WELL)
    assert db.got == [WELL]
    assert db.cancelled == ["fd00::1"]
    assert db.clock.getDelayedCalls() == []


def test_an_address_that_refuses_is_followed_by_the_next_at_once() -> None:
    """There is nothing to wait for."""
    db = Addresses("fd00::1", "10.0.0.1")
    db.looks["fd00::1"].callback(BAD)
    db.looks["10.0.0.1"].callback(WELL)
    assert db.got == [WELL]


def test_a_service_that_no_address_answers_for_is_bad_and_not_unchecked() -> None:
    """The host has no way to IPv6, which says nothing of the service: in either order."""
    for addresses in (("fd00::1", "10.0.0.1"), ("10.0.0.1", "fd00::1")):
        db = Addresses(*addresses)
        for address in addresses:
            db.looks[address].callback(BAD if "." in address else ERROR)
        assert db.got == [BAD]


def test_a_look_that_is_given_up_leaves_none_behind() -> None:
    """Its time was over: both are cancelled, and the third is not begun."""
    db = Addresses("10.0.0.1", "10.0.0.2", "10.0.0.3")
    db.clock.advance(NEXT_AFTER)
    db.done.cancel()
    assert db.cancelled == ["10.0.0.1", "10.0.0.2"]
    db.clock.advance(10)
    assert len(db.looks) == 2
    assert db.got == []


def test_a_check_that_comes_later_is_not_forgiven_for_a_start_that_is_long_over(web: Watched) -> None:
    """A service without checks is up at once; one is added by a reload."""
    web.tcp.answer = BAD
    web.begin(settled=False)
    web.pass_time(3600, 60)
    web.watch.replace([spec(interval=1.0, fall=3)])
    web.pass_time(5)
    assert web.watch.verdict.failed


def test_what_was_answered_while_we_were_stopped_counts(web: Watched) -> None:
    """However long: after SIGCONT, or when a virtual machine goes on, timers come before sockets are read."""
    web.means = Means(DeferredSemaphore(2), Pulse(web.clock, proc="/nonexistent"))
    web.watch = web.another("web")
    web.begin(spec(interval=10.0, timeout=1.0, fall=1))
    while not web.tcp.looks:
        web.clock.advance(0.01)
    web.clock.advance(0.3)
    web.clock.advance(60)
    assert web.tcp.cancelled == 0
    web.tcp.looks[0].callback(WELL)
    assert web.watch.rows()[0].state == "well"


def test_a_thousand_that_fail_at_once_do_not_lose_their_turn(web: Watched) -> None:
    """Two hang, the others wait, and then there are no descriptors: each turn that is given back is the next one's."""
    slow = [spec(name, "exec", interval=1.0, timeout=100.0) for name in ("one", "two")]
    web.begin(*slow)
    web.pass_time(2)
    names = [f"c{number}" for number in range(1000)]
    other = web.another("other")
    other.replace([spec(name, "exec", interval=1.0) for name in names])
    other.begin(web.clock.seconds(), settled=True)
    web.pass_time(2)
    web.exec.answer = ERROR
    web.exec.looks[0].callback(WELL)
    web.exec.begun.clear()
    web.pass_time(3)
    assert set(names) <= set(web.exec.begun)
    other.end()
    web.watch.end()


def test_a_turn_that_has_just_come_is_given_back(web: Watched) -> None:
    """The watch ends before the look has begun."""
    web.begin(*(spec(f"c{number}", "exec", interval=1.0) for number in range(3)))
    while len(web.exec.looks) < 2:
        web.clock.advance(0.01)
    web.pass_time(1)
    web.exec.looks[0].callback(WELL)
    web.watch.end()
    assert len(web.exec.looks) == 2


def test_who_never_gets_a_turn_says_so(web: Watched) -> None:
    """All turns are taken by what hangs: what was well an hour ago is not known to be."""
    web.begin(*(spec(f"c{number}", "exec", interval=1.0, timeout=1000.0) for number in range(2)))
    web.pass_time(2)
    other = web.another("other")
    other.replace([spec("c9", "exec", interval=1.0, timeout=5.0)])
    other.begin(web.clock.seconds(), settled=True)
    web.pass_time(20)
    assert other.verdict.failed == ""
    assert other.verdict.degraded.startswith("check c9 could not be made 3 times: waits for its turn")
    web.exec.looks[0].callback(WELL)
    web.clock.advance(0)
    web.exec.looks[-1].callback(WELL)
    assert other.verdict.degraded == ""
    other.end()
    web.watch.end()
