"""A service with limits under the real systemd: in its scope from its birth, or not started."""

from __future__ import annotations

from tests.systemd.machine import SCOPE, Machine

YAML = "command: [/bin/sh, -c, 'cat /proc/self/cgroup > /tmp/born; sleep 1001 & exec sleep 1002']\ncgroup: {%s}\n"


def define(machine: Machine, limits: str) -> str:
    """Return the path of a definition in the machine."""
    (machine.root / "tmp/limited.yaml").write_text(YAML % limits)
    return "/tmp/limited.yaml"


def test_it_is_born_in_its_scope(machine: Machine) -> None:
    """With a limit that every cgroup has, whatever controllers there are: a trigger on pressure."""
    path = define(machine, "memory.pressure: 'some 150000 2000000'")
    for _ in range(3):
        started = machine.agent("start", config=path, command="")
        assert started.returncode == 0, started.stderr
        assert (machine.root / "tmp/born").read_text().strip().endswith(f"/system.slice/{SCOPE}")
        machine.wait(lambda: sorted(machine.members(SCOPE)) == machine.sleepers())
        assert len(machine.sleepers()) == 2  # the keeper is gone
        assert machine.show("MemoryAccounting", SCOPE) == "yes"
        assert machine.agent("stop", config=path, command="").returncode == 0
        assert machine.sleepers() == []


def test_a_limit_that_does_not_hold_fails_the_start(machine: Machine) -> None:
    """Here version 1 has the controllers, or systemd does not know the file: nothing of the service runs."""
    path = define(machine, "memory.nosuch: 1")
    started = machine.agent("start", config=path, command="")
    assert started.returncode != 0
    assert "cgroup: memory.nosuch cannot be set: there is no such file in" in started.stdout + started.stderr
    assert not (machine.root / "tmp/born").exists()
    assert machine.agent("stop", config=path, command="").returncode == 0
    machine.wait(lambda: machine.sleepers() == [])
