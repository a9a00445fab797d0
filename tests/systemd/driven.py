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
        *lines, self._rest = (self._rest + out.read1()).split(b"\n")  # type: ignore[attr-defined]
        self.told += map(json.loads, lines)
        return bool(lines)

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
