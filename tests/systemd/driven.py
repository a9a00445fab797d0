"""The systemd driver at work in a machine: see tests/systemd/driving.py."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from tests.systemd import keeper
from tests.systemd.machine import TOP, Machine

PATH = f"{TOP}/ocf:{TOP}/daemon"
FORKS = "/bin/sh -c 'sleep 1003 & echo $$! > /run/forks.pid'"
STUBBORN = "/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'"
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
"""The units of a machine; each behaves in its way."""


@dataclass
class Driven:
    """One process with the driver in it; what it tells is heard in order."""

    machine: Machine
    told: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start it in the machine."""
        inside = ["nsenter", f"--target={self.machine.init}", "-m", "-u", "-i", "-n", "-p", "-C", "--"]
        argv = [*inside, "/usr/bin/python3", "-B", f"{TOP}/tests/systemd/driving.py"]
        environ = {**keeper.ENVIRONMENT, "PYTHONPATH": PATH}
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, env=environ
        )
        self._rest = b""

    def do(self, *words: object) -> None:
        """Have it do something."""
        assert self._process.stdin
        self._process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self._process.stdin.flush()

    def hear(self, what: str, seconds: float = 10.0) -> dict[str, Any]:
        """Return the first thing of this kind that it tells; all else that comes before must be told apart."""
        deadline = time.monotonic() + seconds
        while True:
            for told in self.told:
                if told["what"] == what:
                    self.told.remove(told)
                    return told
            assert self._read(deadline - time.monotonic()), f"not told: {what}; but {self.told}"

    def silent(self, seconds: float = 0.3) -> bool:
        """Tell whether it says nothing for so long, and has said nothing that was not heard."""
        deadline = time.monotonic() + seconds
        while self._read(deadline - time.monotonic()):
            pass
        return not self.told

    def _read(self, seconds: float) -> bool:
        out = self._process.stdout
        assert out
        if seconds <= 0 or not select.select([out], [], [], seconds)[0]:
            return False
        said = out.read1()  # type: ignore[attr-defined]
        *lines, self._rest = (self._rest + said).split(b"\n")
        self.told += map(json.loads, lines)
        return bool(said)  # which may be half a line; nothing at all is the end

    def start(self, unit: str) -> int:
        """Start a unit, and return its main process."""
        self.do("start", unit)
        return int(self.hear("up")["pid"])

    def clear(self, seconds: float = 20.0) -> dict[str, Any]:
        """Stop what runs, and return when it has."""
        self.do("clear", seconds)
        return self.hear("cleared")

    def kill(self, pid: int) -> float:
        """Kill a process; the seconds until the driver has told of it."""
        self.do("kill", pid)
        return float(-self.hear("killed")["at"] + self.hear("ended")["at"])

    def close(self) -> None:
        """End it, not what it has started; nothing was told that nobody asked about."""
        with self._process:
            self._process.communicate(timeout=10)
        assert self._process.returncode == 0

    def abandon(self) -> None:
        """End it, however the test went."""
        self._process.kill()
        self._process.communicate()
