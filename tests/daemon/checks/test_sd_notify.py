"""`sd_notify`: what is a sign of life, and when silence is a failure."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.fakes.speaking import Service
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.checks.sd_notify import SdNotify
from tocsin_daemon.core.check import Outcome, Result, Spec


class Judged:
    """A check of the kind, and what it tells."""

    def __init__(self, service: Service, patience: str = "10s") -> None:
        """Begin to watch."""
        self.told: list[Outcome] = []
        self.lost = 0.0
        outside = Outside(
            reactor=service.reactor,
            resource="web",
            run=lambda program: Deferred(),
            notify=lambda: service.notify,
            lost=lambda: self.lost,
        )
        self.check = SdNotify(Spec("sd_notify", patience, "alive"), outside)
        self.check.begin(self.told.append)

    def results(self) -> list[Result]:
        """Return what was told, and forget it."""
        told, self.told[:] = [outcome.result for outcome in self.told], []
        return told


def test_signs_of_life_are_well_and_silence_is_bad(service: Service) -> None:
    """READY=1 is one; silence is said again and again until a sign comes."""
    judged = Judged(service)
    service.reactor.advance(9)
    service.say("READY=1")
    service.reactor.advance(9)
    service.say("WATCHDOG=1", "STATUS=busy", "ERRNO=28")
    service.reactor.advance(9.9)
    assert judged.results() == [Result.WELL, Result.WELL]
    service.reactor.advance(0.2)
    text = "no sign of life (WATCHDOG=1) for 10.1 s, one every 10 s is wanted; it says: busy; error: no space left"
    assert len(judged.told) == 1 and judged.told[0].text.startswith(text)
    service.reactor.advance(10)
    service.say("WATCHDOG=1")
    assert judged.results() == [Result.BAD, Result.BAD, Result.WELL]
    service.say("WATCHDOG=trigger")
    assert judged.results() == [Result.BAD]
    judged.check.end()
    service.say("WATCHDOG=1")
    assert judged.told == []


def test_time_that_was_lost_does_not_count(service: Service) -> None:
    """The daemon was starved for 7 of the seconds, and so may have been the service."""
    judged = Judged(service)
    service.reactor.advance(5)
    judged.lost = 7.0
    service.reactor.advance(11)
    assert judged.results() == []
    service.reactor.advance(1.1)
    assert judged.results() == [Result.BAD]
    judged.check.end()


def test_without_a_socket_nothing_is_judged() -> None:
    """It is an error of the check; not told from within begin."""
    clock = Clock()
    told: list[Outcome] = []
    outside = Outside(reactor=clock, resource="web", run=lambda program: Deferred())
    check = SdNotify(Spec("sd_notify", "10s", "alive"), outside)
    check.begin(told.append)
    assert told == []
    clock.advance(0)
    assert [outcome.result for outcome in told] == [Result.ERROR]
    check.end()
