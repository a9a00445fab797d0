"""The systemd driver and the check `systemd` under the real systemd and the real D-Bus."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.systemd.conftest import Boot
from tests.systemd.driven import Driven
from tests.systemd.machine import Machine

FORKS = "/bin/sh -c 'sleep 1003 & echo $$! > /run/forks.pid'"
STUBBORN = "/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'"
OVERRIDE = "/run/systemd/system/web.service.d/50-tocsin.conf"
UNITS = {
    "web.service": "[Service]\nExecStart=/bin/sleep 1002\nRestart=always\nRestartSec=0\n",
    "stubborn.service": f"[Service]\nExecStart={STUBBORN}\nTimeoutStopSec=90\n",
    "bad.service": "[Service]\nType=exec\nExecStart=/bin/sh -c 'exit 3'\n",
    "missing.service": "[Service]\nType=exec\nExecStart=/usr/bin/no-such-program\n",
    "broken.service": "[Service]\nExecStart=relative/path\n",
    "done.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "remains.service": "[Service]\nType=oneshot\nExecStart=/bin/true\nRemainAfterExit=yes\n",
    "forks.service": f"[Service]\nType=forking\nExecStart={FORKS}\nPIDFile=/run/forks.pid\n",
    "starts.service": "[Service]\nExecStartPre=/bin/sleep 1009\nExecStart=/bin/sleep 1002\n",
    "needs.service": "[Unit]\nRequires=missing.service\nAfter=missing.service\n[Service]\nExecStart=/bin/sleep 1002\n",
    "never.service": "[Unit]\nConditionPathExists=/nowhere\n[Service]\nExecStart=/bin/sleep 1002\n",
    "leaves.service": "[Service]\nExecStart=/bin/sh -c 'sleep 1007 & exec sleep 1002'\nKillMode=process\n",
    "each@.service": "[Service]\nExecStart=/bin/sleep %i\n",
    "stubborn2.service": "[Service]\nExecStart=/bin/sleep 1002\nExecStopPost=/bin/sleep 1008\n",
}


@pytest.fixture(scope="module")
def systemd(overlay: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Return a machine for all tests that leave it as it was."""
    machine = Machine(overlay, tmp_path_factory.mktemp("machine"), UNITS)
    yield machine
    machine.down()


Drive = Callable[[Machine], Driven]


@pytest.fixture
def drive() -> Iterator[Drive]:
    """Return what has the driver work in a machine."""
    all_of_them: list[Driven] = []

    def begin(machine: Machine) -> Driven:
        all_of_them.append(Driven(machine))
        return all_of_them[-1]

    yield begin
    for driven in all_of_them:
        driven.abandon()


@pytest.fixture
def driven(systemd: Machine, drive: Drive) -> Iterator[Driven]:
    """Return the driver at work in it; it leaves nothing."""
    driven = drive(systemd)
    yield driven
    driven.clear()
    assert driven.silent(0)
    driven.close()
    assert "50-tocsin.conf" not in systemd.run("find", "/run/systemd/system").stdout


