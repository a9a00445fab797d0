"""The daemon as a unit of a real systemd: whatever happens to it, the services never notice."""

from __future__ import annotations

import os
import signal

import pytest

from tests.systemd.conftest import Boot
from tests.systemd.machine import SCOPE, UNIT, Machine

DROP_IN = f"{UNIT}.d/test.conf"
SLOW_STOP = "[Service]\nExecStart=/bin/sleep 1003\nExecStop=/bin/sleep 90\nTimeoutStopSec=120\n"


def started(machine: Machine, resource: str = "web", **parameters: str) -> list[int]:
    """Start a service of two processes, and return them."""
    before = machine.sleepers()
    done = machine.agent("start", resource, **parameters)
    assert (done.returncode, done.stderr) == (0, "")
    return [pid for pid in machine.sleepers() if pid not in before]


def follows(machine: Machine, daemon: int) -> bool:
    """Tell whether the unit has another main process, which is ready."""
    return machine.daemon not in (0, daemon) and machine.show("ActiveState") == "active"


def test_the_agent_starts_the_unit(machine: Machine) -> None:
    """And asks it, in the same call; `systemctl status` shows how many resources are in which phase."""
    assert len(started(machine)) == 2
    assert machine.show("ActiveState") == "active"
    assert machine.run("cat", "/run/tocsin/9909/lock").stdout.strip() == str(machine.daemon)
    machine.wait(lambda: machine.show("StatusText") == "1 running")


def test_a_killed_daemon_is_restarted_and_takes_up_what_runs(machine: Machine) -> None:
    """Nobody had to ask; and what happens to the service afterwards is noticed."""
    service, daemon = started(machine), machine.daemon
    machine.run("kill", "-KILL", str(daemon))
    machine.wait(lambda: follows(machine, daemon))
    assert machine.show("NRestarts") == "1" and machine.sleepers() == service
    assert machine.monitor() == 0
    machine.run("kill", "-KILL", str(service[0]), str(service[1]))
    machine.wait(lambda: machine.monitor() != 0)


def test_a_frozen_daemon_is_replaced_by_the_watchdog(boot: Boot) -> None:
    """It says where it was, so that a hang can be understood."""
    machine = boot({DROP_IN: "[Service]\nWatchdogSec=2s\nStandardError=file:/run/trace\n"})
    service, daemon = started(machine), machine.daemon
    machine.run("kill", "-STOP", str(daemon))
    machine.wait(lambda: follows(machine, daemon))
    assert machine.sleepers() == service and machine.monitor() == 0
    assert "in doPoll" in machine.run("cat", "/run/trace").stdout


def test_a_frozen_daemon_is_replaced_by_the_agent_if_that_comes_first(machine: Machine) -> None:
    """It kills what does not answer, and then shares the restart with systemd."""
    service, daemon = started(machine), machine.daemon
    machine.run("kill", "-STOP", str(daemon))
    assert machine.agent("monitor", interval=60000, timeout=6000).returncode == 0
    assert follows(machine, daemon) and machine.sleepers() == service


def test_a_healthy_daemon_outlives_the_watchdogs_patience(boot: Boot) -> None:
    """Its reactor says so in time."""
    machine = boot({DROP_IN: "[Service]\nWatchdogSec=2s\n"})
    started(machine)
    daemon = machine.daemon
    with pytest.raises(AssertionError, match="in vain"):
        machine.wait(lambda: machine.daemon != daemon, seconds=3.5)


def test_what_an_administrator_does_to_the_unit_leaves_services_alone(machine: Machine) -> None:
    """A monitor revives the daemon where it was stopped, and it takes up what runs."""
    service = started(machine)
    machine.wait(lambda: machine.members(SCOPE) == set(service))  # `kill` reaches all of the unit
    for verb in ("restart", "stop", "kill", "try-restart"):
        machine.systemctl(verb, UNIT)
        assert machine.monitor() == 0
        assert machine.sleepers() == service and machine.show("ActiveState") == "active"


