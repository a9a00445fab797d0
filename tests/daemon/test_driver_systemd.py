"""The systemd driver: what it asks for, what it tells, and when it says nothing; systemd is the test's."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.systemd import DOWN, FAILED, ME, UP, WEB, Room
from tocsin_daemon.bus.connection import BusError, NoBus
from tocsin_daemon.core.record import Main
from tocsin_daemon.core.unit import Unit
from tocsin_daemon.drivers.systemd import UNANSWERED
from tocsin_ocf import processes


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Return a driver of which nothing runs."""
    return Room(tmp_path)


def test_a_unit_is_overridden_read_anew_and_started(room: Room) -> None:
    """In this order; it is up when systemd says so, and as what."""
    room.start()
    assert room.systemd.done == ["reload", "start web.service"] and "Restart=no" in room.override.read_text()
    room.systemd.tell(replace(UP, active="activating", main=0))
    assert room.told == []
    room.systemd.tell(UP)
    assert room.told == [("up", ME)]
    main = processes.look(ME)
    assert main and room.driver.main == Main(ME, main.start, processes.boot_id())


def test_systemd_reads_its_units_anew_only_if_it_must(room: Room, tmp_path: Path) -> None:
    """Everybody waits for that: where the override is there and known, it need not."""
    room.start()
    again = Room(tmp_path)
    again.start(replace(DOWN, drop_ins=(str(again.override),)))
    assert again.systemd.done == ["start web.service"]
    changed = Room(tmp_path)
    changed.start(replace(DOWN, drop_ins=(str(again.override),), reload_needed=True))
    assert changed.systemd.done == ["reload", "start web.service"]


@pytest.mark.parametrize("found", [replace(DOWN, load="masked"), replace(DOWN, load="not-found")])
def test_what_cannot_be_started_is_refused(room: Room, found: Unit) -> None:
    """As not installed, and nothing was written."""
    room.start(found)
    assert room.told[0][:2] == ("refused", 5) and room.systemd.done == [] and not room.override.exists()


@pytest.mark.parametrize("error", [NoBus("no D-Bus: nobody is there"), BusError("x.y", "Unit is on fire")])
def test_what_systemd_says_instead_is_the_reason(room: Room, error: Exception) -> None:
    """Also when it is asked to start."""
    room.systemd.refusal = error
    room.start()
    assert room.told == [("refused", 1, f"the unit cannot be started: {error}")]


def test_an_override_that_cannot_be_written_is_the_reason(room: Room) -> None:
    """Without one systemd would restart what Pacemaker decides about."""
    room.override.parent.write_text("in the way")
    room.start()
    assert room.told[0][:2] == ("refused", 1) and "start web.service" not in room.systemd.done


def test_a_start_that_fails_says_why(room: Room) -> None:
    """Nothing of before the start counts."""
    room.driver.start(WEB, "i1", room)
    room.systemd.tell(DOWN)
    room.systemd.found.callback(DOWN)
    room.systemd.tell(FAILED)
    assert room.told == [("ended", -9, f"web.service failed: main process {ME} was killed by signal 9 (KILL)")]


def test_an_end_is_told_once(room: Room) -> None:
    """However often systemd says so."""
    room.run()
    for _ in range(3):
        room.systemd.tell(FAILED)
    assert [told[0] for told in room.told] == ["ended"]


@pytest.mark.parametrize("said", [None, replace(DOWN, job_type="restart"), replace(UP, active="reloading")])
def test_what_is_not_an_end_is_not_told(room: Room, said: Unit | None) -> None:
    """Nobody answers; an administrator restarts or reloads it."""
    room.run()
    room.systemd.tell(said)
    room.systemd.tell(UP)
    assert room.told == []


def test_another_main_process_is_told_and_watched(room: Room) -> None:
    """The former one's end means nothing any more."""
    room.run()
    room.systemd.tell(replace(UP, main=os.getppid(), invocation="b2"))
    assert room.told == [("up", os.getppid())]
    room.children.watched[ME](None)
    room.clock.advance(2 * UNANSWERED)
    assert len(room.told) == 1


def test_a_main_process_that_ends_is_a_reason_to_ask(room: Room) -> None:
    """It has the last word, if it answers."""
    room.run()
    assert room.systemd.following
    asks = room.systemd.following.asks
    room.children.watched[ME](None)
    assert room.systemd.following.asks == asks + 1 and room.told == []
    room.systemd.tell(FAILED)
    room.clock.advance(2 * UNANSWERED)
    assert [told[0] for told in room.told] == ["ended"]


