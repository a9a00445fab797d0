"""How lost time is felt, on a clock and with a /proc of the test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from tocsin_daemon.pulse import BEAT, Pulse, waited

TICKS = os.sysconf("SC_CLK_TCK")


class Proc:
    """A /proc whose figures the test sets."""

    def __init__(self, directory: Path) -> None:
        """Have two processors, none of which waits or is stolen."""
        self.directory = directory
        (directory / "pressure").mkdir()
        self.pressure("cpu", 0)
        self.pressure("memory", 0)
        self.stolen(0, 0)

    def pressure(self, name: str, some: float, full: float = 0.0) -> None:
        """Set the seconds waited so far."""
        line = "{} avg10=1.00 avg60=1.00 avg300=1.00 total={}\n"
        text = line.format("some", round(some * 1e6)) + line.format("full", round(full * 1e6))
        path = self.directory / "pressure" / name
        with open(path, "r+" if path.exists() else "w", encoding="ascii") as file:
            file.write(text)
            file.truncate()

    def stolen(self, *seconds: float) -> None:
        """Set the seconds stolen so far from each processor."""
        rows = [f"cpu{n} 1 2 3 4 5 6 7 {round(each * TICKS)} 0 0" for n, each in enumerate(seconds)]
        total = f"cpu  1 2 3 4 5 6 7 {round(sum(seconds) * TICKS)} 0 0"
        (self.directory / "stat").write_text("\n".join([total, *rows, "intr 1 2 3", ""]))


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    """Return a quiet machine."""
    return Proc(tmp_path)


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


def beating(clock: Clock, proc: Path) -> Pulse:
    """Return a pulse that beats."""
    pulse = Pulse(clock, str(proc))
    pulse.begin()
    return pulse


def pass_time(clock: Clock, seconds: float) -> None:
    """Let time pass in time."""
    clock.pump([BEAT] * round(seconds / BEAT))


def test_a_quiet_machine_loses_nothing(clock: Clock, proc: Proc) -> None:
    """In a minute."""
    pulse = beating(clock, proc.directory)
    pass_time(clock, 60)
    assert pulse.lost() == 0.0


def test_somebody_waits_for_a_processor(clock: Clock, proc: Proc) -> None:
    """As the kernel counts it; and for memory only where nobody gets anywhere."""
    pulse = beating(clock, proc.directory)
    proc.pressure("cpu", 0.4, 0.1)
    proc.pressure("memory", 3.0, 0.2)
    pass_time(clock, 1)
    assert pulse.lost() == pytest.approx(0.6)


def test_time_that_was_lost_before_is_no_news(clock: Clock, proc: Proc) -> None:
    """Counters run since boot."""
    proc.pressure("cpu", 1e5)
    proc.stolen(1e4, 1e4)
    pulse = beating(clock, proc.directory)
    pass_time(clock, 5)
    assert pulse.lost() == 0.0


def test_what_another_machine_was_given(clock: Clock, proc: Proc) -> None:
    """From the processor that was robbed most: the service may have been there."""
    pulse = beating(clock, proc.directory)
    proc.stolen(0.25, 0.75)
    pass_time(clock, 2)
    assert pulse.lost() == pytest.approx(0.75, abs=1 / TICKS)


def test_a_loop_that_comes_late_is_felt_before_its_beat(clock: Clock, proc: Proc) -> None:
    """A deadline may come first after the daemon was stopped; and it is not counted twice."""
    pulse = beating(clock, proc.directory)
    clock.rightNow += 30
    assert pulse.lost() == pytest.approx(30 - BEAT)
    clock.advance(0)
    assert pulse.lost() == pytest.approx(30 - BEAT)


def test_it_beats_only_while_somebody_wants_to_know(clock: Clock, proc: Proc) -> None:
    """A daemon that checks nothing sleeps; no descriptor stays open."""
    before = len(os.listdir("/proc/self/fd"))
    pulse = beating(clock, proc.directory)
    pulse.begin()
    pulse.end()
    assert clock.getDelayedCalls() != []
    pulse.end()
    assert clock.getDelayedCalls() == []
    assert len(os.listdir("/proc/self/fd")) == before
    clock.advance(100)
    assert pulse.lost() == 0.0
    pulse.begin()
    assert pulse.lost() == 0.0
    pulse.end()


def test_what_the_kernel_does_not_show_is_done_without(clock: Clock, tmp_path: Path) -> None:
    """No pressure, no statistics: a container, an old kernel; the late loop is felt all the same."""
    pulse = beating(clock, tmp_path / "nothing")
    pass_time(clock, 2)
    assert pulse.lost() == 0.0
    clock.advance(1)
    assert pulse.lost() == pytest.approx(1 - BEAT)


def test_unreadable_figures_are_none(clock: Clock, proc: Proc) -> None:
    """Whatever a container's stand-in writes there."""
    (proc.directory / "pressure/cpu").write_text("some total=many\n")
    (proc.directory / "stat").write_text("cpu\ncpu0 1 2\n")
    pulse = beating(clock, proc.directory)
    pass_time(clock, 2)
    assert pulse.lost() == 0.0


def test_this_machine_can_be_read() -> None:
    """Whatever it shows, it does not fail, and time does not run backwards."""
    clock = Clock()
    pulse = beating(clock, Path("/proc"))
    pass_time(clock, 2)
    assert pulse.lost() >= 0.0
    pulse.end()


def test_what_a_service_waited_for_is_the_sum_of_its_cgroups_pressures(tmp_path: Path) -> None:
    """None where the kernel does not count, or there is no cgroup of ours."""
    place = tmp_path / "tocsin/9909/web"
    place.mkdir(parents=True)
    assert waited(str(place)) is None
    (place / "cpu.pressure").write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull total=7\n")
    (place / "io.pressure").write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=500000\nfull total=7\n")
    assert waited(str(place)) == 2.0
    assert waited("") is None
    assert waited("/sys/fs/cgroup/elsewhere") is None
