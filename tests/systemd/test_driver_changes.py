"""A unit that others change: an administrator, systemd that starts anew, a bus that goes, a shutdown."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.systemd.conftest import Boot, Drive
from tests.systemd.driven import UNITS, Driven
from tests.systemd.machine import Machine


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
