"""The systemd driver and the check `systemd` under the real systemd and the real D-Bus."""

from __future__ import annotations

import time

import pytest

from tests.systemd.driven import Driven
from tests.systemd.machine import Machine

OVERRIDE = "/run/systemd/system/web.service.d/50-tocsin.conf"


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
