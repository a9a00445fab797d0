"""What a service inherits of a daemon that is a unit: nothing; and what systemd gives it: a scope of its own."""

from __future__ import annotations

import pytest

from tests.systemd.conftest import Boot
from tests.systemd.machine import SCOPE, UNIT, Machine
from tocsin_ocf.processes import MARK


def test_each_service_has_a_scope_with_all_its_processes(machine: Machine) -> None:
    """Those that it forked before it was moved too, and none of the daemon's."""
    many = "/bin/sh -c 'for i in $(seq 30); do setsid sleep 1001 & done; exec sleep 1002'"
    machine.agent("start", "web", command=many)
    machine.agent("start", "other")
    machine.wait(lambda: len(machine.members(SCOPE)) == 31 and len(machine.members("tocsin-9909-other.scope")) == 2)
    assert sorted(machine.members(SCOPE) | machine.members("tocsin-9909-other.scope")) == machine.sleepers()
    machine.wait(lambda: machine.members(UNIT) == {machine.daemon})


def test_a_scope_has_what_a_service_of_pacemakers_needs(machine: Machine) -> None:
    """No limit on threads, an end after Pacemaker's, company that survives a kill for memory."""
    machine.agent("start")
    machine.wait(lambda: machine.members(SCOPE))
    assert machine.show("TasksMax", SCOPE) == "infinity" and machine.show("Slice", SCOPE) == "system.slice"
    assert {"pacemaker.service", "pacemaker_remote.service"} <= set(machine.show("Before", SCOPE).split())


def test_an_administrator_limits_a_service_with_a_drop_in(boot: Boot) -> None:
    """Also what we set ourselves."""
    machine = boot({f"{SCOPE}.d/limits.conf": "[Scope]\nTasksMax=77\nIPAccounting=yes\n"})
    machine.agent("start")
    machine.wait(lambda: machine.members(SCOPE))
    assert machine.show("TasksMax", SCOPE) == "77" and machine.show("IPAccounting", SCOPE) == "yes"


def test_a_stop_leaves_no_scope_and_the_next_start_gets_one(machine: Machine) -> None:
    """Of the same name, and at once."""
    for _ in range(3):
        assert machine.agent("start").returncode == 0
        machine.wait(lambda: set(machine.sleepers()) == machine.members(SCOPE) != set())
        assert machine.agent("stop").returncode == 0
        assert machine.sleepers() == []
    machine.wait(lambda: machine.show("ActiveState", SCOPE) == "inactive")


def test_a_service_in_a_scope_is_stopped_by_whoever_has_to(machine: Machine) -> None:
    """By a daemon that took it up, and by the agent alone."""
    machine.agent("start")
    machine.wait(lambda: machine.members(SCOPE))
    machine.systemctl("restart", UNIT)
    assert machine.agent("stop").returncode == 0 and machine.sleepers() == []


def test_a_daemon_without_systemd_has_scopes_for_its_services_too(machine: Machine) -> None:
    """They are none of Pacemaker's unit then."""
    machine.agent("start", daemon_args="--linger 600")
    machine.wait(lambda: set(machine.sleepers()) == machine.members(SCOPE) != set())


def test_without_d_bus_a_service_runs_without_a_scope(machine: Machine) -> None:
    """And survives the end of the daemon all the same."""
    machine.systemctl("stop", "dbus.socket", "dbus.service")
    assert machine.agent("start").returncode == 0
    service = machine.sleepers()
    machine.systemctl("stop", UNIT)
    assert machine.monitor() == 0 and machine.sleepers() == service


@pytest.mark.parametrize("user", ["", "nobody"])
def test_a_service_inherits_nothing_of_the_daemon(machine: Machine, user: str) -> None:
    """No variable that systemd gave it, no umask, no spared life, no bound on its rights."""
    show = "cat /proc/self/status /proc/self/oom_score_adj > /tmp/shown; umask >> /tmp/shown; env >> /tmp/shown"
    machine.agent("start", command=f"/bin/sh -c '{show}; exec sleep 1002'", user=user)
    lines = machine.run("cat", "/tmp/shown").stdout.splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    first = machine.run("cat", "/proc/1/status").stdout
    assert f"CapBnd:\t{status['CapBnd']}\n" in first
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("0", "0")
    assert "0" in lines and "0022" in lines and "-500" not in lines
    names = {line.partition("=")[0] for line in lines if "=" in line}
    own = {"PATH", "LANG", "HOME", "USER", "LOGNAME", "SHELL", "TOCSIN_RESOURCE", MARK}
    assert names <= {*own, "PWD", "_", "SHLVL"}