def test_a_daemon_of_the_administrators_own_is_no_unit(machine: Machine) -> None:
    """The unit's command line is not what was asked for."""
    assert len(started(machine, daemon_args="--linger 5")) == 2
    assert machine.show("ActiveState") == "inactive"
    daemon = machine.run("cat", "/run/tocsin/9909/lock").stdout.strip()
    assert "--linger" in machine.run("cat", f"/proc/{daemon}/cmdline").stdout


def test_a_unit_that_cannot_be_started_is_no_failure(machine: Machine) -> None:
    """A daemon without systemd does it too; the note says why."""
    machine.systemctl("mask", "--runtime", UNIT)
    done = machine.agent("start")
    assert done.returncode == 0
    assert done.stderr.startswith("tocsind is started without systemd: Failed to start tocsind@9909.service:")
    assert machine.monitor() == 0


def test_a_systemd_that_does_not_answer_is_no_failure(machine: Machine) -> None:
    """Half of the time is left for a daemon without it; the unit that comes up late gives way."""
    os.kill(machine.init, signal.SIGSTOP)
    done = machine.agent("start", timeout=8000)
    os.kill(machine.init, signal.SIGCONT)
    assert done.returncode == 0 and "timed out" in done.stderr
    assert machine.monitor() == 0
    assert machine.show("ActiveState") in ("inactive", "failed") and len(machine.sleepers()) == 2


def test_a_crash_loop_ends_in_a_daemon_without_systemd(boot: Boot) -> None:
    """The start limit says no, the agent goes on."""
    machine = boot({DROP_IN: "[Unit]\nStartLimitBurst=1\n"})
    service, daemon = started(machine), machine.daemon
    machine.run("kill", "-KILL", str(daemon))
    machine.wait(lambda: machine.show("ActiveState") == "failed")
    done = machine.agent("monitor", interval=60000)
    assert done.returncode == 0 and "without systemd" in done.stderr
    assert machine.sleepers() == service


def test_a_port_that_is_taken_is_told_and_not_tried_again(machine: Machine) -> None:
    """Restarting would not free it."""
    listener = "import socket, time; s = socket.create_server(('127.0.0.1', 9909)); time.sleep(1000)"
    machine.run("systemd-run", "--unit=squatter", "/usr/bin/python3", "-c", listener)
    machine.wait(lambda: ":9909" in machine.run("ss", "-ltn").stdout)
    done = machine.agent("start")
    assert done.returncode == 1 and "port 9909 is held by python3" in done.stderr
    assert machine.show("NRestarts") == "0" and machine.show("ExecMainStatus") == "69"


def test_a_start_does_not_wait_for_a_stop_of_pacemaker(boot: Boot) -> None:
    """For that waits for the resources, which need the daemon."""
    machine = boot({"pacemaker.service": SLOW_STOP})
    machine.systemctl("start", "pacemaker.service")
    machine.systemctl("stop", "--no-block", "pacemaker.service")
    assert machine.agent("start").stderr == ""
    assert machine.show("ActiveState", "pacemaker.service") == "deactivating"
    assert machine.show("ActiveState") == "active"


def test_at_shutdown_daemon_and_services_outlive_pacemaker(boot: Boot) -> None:
    """Until it has stopped its resources; a daemon that dies meanwhile is replaced, if without systemd."""
    machine = boot({"pacemaker.service": SLOW_STOP})
    machine.systemctl("start", "pacemaker.service")
    service, daemon = started(machine), machine.daemon
    machine.wait(lambda: machine.members(SCOPE) == set(service))
    machine.systemctl("start", "--no-block", "shutdown.target", "--job-mode=replace-irreversibly")
    machine.wait(lambda: machine.show("ActiveState", "pacemaker.service") == "deactivating")
    assert machine.daemon == daemon and machine.monitor() == 0
    machine.run("kill", "-KILL", str(daemon))
    machine.wait(lambda: machine.daemon != daemon)
    assert machine.monitor() == 0 and set(service) <= set(machine.sleepers())
    assert machine.agent("stop").returncode == 0
    assert machine.show("ActiveState", "pacemaker.service") == "deactivating"
    assert not set(service) & set(machine.sleepers())


def test_the_unit_is_without_fault(machine: Machine) -> None:
    """As systemd reads it, with the program in place."""
    done = machine.run("systemd-analyze", "verify", "--man=no", UNIT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