@pytest.mark.parametrize(("type_", "told"), [("simple", 1), ("forking", 0), ("notify", 0)])
def test_a_systemd_that_does_not_answer_leaves_only_simple_services_ended(room: Room, type_: str, told: int) -> None:
    """Others may have passed the service on to another process."""
    room.start()
    room.systemd.tell(replace(UP, type=type_))
    room.told.clear()
    room.children.watched[ME](None)
    room.clock.advance(2 * UNANSWERED)
    assert len(room.told) == told


def test_a_restart_that_systemd_tells_of_ends_the_waiting(room: Room) -> None:
    """The main process has ended, and another is on its way."""
    room.run()
    room.children.watched[ME](None)
    room.systemd.tell(replace(DOWN, active="deactivating", job_type="restart"))
    room.clock.advance(2 * UNANSWERED)
    assert room.told == []


def test_a_stop_takes_the_override_away_first(room: Room) -> None:
    """It would make the stop wait for Pacemaker's, at shutdown; and it is over when systemd says so."""
    room.run()
    room.systemd.done.clear()
    room.clear()
    assert room.systemd.done == ["reload", "stop web.service"] and not room.override.parent.exists()
    room.systemd.tell(replace(UP, active="deactivating"))
    assert room.told == []
    room.systemd.tell(DOWN)
    assert room.told == [("cleared",)] and room.clock.getDelayedCalls() == []


def test_a_failure_is_forgotten_after_a_stop(room: Room) -> None:
    """With it systemd's count of starts."""
    room.run()
    room.systemd.tell(FAILED)
    room.clear()
    room.systemd.tell(FAILED)
    assert room.systemd.done[-1] == "reset web.service"


def test_nothing_that_was_not_started_is_stopped(room: Room) -> None:
    """There is nothing of it."""
    room.clear()
    assert room.told == [("cleared",)] and room.systemd.done == []


def test_a_start_that_is_given_up_is_not_told(room: Room) -> None:
    """Whatever comes of it."""
    room.driver.start(WEB, "i1", room)
    room.clear()
    room.systemd.tell(FAILED)
    assert room.told == [("cleared",)]


def test_a_unit_that_is_not_there_is_stopped(room: Room) -> None:
    """It was removed while it ran, or never was."""
    room.run()
    room.systemd.refusal = BusError("org.freedesktop.systemd1.NoSuchUnit", "not loaded")
    room.clear()
    room.systemd.tell(replace(DOWN, load="not-found"))
    assert room.told == [("cleared",)]


def test_systemd_is_asked_to_stop_until_it_answers(room: Room) -> None:
    """The evidence is taken when the time is over."""
    room.run()
    room.systemd.done.clear()
    room.systemd.refusal = NoBus("nobody is there")
    room.clear(2.0)
    room.clock.pump([0.5] * 5)
    assert room.systemd.done.count("stop web.service") > 3 and len(room.killed) == 1
    room.driver.cancel()
    assert room.clock.getDelayedCalls() == [] and room.told == []


def test_without_a_word_of_systemds_an_empty_cgroup_is_the_end(room: Room) -> None:
    """Not before the time is over, and not while its main process lives."""
    room.start()
    room.systemd.tell(replace(UP, cgroup="/system.slice/no-such.service", main=2**22 - 1))
    room.systemd.refusal = NoBus("nobody is there")
    room.clear(2.0)
    room.clock.pump([0.5] * 3)
    assert room.told == []
    room.clock.pump([0.5] * 3)
    assert room.told == [("cleared",)] and room.clock.getDelayedCalls() == []


def test_a_service_is_taken_up_without_a_word(room: Room) -> None:
    """Only if it is another process by now is that told."""
    main = processes.look(ME)
    assert main and room.driver.adopt(WEB, Main(ME, main.start, "boot"), "i1", {}, room)
    room.systemd.tell(UP)
    assert room.told == [] and ME in room.children.watched
    room.systemd.tell(FAILED)
    assert room.told[0][0] == "ended"


def test_a_unit_is_found_again_by_its_cgroup(room: Room) -> None:
    """Where its definition is lost; without that too nothing is known."""
    assert room.driver.adopt(None, Main(ME, 1, "boot", "/sys/fs/cgroup/system.slice/web.service"), "i1", {}, room)
    assert room.systemd.following and room.systemd.following.unit == "web.service"
    assert not room.driver.adopt(None, None, "i1", {}, room)
