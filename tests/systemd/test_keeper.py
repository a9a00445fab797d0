"""The machine itself: nothing of it stays, however its user goes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.systemd import keeper
from tests.systemd.machine import TOP, Machine

USER = """
import sys, time
from pathlib import Path
from tests.systemd.machine import Machine
machine = Machine(Path(sys.argv[1]), Path(sys.argv[2]), {})
machine.run("systemd-run", "--slice=deep-down", "sleep", "1004")
print(machine.init, flush=True)
time.sleep(1000)
"""


def cgroups() -> list[Path]:
    """Return the cgroups of all machines that there are."""
    return sorted(keeper.own_cgroup().glob(f"{keeper.NAME}*"))


def test_a_killed_user_leaves_nothing(overlay: Path, tmp_path: Path) -> None:
    """No process, no cgroup; the mounts went with their namespace."""
    before = cgroups()
    path = os.pathsep.join(str(TOP / room) for room in (".", "ocf", "daemon", "packaging"))
    argv = [sys.executable, "-B", "-c", USER, str(overlay), str(tmp_path)]
    user = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}, cwd=TOP)
    assert user.stdout
    with user, user.stdout:
        init = int(user.stdout.readline())
        assert len(cgroups()) == len(before) + 1
        user.kill()
    deadline = time.monotonic() + 20
    while (keeper.is_alive(str(init)) or cgroups() != before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not keeper.is_alive(str(init)) and cgroups() == before


def test_it_knows_no_units_of_this_machine(machine: Machine) -> None:
    """What it would start would not be private."""
    services = [
        line.split()[0]
        for line in machine.systemctl("list-unit-files", "--type=service", "--plain", "--no-legend").splitlines()
    ]
    assert services == ["dbus.service", "tocsind@.service"]
    assert machine.run("cat", "/proc/1/comm").stdout == "systemd\n"
    assert machine.run("readlink", "/proc/1/ns/cgroup").stdout.strip() != os.readlink("/proc/self/ns/cgroup")
