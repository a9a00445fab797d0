"""Starts worlds in namespaces of their own, side by side, and adds up what they found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from lab import groups

from tests.chaos.books import VIOLATIONS

TOP = Path(os.environ.get("TOCSIN_TREE") or Path(__file__).resolve().parents[2])
"""The checkout that is tested: this one, unless another is named."""
NAMESPACES = ("--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child=KILL", "--mount-proc")
ROOMS = (".", "packaging", "tests/cluster")
"""Where the modules of a world are: chaos itself, the installer, and the lab's cgroups."""
LAST_EVENTS = 200
CHANNELS = ("injection", "monitor", "start", "promote", "demote")
GROUP = "tocsin-chaos."
DID = {"killed": "SIGKILL", "frozen": "SIGSTOP", "ended": "SIGTERM"}


@dataclass
class Wish:
    """What is to be run; `only` names the worlds, for a replay."""

    seed: int
    cycles: int
    worlds: int = 2
    resources: int = 3
    first: int = 0
    only: Sequence[int] = ()
    without: Sequence[str] = ()

    def worlds_to_run(self) -> dict[int, dict[str, object]]:
        """Return what each world is told."""
        numbers = list(self.only) or list(range(self.worlds))
        share = -(-self.cycles // len(numbers))
        return {
            world: {
                "seed": self.seed,
                "names": [f"w{world}r{k}" for k in range(self.resources)],
                "cycles": share,
                "first": self.first,
                "without": list(self.without),
            }
            for world in numbers
        }


@dataclass
class Found:
    """What came of it."""

    cycles: int = 0
    seconds: float = 0.0
    count: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def figures(self) -> str:
        """Return the figures, for people."""
        count = self.count
        by = " ".join(f"{count[f'by {channel}']} by {channel}" for channel in CHANNELS)
        violations = " ".join(f"{kind}: {count[kind]}" for kind in VIOLATIONS)
        delays = sorted(self.delays) or [0.0]
        late = f"death to report p50 {median(delays) * 1000:.0f} ms, max {delays[-1]:.1f} s"
        did = (f"{word} {count[f'daemon {name}']}" for word, name in DID.items())
        daemons = f"daemons {', '.join(did)}, strangers {count['strangers']}"
        return (
            f"{self.cycles} cycles in {self.seconds:.0f} s ({self.cycles / max(self.seconds, 0.001):.1f} a second): "
            f"{count['births']} births, {count['deaths']} deaths, {daemons}; told {by}, {late}; "
            f"crossed: {count['crossed']}; {violations}"
        )


def run(wish: Wish) -> Found:
    """Run the worlds side by side, and return what they found."""
    found = Found()
    sweep()
    worlds = {number: _begin(told, _group(number)) for number, told in wish.worlds_to_run().items()}
    try:
        for number, (process, out) in worlds.items():
            process.wait()
            _add(found, f"--seed {wish.seed} --only {number}", process.returncode, out)
    finally:
        for number, (process, out) in worlds.items():
            process.kill()
            process.wait()
            os.close(out)
            groups.remove(_group(number), patience=5)
    return found


def _group(world: int) -> str:
    return f"{GROUP}{os.getpid()}.{world}"


def sweep() -> None:
    """Remove the empty cgroups of runs that were killed."""
    for top in groups.tops():
        for path in top.glob(f"{GROUP}*"):
            if not Path("/proc", path.name.split(".")[1]).exists():
                groups.remove(path.name, patience=5)


def _begin(told: dict[str, object], group: str) -> tuple[subprocess.Popen[bytes], int]:
    out = os.memfd_create("figures", 0)
    command = [sys.executable, "-B", "-m", "tests.chaos.namespace", json.dumps(told), str(out), group]
    path = ":".join(str(TOP / room) for room in ROOMS)
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig=KILL", "unshare", *NAMESPACES, *command],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": path},
        pass_fds=[out],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    return process, out


def _add(found: Found, replay: str, code: int, out: int) -> None:
    text = os.pread(out, os.fstat(out).st_size, 0).decode()
    if code or not text:
        found.failed.append(f"{replay}: the world ended with {code}, its own words are above")
        return
    told = json.loads(text)
    found.cycles += told["cycles"]
    found.seconds = max(found.seconds, told["seconds"])
    found.count.update(told["count"])
    found.delays += told["delays"]
    if told["failed"]:
        where = f"replay: ./dev chaos {replay} --cycles {told['cycles']} [--first N] [--repeat 20]"
        events, log = "\n".join(told["events"][-LAST_EVENTS:]), "\n".join(told["log"])
        found.failed.append("\n".join([where, *told["failed"], "--- events", events, "--- the daemon's log", log]))
