"""What goes wrong around a resource, and must neither alarm nor be missed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from tests.fakes.asking import CAUSE, defined, monitored, now
from tests.fakes.service import FakeDriver
from tests.fakes.world import Outside
from tocsin_daemon import __main__ as tocsind
from tocsin_daemon.config_watch import ConfigWatch
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Main, Record
from tocsin_daemon.core.stopping import Plan
from tocsin_daemon.daemon import Daemon
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.drivers.clearing import Clearing
from tocsin_daemon.drivers.pidfile import read_pid
from tocsin_daemon.output import Output
from tocsin_daemon.resource import Resource
from tocsin_ocf.processes import Process

MAIN = Main(4711, 99, "boot")


class Unreadable(Output):
    """The output of a service when there are no more descriptors."""

    def rest(self) -> list[str]:
        """Fail."""
        raise OSError(24, "Too many open files")


def resumed(outside: Outside, phase: Phase, driver: str = "", *, gone: bool = False) -> Daemon:
    """Return a daemon that has taken up `web`; the driver is `gone` that was installed when it was started."""

    def made(name: str, kind: str) -> FakeDriver:
        if gone and kind == driver:
            raise CannotStart(5, f"driver: no driver {driver} is installed")
        return outside._driver(name, kind)

    world: Any = replace(outside.world, driver=made)
    daemon = Daemon(lambda _: world, 60.0, lambda: None)
    definition = defined(restart_attempts=2, driver=driver)
    record = Record("web", "n1", phase, 1000.0, "a", definition, main=MAIN)
    tocsind.resume(daemon, record)
    return daemon


def asked(daemon: Daemon, verb: str) -> Answer | None:
    """Return what a request is answered."""
    answer: Deferred[Answer] = daemon._verbs[verb]("web", {"definition": defined()} if verb == "START" else {})
    return now(answer)


def test_what_only_a_driver_that_is_gone_could_stop_is_not_said_to_be_stopped(critical_events: list[LogEvent]) -> None:
    """Its package was removed while the service ran, somewhere far away: a second one must not be started."""
    outside = Outside()
    daemon = resumed(outside, Phase.RUNNING, "remote", gone=True)
    for verb in ("STOP", "START", "MONITOR"):
        answer = asked(daemon, verb)
        assert answer is not None and answer.code == 1, verb
        assert "remote" in answer.text
    critical_events.clear()


def test_what_is_stopped_needs_no_driver() -> None:
    """A probe on a node that lacks it is no failure."""
    assert asked(resumed(Outside(), Phase.STOPPED, "remote", gone=True), "MONITOR") == Answer(7)


def test_a_local_restart_that_a_daemon_takes_over_ends() -> None:
    """Its checks never pass; nobody else waits for it."""
    outside = Outside()
    outside.ready = False
    daemon = resumed(outside, Phase.RETURNING)
    outside.clock.advance(60)
    assert daemon.resources["web"].record.phase is Phase.FAILED


def test_who_lives_is_not_said_to_have_ended() -> None:
    """The former daemon died between the signal and the end of a local restart."""
    record = resumed(Outside(), Phase.RESTARTING).resources["web"].record
    assert record.failure is not None and record.failure.lives


def test_an_end_is_reported_though_its_output_cannot_be_read(critical_events: list[LogEvent]) -> None:
    """For want of descriptors, say."""
    outside = Outside()
    resource = outside.running()
    outside.service.output = Unreadable("/nonexistent")
    outside.service.on_end(1)
    assert resource.record.incident is not None
    assert outside.cluster.count("crm_mon") == 1
    assert critical_events == []


def test_what_lives_without_a_process_is_not_7() -> None:
    """A mount, or a machine far away, failed by a check: a probe that said 7 would let it be started elsewhere, too."""
    outside = Outside()
    resource = outside.running()
    outside.watch.say(failed=CAUSE)
    assert monitored(resource, recurring=False) == Answer(1, CAUSE)
    outside.service.on_end(-9)
    assert monitored(resource, recurring=False) == Answer(7, CAUSE)


def test_a_held_monitor_does_not_tell_of_a_restart_within_the_budget() -> None:
    """It was held as long as it may be in the middle of one; its operation has time left."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    resource.start(defined(restart_attempts=2), "n1", 20.0)
    outside.clock.advance(0.2)
    assert monitored(resource) == Answer(0)
    held = resource.monitor(60.0, recurring=True, hold=10.0)
    got: list[Answer] = []
    held.addCallback(got.append)
    outside.clock.advance(9.5)
    outside.service.on_end(1)
    outside.clock.advance(1)
    assert got == []
    outside.service.on_cleared()
    outside.clock.advance(1)
    assert got == [Answer(0)]


