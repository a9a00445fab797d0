"""A unit of systemd as a resource: agent, daemon and driver together."""

from __future__ import annotations

import subprocess

import pytest

from tests.systemd.conftest import Boot
from tests.systemd.machine import AGENT, Machine

WEB = "[Service]\nExecStart=/bin/sleep 1002\nRestart=always\n"
BAD = "[Service]\nType=exec\nExecStart=/bin/false\n"


@pytest.fixture
def machine(boot: Boot) -> Machine:
    """Return a machine with two units and definitions of them."""
    machine = boot({"web.service": WEB, "bad.service": BAD})
    for name in ("web", "bad"):
        machine.run("sh", "-c", f"printf 'unit: {name}\\nchecks: [systemd: {name}]\\n' > /run/{name}.yaml")
    return machine


def act(machine: Machine, action: str, resource: str = "web", interval: int = 0) -> subprocess.CompletedProcess[str]:
    """Call the agent."""
    asked = {"config": f"/run/{resource}.yaml", "CRM_meta_timeout": "20000", "CRM_meta_on_node": "n1"}
    environ = {f"OCF_RESKEY_{name}": value for name, value in asked.items()}
    if interval:
        environ["OCF_RESKEY_CRM_meta_interval"] = str(interval)
    return machine.run(AGENT, action, env={**environ, "OCF_RESOURCE_INSTANCE": resource})


def test_a_unit_is_started_watched_and_stopped(machine: Machine) -> None:
    """A failure is known before anybody asks; a restart by an administrator is none."""
    assert act(machine, "start").returncode == 0
    machine.systemctl("restart", "web.service")
    machine.wait(lambda: machine.show("ActiveState", "web.service") == "active")
    assert act(machine, "monitor", interval=60000).returncode == 0
    machine.run("kill", "-KILL", machine.show("MainPID", "web.service"))
    done = machine.wait(lambda: (done := act(machine, "monitor", interval=60000)).returncode == 7 and done)
    assert "was killed by signal 9 (KILL)" in done.stderr
    assert act(machine, "stop").returncode == 0 and machine.sleepers() == []
    assert act(machine, "start").returncode == act(machine, "stop").returncode == 0


def test_a_failed_start_has_its_reason(machine: Machine) -> None:
    """And what follows it, a stop, succeeds."""
    done = act(machine, "start", "bad")
    assert done.returncode == 1 and "bad.service failed: main process" in done.stderr
    assert act(machine, "stop", "bad").returncode == 0


def test_a_killed_daemon_takes_up_the_unit(machine: Machine) -> None:
    """Which runs on meanwhile, and is stopped by the next one."""
    act(machine, "start")
    pid, daemon = machine.show("MainPID", "web.service"), machine.daemon
    machine.run("kill", "-KILL", str(daemon))
    machine.wait(lambda: machine.daemon not in (0, daemon))
    assert act(machine, "monitor", interval=60000).returncode == 0 and machine.show("MainPID", "web.service") == pid
    machine.systemctl("stop", "web.service")
    machine.wait(lambda: act(machine, "monitor", interval=60000).returncode == 7)
    assert act(machine, "stop").returncode == 0
