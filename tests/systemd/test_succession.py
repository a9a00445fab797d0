"""A package that is upgraded where systemd runs: a unit's daemon is succeeded as a unit, any other as it was."""

from __future__ import annotations

from tests.systemd.conftest import Boot
from tests.systemd.machine import UNIT, Machine

SUCCESSION = "/usr/lib/tocsin/succession.py"
TOOK_OVER = "tocsind on port 9909: the new one has taken over; no service was touched\n"


def pid(machine: Machine) -> str:
    """Return the daemon's, whoever started it."""
    return machine.run("cat", "/run/tocsin/9909/lock").stdout.strip()


def test_a_unit_stays_one_and_its_service_is_not_touched(boot: Boot) -> None:
    """With what the administrator has changed of it."""
    machine = boot(
        {f"{UNIT}.d/test.conf": "[Service]\nExecStart=\nExecStart=/usr/bin/tocsind --linger 5 --log-file /l\n"}
    )
    assert machine.agent("start").returncode == 0
    service, daemon = machine.sleepers(), machine.daemon
    done = machine.run(SUCCESSION, "restart")
    assert (done.stdout, done.stderr) == (TOOK_OVER, "")
    assert machine.daemon not in (0, daemon) and machine.sleepers() == service and machine.monitor() == 0
    assert pid(machine) == str(machine.daemon)


def test_a_daemon_with_arguments_of_its_own_keeps_them(machine: Machine) -> None:
    """It was started without systemd, and is again."""
    assert machine.agent("start", daemon_args="--linger 5").returncode == 0
    service, daemon = machine.sleepers(), pid(machine)
    assert machine.run(SUCCESSION, "restart").stdout == TOOK_OVER
    assert pid(machine) != daemon and machine.sleepers() == service
    assert "--linger\0005\000" in machine.run("cat", f"/proc/{pid(machine)}/cmdline").stdout
    assert machine.agent("monitor", interval=60000, daemon_args="--linger 5").returncode == 0


def test_a_unit_that_cannot_be_restarted_is_told(machine: Machine) -> None:
    """The package is installed all the same, and the next monitor finds a way."""
    assert machine.agent("start").returncode == 0
    service = machine.sleepers()
    machine.systemctl("mask", "--runtime", UNIT)
    done = machine.run(SUCCESSION, "restart")
    assert done.returncode == 0 and "the next monitor tries again" in done.stdout
    assert machine.monitor() == 0 and machine.sleepers() == service


def test_without_a_daemon_nothing_is_said_or_done(machine: Machine) -> None:
    """As at the first installation."""
    done = machine.run(SUCCESSION, "restart")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