def test_a_killed_service_is_told_in_milliseconds(driven: Driven) -> None:
    """With how it ended; again and again, whatever the unit's start limit."""
    took = []
    for _ in range(12):
        pid = driven.start("web.service")
        driven.do("kill", pid)
        killed, ended = driven.hear("killed"), driven.hear("ended")
        assert ended["status"] == -9
        assert ended["why"] == f"web.service failed: main process {pid} was killed by signal 9 (KILL)"
        took.append((ended["at"] - killed["at"]) * 1000)
        driven.clear()
    print(f"kill to told: {' '.join(f'{ms:.1f}' for ms in sorted(took))} ms")
    assert sorted(took)[len(took) // 2] < 100


def test_what_pacemaker_overrides_is_overridden_while_it_runs(systemd: Machine, driven: Driven) -> None:
    """It is not restarted, and ends after Pacemaker; afterwards all is as it was."""
    driven.start("web.service")
    assert systemd.show("Restart", "web.service") == "no"
    assert "pacemaker.service" in systemd.show("Before", "web.service")
    assert systemd.run("stat", "-c", "%a", OVERRIDE).stdout.strip() == "644"
    driven.clear()
    assert systemd.show("Restart", "web.service") == "always"
    assert systemd.show("ActiveState", "web.service") == "inactive"


def test_a_service_that_runs_already_is_taken_as_it_is(systemd: Machine, driven: Driven) -> None:
    """A start is idempotent; from now on systemd does not restart it."""
    systemd.systemctl("start", "web.service")
    pid = int(systemd.show("MainPID", "web.service"))
    assert driven.start("web.service") == pid and driven.kill(pid) < 1


def test_its_processes_are_those_of_its_cgroup(systemd: Machine, driven: Driven) -> None:
    """With their pids as we see them."""
    pid = driven.start("web.service")
    driven.do("members")
    assert driven.hear("members")["pids"] == [pid]


def test_a_service_that_does_not_stop_is_killed_in_time(systemd: Machine, driven: Driven) -> None:
    """Not when its unit would have it, after 90 seconds; there is evidence first."""
    pid, begun = driven.start("stubborn.service"), time.monotonic()
    driven.do("clear", 1)
    time.sleep(0.3)
    driven.do("left")
    left, killed = driven.hear("left")["left"], driven.hear("kill")
    assert f"sh[{pid}] S" in left and left[-1] == "stubborn.service is deactivating (stop-sigterm)"
    assert any(f"sh[{pid}]" in line for line in killed["seen"])
    assert 1 < driven.hear("cleared")["at"] - begun < 2
    assert systemd.show("ActiveState", "stubborn.service") == "inactive"


def test_what_systemd_runs_after_the_kill_is_killed_too(driven: Driven) -> None:
    """An ExecStopPost= that hangs."""
    driven.start("stubborn2.service")
    driven.do("clear", 0.5)
    assert driven.hear("kill")["seen"]
    driven.hear("cleared", 3)


def test_a_service_that_is_still_starting_is_stopped(driven: Driven) -> None:
    """Nobody hears of a start that was given up."""
    driven.do("start", "starts.service")
    assert driven.silent()
    driven.clear()


@pytest.mark.parametrize(
    ("unit", "status", "why"),
    [
        ("bad.service", 3, "bad.service failed: main process"),
        ("missing.service", 203, "missing.service failed: main process"),
        ("done.service", None, "a service needs RemainAfterExit=yes"),
        ("needs.service", None, "something that it requires could not be started"),
        ("never.service", None, "a condition or assertion of the unit does not hold"),
    ],
)
def test_a_failed_start_says_why(driven: Driven, unit: str, status: int | None, why: str) -> None:
    """As soon as systemd knows."""
    driven.do("start", unit)
    ended = driven.hear("ended")
    assert why in ended["why"] and ended["status"] in (status, 0 if status is None else status)


@pytest.mark.parametrize(
    ("unit", "why"),
    [
        ("nowhere.service", "systemd does not know a unit nowhere.service"),
        ("masked.service", "masked.service is masked; systemctl unmask masked.service"),
        ("broken.service", "systemd cannot load broken.service: "),
        ("each@.service", "does not know a unit each@.service"),
    ],
)
def test_what_is_not_installed_is_refused(systemd: Machine, driven: Driven, unit: str, why: str) -> None:
    """So Pacemaker tries another node."""
    systemd.systemctl("mask", "--runtime", "masked.service")
    driven.do("start", unit)
    refused = driven.hear("refused")
    assert why in refused["why"] and refused["code"] == 5
    systemd.run("rm", "-f", "/run/systemd/system/masked.service")


def test_a_unit_without_a_main_process_is_up_when_it_is_active(systemd: Machine, driven: Driven) -> None:
    """And is stopped by whoever does."""
    assert driven.start("remains.service") == 0
    systemd.systemctl("stop", "remains.service")
    assert "stopped, and not by Pacemaker" in driven.hear("ended")["why"]


def test_an_instance_of_a_template_is_a_unit(driven: Driven) -> None:
    """It has an override of its own."""
    assert driven.kill(driven.start("each@1005.service")) < 1


def test_a_daemon_that_forks_is_watched(driven: Driven) -> None:
    """By the pid that it has written."""
    assert driven.kill(driven.start("forks.service")) < 1


def test_processes_that_are_to_outlive_their_unit_do(systemd: Machine, driven: Driven) -> None:
    """Its administrator has said so: KillMode=process."""
    driven.start("leaves.service")
    driven.clear()
    left = systemd.run("pgrep", "-f", "sleep 1007").stdout.split()
    assert len(left) == 1
    systemd.run("kill", "-KILL", *left)


def test_an_administrators_restart_is_followed(systemd: Machine, driven: Driven) -> None:
    """The service is up with another main process, and nobody is told that it failed."""
    first = driven.start("web.service")
    systemd.systemctl("restart", "web.service")
    second = int(driven.hear("up")["pid"])
    assert second != first and driven.silent()
    assert driven.kill(second) < 1


def test_a_restart_of_systemds_own_is_the_end(systemd: Machine, driven: Driven) -> None:
    """Where an administrator's drop-in counts more than ours."""
    drop_in = "/run/systemd/system/web.service.d/60-mine.conf"
    systemd.run("sh", "-c", f"mkdir -p $(dirname {drop_in}); printf '[Service]\\nRestart=always\\n' > {drop_in}")
    pid = driven.start("web.service")
    assert driven.kill(pid) < 1
    driven.clear()
    systemd.run("sh", "-c", f"rm {drop_in}; rmdir $(dirname {drop_in}); systemctl daemon-reload")


def test_what_an_administrator_stops_has_ended(systemd: Machine, driven: Driven) -> None:
    """By systemctl stop, and systemctl kill."""
    driven.start("web.service")
    systemd.systemctl("stop", "web.service")
    assert ", and not by Pacemaker" in driven.hear("ended")["why"]
    driven.clear()
    driven.start("web.service")
    systemd.systemctl("kill", "web.service")
    assert "TERM" in driven.hear("ended")["why"]


@pytest.mark.parametrize("verb", ["daemon-reload", "daemon-reexec"])
def test_no_alarm_when_systemd_starts_anew(systemd: Machine, driven: Driven, verb: str) -> None:
    """Many times in a row; afterwards it is watched as before (PCMK#3880)."""
    pid = driven.start("web.service")
    driven.do("check", "web.service")
    assert driven.hear("check")["result"] == "WELL"
    for _ in range(5):
        systemd.systemctl(verb)
    assert driven.silent(1)
    assert driven.kill(pid) < 1
    assert driven.hear("check")["result"] == "BAD"
    driven.clear()
    assert "inactive" in driven.hear("check")["text"]
    driven.told.clear()


def test_a_service_is_taken_up_by_the_next_daemon(systemd: Machine, drive: Drive) -> None:
    """Also one that was restarted meanwhile; and one that has ended is known to have."""
    former = drive(systemd)
    pid = former.start("web.service")
    for change in ("", "restart", "kill"):
        former.close()
        if change:
            systemd.systemctl(change, "web.service")
        former = drive(systemd)
        former.do("adopt", "web.service", pid)
        assert former.hear("adopted")["runs"]
        if change == "restart":
            pid = int(former.hear("up")["pid"])
        elif change == "kill":
            assert "not by Pacemaker" in former.hear("ended")["why"]
        assert former.silent()
    former.clear()


def test_the_end_of_a_simple_service_is_told_though_systemd_is_frozen(systemd: Machine, driven: Driven) -> None:
    """By its pidfd."""
    pid = driven.start("web.service")
    os.kill(systemd.init, signal.SIGSTOP)
    try:
        assert 0.9 < driven.kill(pid) < 3
    finally:
        os.kill(systemd.init, signal.SIGCONT)


def test_the_bus_may_be_restarted(boot: Boot, drive: Drive) -> None:
    """Nothing is told; what happens meanwhile is found afterwards; without a bus systemd itself is asked."""
    machine = boot(UNITS)
    driven = drive(machine)
    pid = driven.start("web.service")
    driven.do("check", "web.service")
    assert driven.hear("check")["result"] == "WELL"
    machine.systemctl("restart", "dbus.service")
    assert driven.silent(1)
    machine.systemctl("stop", "dbus.socket", "dbus.service")
    assert driven.silent(1)
    assert driven.kill(pid) < 1 and driven.hear("check")["result"] == "BAD"
    driven.clear()
    driven.told.clear()
    pid = driven.start("web.service")
    driven.do("bus")
    assert driven.hear("bus")["direct"]
    machine.systemctl("start", "dbus.socket")
    driven.told.clear()
    assert driven.kill(pid) < 1
    driven.clear()
    driven.close()


def test_at_shutdown_a_stop_does_not_wait_for_pacemaker(boot: Boot, drive: Drive) -> None:
    """Which waits for it; until then systemd leaves the service alone."""
    machine = boot({**UNITS, "pacemaker.service": "[Service]\nExecStart=/bin/sleep 1003\nExecStop=/bin/sleep 90\n"})
    machine.systemctl("start", "pacemaker.service")
    driven = drive(machine)
    driven.start("web.service")
    machine.systemctl("start", "--no-block", "shutdown.target", "--job-mode=replace-irreversibly")
    machine.wait(lambda: machine.show("ActiveState", "pacemaker.service") == "deactivating")
    assert driven.silent(1) and machine.show("ActiveState", "web.service") == "active"
    driven.do("clear", 10)
    begun = time.monotonic()
    assert driven.hear("cleared")["at"] - begun < 5
    assert machine.show("ActiveState", "pacemaker.service") == "deactivating"
    driven.close()