def test_the_last_incarnation_does_not_answer_for_this_one() -> None:
    """Before the pid file is written, nothing was checked: what the command says meanwhile is not enough."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    for slow in (False, True):
        outside.service.slow = slow
        resource.start(defined(ready="notify"), "n1", 20.0)
        outside.notify.say(ready=True)
        outside.clock.advance(0.2)
        if not slow:
            assert resource.record.phase is Phase.RUNNING
            resource.stop(20.0)
            outside.service.on_cleared()
    assert resource.record.phase is Phase.STARTING
    outside.service.told.up(MAIN)
    outside.clock.advance(0.2)
    assert resource.record.phase is Phase.RUNNING


def test_signs_of_life_are_not_asked_of_who_was_not_told() -> None:
    """It has no NOTIFY_SOCKET, or another WATCHDOG_USEC: a reload would fail a service that is well."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    resource.start(defined(checks=[{"tcp": "127.0.0.1:80"}]), "n1", 20.0)
    outside.clock.advance(0.2)
    answer = resource.reloading.reload(defined(checks=[{"tcp": "127.0.0.1:80"}, {"sd_notify": "10s"}]))
    assert answer.text == "needs a restart: checks"
    assert [spec.kind for spec in outside.watch.specs] == ["tcp"]
    assert resource.reloading.reload(defined(checks=[])).text == ""


def test_a_file_that_changes_while_its_service_is_cleared_counts() -> None:
    """A start goes on, and has read what was there before."""
    outside = Outside()
    resource = outside.running()
    outside.watch.say(failed=CAUSE)
    resource.start(defined(stop_timeout="5s"), "n1", 20.0, "/etc/tocsin/web.yaml")
    resource.reloading.reload(defined(stop_timeout="9s"), "/etc/tocsin/web.yaml")
    outside.service.on_cleared()
    assert resource.record.definition is not None
    assert resource.record.definition["stop_timeout"] == 9.0


def test_one_file_that_cannot_be_reloaded_does_not_hide_the_others(
    tmp_path: Path, critical_events: list[LogEvent]
) -> None:
    """A driver of somebody's may have a bug."""
    files = {name: tmp_path / name for name in "ab"}
    seen: list[str] = []

    def reload(name: str, path: str) -> None:
        seen.append(name)
        if name == "a":
            raise KeyError

    resources: list[Any] = []
    for name, path in files.items():
        path.write_text("x")
        resources.append(Resource(Record(name, config=str(path)), Outside().world))
    ConfigWatch(lambda: resources, reload).look()
    assert seen == ["a", "b"]
    assert len(critical_events) == 1
    critical_events.clear()


def test_what_a_pid_file_is_linked_to_is_not_opened(tmp_path: Path) -> None:
    """Whoever writes it could have root open a device, such as a watchdog, which then counts down."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "web.pid").symlink_to(tmp_path / "fifo")
    writer = os.fork()
    if writer == 0:
        os.open(tmp_path / "fifo", os.O_WRONLY)  # until somebody opens the other end
        os._exit(0)
    for _ in range(100):
        assert read_pid(str(tmp_path / "web.pid")) is None
    assert os.waitpid(writer, os.WNOHANG) == (0, 0)
    os.kill(writer, 9)
    os.waitpid(writer, 0)


class Crowded:
    """A service that cannot be looked at the first time, for want of descriptors."""

    resource = "web"
    cgroup = None

    def __init__(self) -> None:
        """Be looked at for the first time."""
        self.looks = 0

    def living(self, **_: object) -> list[Process]:
        """Fail, and then find nobody."""
        self.looks += 1
        if self.looks == 1:
            raise OSError(24, "Too many open files")
        return []


def test_a_stop_that_cannot_look_looks_again() -> None:
    """It would wait until its time is over, and the node be fenced."""
    clock, cleared = Clock(), []
    service: Any = Crowded()
    Clearing(service, None, clock, Plan(10.0), lambda seen: None).begin(15, lambda: cleared.append(True))
    assert cleared == []
    clock.advance(1)
    assert cleared == [True]


def test_what_fails_after_a_stop_is_no_look_that_failed() -> None:
    """Whoever waited for the end of the service was told, and is not told again."""
    clock, told = Clock(), []

    def cleared() -> None:
        told.append(True)
        raise OSError(28, "No space left on device")

    service: Any = Crowded()
    service.looks = 1
    with pytest.raises(OSError, match="No space"):
        Clearing(service, None, clock, Plan(10.0), lambda seen: None).begin(15, cleared)
    assert told == [True] and clock.getDelayedCalls() == []
