"""A private machine under the real systemd, with the working tree installed: see tests/systemd/keeper.py."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.requirements import require, require_program, require_root
from tests.systemd import keeper

TOP = Path(__file__).resolve().parents[2]
AGENT = "/usr/lib/ocf/resource.d/tocsin/service"
UNIT = "tocsind@9909.service"
SCOPE = "tocsin-9909-web.scope"
"""The units of the daemon and of the resource `web`."""
TARGETS = ("default", "sysinit", "basic", "sockets", "shutdown", "umount", "final", "local-fs", "local-fs-pre", "swap")
BUS = "dbus.service", "dbus.socket"
SERVICE = "/bin/sh -c 'sleep 1001 & exec sleep 1002'"
T = TypeVar("T")


def require_systemd() -> None:
    """Skip, by name, where no such machine can be made."""
    require_root()
    for program in ("nsenter", "setpriv", "ip", "systemctl", "busctl", "dbus-daemon"):
        require_program(program)
    require(Path(keeper.SYSTEMD).exists(), "systemd")
    require(Path("/usr/lib/systemd/system/dbus.socket").exists(), "D-Bus with units for systemd")
    require(keeper.can_make_cgroups(), "a cgroup of version 2 that may be divided, with cgroup.kill (Linux 5.14)")


class Machine:
    """One machine, from its boot on."""

    def __init__(self, overlay: Path, directory: Path, units: dict[str, str]) -> None:
        """Boot it with the tree `overlay`, knowing `units` (name to text) besides the least."""
        place = directory / "units"
        shutil.copytree(overlay / "usr/lib/systemd/system", place)
        for target in TARGETS:
            (place / f"{target}.target").write_text("[Unit]\nDefaultDependencies=no\n")
        for name in BUS:
            shutil.copy(f"/usr/lib/systemd/system/{name}", place)
        for name, text in {"default.target": "[Unit]\nWants=dbus.socket\n", **units}.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(text)
        argv = [sys.executable, "-B", "-m", "tests.systemd.keeper", str(overlay), str(place)]
        self._keeper = subprocess.Popen(argv, cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._keeper.stdout
        self.init = int(self._keeper.stdout.readline() or "0")
        assert self.init, "the keeper has said why"
        self.wait(lambda: self.systemctl("is-system-running").strip() == "running")

    def down(self) -> None:
        """End it, with everything in it."""
        self._keeper.communicate(timeout=30)
        assert self._keeper.returncode == 0

    def run(self, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in it; it dies with us."""
        inside = ["nsenter", f"--target={self.init}", "-m", "-u", "-i", "-n", "-p", "-C", "--"]
        environ = {**keeper.ENVIRONMENT, **(env or {})}
        command = [*inside, "setpriv", "--pdeathsig=KILL", "--", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60, check=False)

    def systemctl(self, *words: str) -> str:
        """Ask systemd, or tell it to do something, and return what it says, no and sorry too."""
        done = self.run("systemctl", "--no-pager", *words)
        return done.stdout + done.stderr

    def show(self, name: str, unit: str = UNIT) -> str:
        """Return a property of a unit."""
        return self.systemctl("show", "--value", "--property", name, unit).strip()

    @property
    def daemon(self) -> int:
        """The pid of the unit's main process, 0 without."""
        return int(self.show("MainPID") or "0")

    def agent(
        self, action: str, resource: str = "web", interval: int = 0, timeout: int = 20000, **parameters: str
    ) -> subprocess.CompletedProcess[str]:
        """Call the agent as Pacemaker does."""
        asked = {"command": SERVICE, **parameters, "CRM_meta_timeout": str(timeout), "CRM_meta_on_node": "n1"}
        if interval:
            asked["CRM_meta_interval"] = str(interval)
        environ = {f"OCF_RESKEY_{name}": value for name, value in asked.items()}
        return self.run(AGENT, action, env={**environ, "OCF_RESOURCE_INSTANCE": resource})

    def monitor(self, resource: str = "web") -> int:
        """Return what a recurring monitor comes to."""
        return self.agent("monitor", resource, interval=60000).returncode

    def members(self, unit: str) -> set[int]:
        """Return the pids in the cgroup of a unit."""
        place = self.show("ControlGroup", unit)
        return set(map(int, self.run("cat", f"/sys/fs/cgroup{place}/cgroup.procs").stdout.split())) if place else set()

    @property
    def root(self) -> Path:
        """Its root directory, from outside."""
        return Path(f"/proc/{self.init}/root")

    def sleepers(self) -> list[int]:
        """Return the pids of the services' processes, which all sleep."""
        return sorted(map(int, self.run("pgrep", "-x", "sleep").stdout.split()))

    def wait(self, predicate: Callable[[], T], seconds: float = 20) -> T:
        """Ask until the answer is true, and return that."""
        deadline = time.monotonic() + seconds
        while True:
            answer = predicate()
            if answer:
                return answer
            assert time.monotonic() < deadline, f"waited in vain; last answer: {answer!r}"
            time.sleep(0.05)
