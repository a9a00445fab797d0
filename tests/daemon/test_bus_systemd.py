"""What is asked of systemd, when it is asked again, and whom it is believed from."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from tests.fakes.systemd import DBUS, OWNER, SYSTEMD, FakeBus, properties
from tocsin_daemon.bus.connection import NO_REPLY, BusError, NoBus
from tocsin_daemon.bus.systemd import PATIENCE, Systemd, path_of
from tocsin_daemon.core.unit import Unit, state_of

WEB = "/org/freedesktop/systemd1/unit/web_2eservice"
GONE = BusError(f"{DBUS}.Error.NameHasNoOwner", "nobody has that name")


class Heard(list["Unit | None"]):
    """What was told of a unit."""

    @property
    def states(self) -> list[str]:
        """In words."""
        return [state_of(unit).value for unit in self]


@pytest.fixture
def bus() -> FakeBus:
    """Return a bus on which the test is systemd."""
    return FakeBus()


@pytest.fixture
def systemd(bus: FakeBus) -> Systemd:
    """Return our side of it."""
    return Systemd(bus)  # type: ignore[arg-type]


@pytest.fixture
def heard(bus: FakeBus, systemd: Systemd) -> Heard:
    """Follow web.service, which runs."""
    heard = Heard()
    systemd.follow("web.service", heard.append)
    bus.connect()
    answer(bus)
    assert heard.states == ["running"]
    return heard


def answer(bus: FakeBus, **values: object) -> None:
    """Answer who asks for the unit."""
    if "LoadUnit" in bus.asked:
        bus.answer("LoadUnit", WEB)
    bus.answer("GetAll", properties(**values))
    if "LoadUnit" in bus.asked or "GetAll" in bus.asked:  # it was asked again meanwhile
        answer(bus, **values)


def changed(bus: FakeBus, sender: str = OWNER, path: str = WEB) -> None:
    """Say that a property has changed."""
    bus.signal("PropertiesChanged", "x", {}, [], path=path, sender=sender)


def test_a_signal_is_a_reason_to_ask(bus: FakeBus, heard: Heard) -> None:
    """Once for all that come while an answer is on its way, and once more for them."""
    for _ in range(5):
        changed(bus)
    assert bus.asked == ["GetAll"]
    bus.answer("GetAll", properties())
    assert bus.asked == ["GetAll"] and len(heard) == 1
    bus.answer("GetAll", properties(ActiveState="failed"))
    assert bus.asked == [] and heard.states == ["running", "failed"]


@pytest.mark.parametrize("sender", ["", ":1.66", "org.freedesktop.systemd1"])
def test_a_strangers_signal_is_not_heard(bus: FakeBus, heard: Heard, sender: str) -> None:
    """Any user may send us one; the bus vouches for the sender."""
    changed(bus, sender=sender)
    bus.signal("JobRemoved", 1, "/job/1", "web.service", "failed", sender=sender)
    bus.signal("NameOwnerChanged", SYSTEMD, OWNER, ":1.66", sender=sender)
    assert bus.asked == []


def test_other_units_are_not_asked_for(bus: FakeBus, heard: Heard) -> None:
    """A busy machine starts and stops many."""
    changed(bus, path="/org/freedesktop/systemd1/unit/other_2eservice")
    bus.signal("JobRemoved", 1, "/job/1", "other.service", "done")
    assert bus.asked == []


def test_a_job_that_has_ended_is_a_reason_to_ask(bus: FakeBus, systemd: Systemd, heard: Heard) -> None:
    """And its result is kept; of many, the latest."""
    for number in range(300):
        bus.signal("JobRemoved", number, f"/job/{number}", "web.service", "dependency")
    answer(bus)
    assert systemd.job_result("/job/299") == "dependency" and systemd.job_result("/job/1") == ""


def test_a_unit_that_is_not_up_is_asked_for_its_job(bus: FakeBus, heard: Heard) -> None:
    """It is on its way back if somebody restarts it; a job that is over meanwhile is none."""
    changed(bus)
    bus.answer("GetAll", properties(ActiveState="deactivating", Job=(4, "/org/freedesktop/systemd1/job/4")))
    assert bus.answer("Get", ("s", "restart")).path == "/org/freedesktop/systemd1/job/4"
    changed(bus)
    bus.answer("GetAll", properties(ActiveState="inactive", Job=(4, "/org/freedesktop/systemd1/job/4")))
    bus.answer("Get", BusError(f"{DBUS}.Error.UnknownObject", "no such job"))
    bus.answer("GetAll", properties())
    assert heard.states == ["running", "on its way up", "running"]


def test_a_systemd_that_executes_itself_anew_is_asked_again_and_nobody_is_alarmed(bus: FakeBus, heard: Heard) -> None:
    """Calls under way get no reply, then nobody has the name, then it has forgotten who listens."""
    changed(bus)
    bus.answer("GetAll", BusError(NO_REPLY, "Message recipient disconnected from message bus without replying"))
    bus.signal("NameOwnerChanged", SYSTEMD, OWNER, "", sender=DBUS)
    bus.clock.advance(0.1)
    bus.answer("GetAll", GONE)
    bus.signal("NameOwnerChanged", SYSTEMD, "", ":1.7", sender=DBUS)
    bus.answer("Subscribe")
    bus.clock.advance(0.5)
    answer(bus)
    changed(bus, sender=":1.7")
    answer(bus)
    assert heard.states == ["running"] * 3 and bus.asked == []
    assert bus.clock.getDelayedCalls() == []


def test_a_reload_is_a_reason_to_ask_anew(bus: FakeBus, heard: Heard) -> None:
    """When it is over: the unit may have another name by now."""
    bus.signal("Reloading", True)
    assert bus.asked == []
    bus.signal("Reloading", False)
    assert bus.asked == ["LoadUnit"]
    answer(bus)
    assert heard.states == ["running"] * 2


def test_after_a_restart_of_the_bus_everything_is_asked_anew(bus: FakeBus, heard: Heard) -> None:
    """Signals were lost meanwhile."""
    bus.listener.disconnected("it is gone")
    for _ in range(3):
        bus.answer("LoadUnit" if "LoadUnit" in bus.asked else "GetAll", NoBus("it is gone"))
        bus.clock.advance(0.2)
    bus.listener.connected(direct=False)
    bus.answer("GetNameOwner", OWNER), bus.answer("Subscribe")
    answer(bus, ActiveState="failed")
    assert heard.states == ["running", "failed"]


def test_what_nobody_answers_for_long_is_not_known(bus: FakeBus, heard: Heard) -> None:
    """That is told once, and asked for again, more and more calmly."""
    changed(bus)
    for _ in range(200):
        if bus.asked:
            bus.answer(bus.asked[0], GONE)
        bus.clock.advance(0.3)
    assert heard == [heard[0], None]
    bus.clock.advance(10)
    answer(bus)
    assert heard.states == ["running", "not known", "running"]


def test_an_answer_that_takes_too_long_is_not_waited_for_again(bus: FakeBus, systemd: Systemd) -> None:
    """It is told at once."""
    failed: list[str] = []
    systemd.call("StartUnit").addErrback(lambda failure: failed.append(failure.getErrorMessage()))
    bus.answer("StartUnit", NoBus("no answer", f"{DBUS}.Error.Timeout"))
    assert failed == ["no answer"] and bus.clock.seconds() < PATIENCE


def test_a_unit_that_is_not_there_is_not_there(bus: FakeBus, systemd: Systemd) -> None:
    """Which is known, not an error."""
    heard = Heard()
    systemd.follow("none.service", heard.append)
    bus.answer("LoadUnit", BusError(f"{SYSTEMD}.NoSuchUnit", "Unit none.service not found."))
    assert heard == [Unit("none.service", load="not-found", load_error="Unit none.service not found.")]


def test_who_follows_nothing_listens_to_nothing(bus: FakeBus, systemd: Systemd) -> None:
    """And what comes afterwards is told to nobody."""
    heard = Heard()
    first, second = (systemd.follow(unit, heard.append) for unit in ("web.service", "other.service"))
    bus.answer("LoadUnit", WEB)
    first.end(), first.end()
    bus.answer("GetAll", properties())
    assert bus.rules != []
    second.end()
    bus.answer("LoadUnit", WEB), bus.answer("GetAll", properties())
    assert heard == [] and bus.rules == [] and bus.holds == 0 and bus.clock.getDelayedCalls() == []


def test_reloads_are_shared(bus: FakeBus, systemd: Systemd) -> None:
    """By all that ask while one is under way, which may have begun too early for them; a failure ends nothing."""
    done: list[int] = []

    def note(number: int) -> Deferred[None]:
        return systemd.reload().addCallback(lambda _: done.append(number))

    for number in range(4):
        note(number)
    assert bus.asked == ["Reload"]
    bus.answer("Reload")
    assert done == [0] and bus.asked == ["Reload"]
    bus.answer("Reload", BusError("x.y", "no"))
    assert done == [0, 1, 2, 3] and bus.asked == []


@pytest.mark.parametrize(
    ("unit", "path"),
    [("web.service", "web_2eservice"), ("7@x.service", "_37_40x_2eservice"), ("a_b.service", "a_5fb_2eservice")],
)
def test_a_units_object_has_its_name(unit: str, path: str) -> None:
    """As sd_bus_path_encode(3) spells it."""
    assert path_of(unit) == f"/org/freedesktop/systemd1/unit/{path}"
