"""The bookkeeper sees what it has to see: every kind of violation is made once, and what is well is not one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.books import VIOLATIONS
from tests.chaos.night import Night


def well_injected(night: Night) -> None:
    """Killed, injected, recovered."""
    night.kill()
    night.inject()
    night.restart(8)


def well_monitored(night: Night) -> None:
    """Killed, told by the monitor, recovered."""
    night.kill()
    night.do("monitor", 7)
    night.restart(8)


def well_stopped(night: Night) -> None:
    """Death while it is being stopped is nobody's news."""
    stop = night.begin("stop")
    night.kill()
    night.end(stop, 0)


def well_probed(night: Night) -> None:
    """Probed by hand, which tells nobody; the injection does."""
    night.kill()
    night.do("probe", 7)
    night.inject()


def well_crossed(night: Night) -> None:
    """Told by the monitor while the injection was on its way."""
    night.kill()
    night.book.injection(night.tick(), "1")
    night.do("monitor", 7)
    night.book.injected(night.tick(), "1")


def well_failed_start(night: Night) -> None:
    """Killed while it starts: the start tells."""
    night.stop()
    start = night.begin("start")
    night.book.born(night.tick(), 8, [])
    night.kill(8)
    night.end(start, 1)


def well_begun_anew(night: Night) -> None:
    """Two births in one start, for its daemon was killed."""
    night.stop()
    start = night.begin("start")
    night.book.born(night.tick(), 8, [])
    night.book.died(night.tick(), 8)
    night.book.born(night.tick(), 9, [])
    night.end(start, 0)


def well_crossed_by_a_stop(night: Night) -> None:
    """Killed and injected when Pacemaker had called the agent, and the agent not yet the daemon."""
    stop = night.begin("stop")
    night.kill()
    night.inject()
    night.book.heard_stop(night.tick())
    night.end(stop, 0)


def well_held(night: Night) -> None:
    """Injected when the maintenance is over in which it died."""
    night.book.maintain(True)
    night.kill()
    night.book.maintain(False)
    night.inject()


@pytest.mark.parametrize(
    "happens",
    [
        well_injected,
        well_monitored,
        well_stopped,
        well_probed,
        well_crossed,
        well_failed_start,
        well_begun_anew,
        well_crossed_by_a_stop,
        well_held,
    ],
)
def test_what_is_well_is_no_violation(happens: Callable[[Night], None]) -> None:
    """Nothing is owed, nothing is wrong."""
    night = Night()
    happens(night)
    assert night.found() == []


def test_a_service_whose_first_word_is_late_was_born_when_it_began() -> None:
    """Within its start, which is over when the machine lets it speak; one that began afterwards was not asked for."""
    night, begun = Night(), 1.5
    night.book.died(night.tick(), 7)
    night.book.violations.clear()
    night.book.born(night.tick(), 8, [], begun)
    assert not night.book.violations
    night.book.died(night.tick(), 8)
    night.book.violations.clear()
    night.book.born(night.tick(), 9, [], night.now)
    assert [kind for kind, _ in night.book.violations] == ["restarted"]


def lost(night: Night) -> None:
    """Nobody is told."""
    night.kill()


def duplicate(night: Night) -> None:
    """Injected twice."""
    night.kill()
    night.inject("1")
    night.inject("2")


def duplicate_of_a_monitor(night: Night) -> None:
    """Injected after the monitor had told."""
    night.kill()
    night.do("monitor", 7)
    night.inject()


def stale(night: Night) -> None:
    """Meant for the one before."""
    night.kill()
    night.book.injection(night.tick(), "1")
    night.do("monitor", 7)
    night.restart(8)
    night.book.injected(night.tick(), "1")


def stale_of_the_living(night: Night) -> None:
    """Nothing was wrong; both the execution and the effect are noted."""
    night.book.injection(night.tick(), "1")


def late(night: Night) -> None:
    """Injected, and the daemon knew that it is to stop."""
    stop = night.begin("stop")
    night.kill()
    heard = night.tick()
    night.inject()
    night.book.heard_stop(heard)
    night.end(stop, 0)


def restarted(night: Night) -> None:
    """Born, and nobody asked for a start."""
    night.kill()
    night.inject()
    night.book.born(night.tick(), 8, [])


def restarted_beside(night: Night) -> None:
    """Born beside the remains of the one before."""
    night.kill()
    night.inject()
    night.begin("start")
    night.book.born(night.tick(), 8, [9])


def touched(night: Night) -> None:
    """Dead, and nobody asked."""
    night.book.died(night.tick(), 7)


def leftover(night: Night) -> None:
    """Not all gone when stop returned 0."""
    night.kill()
    night.do("stop", 0, "9 S sleep")


def false_alarm(night: Night) -> None:
    """Alive, and the monitor fails."""
    night.do("monitor", 1)


def false_alarm_of_stop(night: Night) -> None:
    """Fenced for nothing, by a failed stop."""
    stop = night.begin("stop")
    night.book.died(night.tick(), 7)
    night.end(stop, 1)


def false_alarm_of_start(night: Night) -> None:
    """Alive, and the start fails."""
    night.do("start", 1)


def maintenance(night: Night) -> None:
    """Injected in spite of it."""
    night.book.maintain(True)
    night.kill()
    night.inject()


def lie(night: Night) -> None:
    """Said to run, and it was stopped."""
    night.stop()
    night.do("monitor", 0)


MADE = [
    lost,
    duplicate,
    duplicate_of_a_monitor,
    stale,
    stale_of_the_living,
    late,
    restarted,
    restarted_beside,
    touched,
    leftover,
    false_alarm,
    false_alarm_of_stop,
    false_alarm_of_start,
    maintenance,
    lie,
]


@pytest.mark.parametrize("happens", MADE)
def test_each_violation_is_seen(happens: Callable[[Night], None]) -> None:
    """Once, and as what it is."""
    night = Night()
    happens(night)
    name = happens.__name__.replace("_", " ")
    assert night.found() == [next(kind for kind in VIOLATIONS if name.startswith(kind))]


def test_every_kind_of_violation_is_made_here() -> None:
    """So that none of them is blind."""
    names = [happens.__name__.replace("_", " ") for happens in MADE]
    assert all(any(name.startswith(kind) for name in names) for kind in VIOLATIONS)
