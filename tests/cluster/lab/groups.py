"""
The control groups (cgroup v2) of a lab, so that what runs in a node may make its own as on a real machine.

/tocsin-lab.PID.RANDOM/NODE at the top of the machine's tree, named like the lab's state directory; for the node
it is the root, by a cgroup namespace. Where the machine has no cgroup2 that can be written, the node has none.
Nothing is ever killed here: the kernel refuses to remove a group with a process in it.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from .faults import LabError
from .state import BASE, PREFIX

_PATIENCE = 10.0


def tops() -> list[Path]:
    """Find where cgroup2 is mounted."""
    rows = [line.split() for line in Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()]
    return [Path(row[4]) for row in rows if row[row.index("-") + 1] == "cgroup2"]


def enter(lab: str, node: str) -> bool:
    """Move this process to the node's group, made for it; False where that is not possible."""
    for top in tops():
        group = top / lab / node
        with contextlib.suppress(OSError):
            group.mkdir(parents=True)
            (group / "cgroup.procs").write_text("0")
            return True
    return False


def of(lab: str, node: str) -> Path | None:
    """Find the group of a node, seen from outside."""
    return next((top / lab / node for top in tops() if (top / lab / node).is_dir()), None)


def freeze(group: Path, wanted: int) -> None:
    """Freeze (1) or thaw (0) all processes of a group, and return when that is so."""
    (group / "cgroup.freeze").write_text(str(wanted))
    deadline = time.monotonic() + _PATIENCE
    while f"frozen {wanted}" not in (group / "cgroup.events").read_text():
        if time.monotonic() > deadline:
            raise LabError(f"{group} is not frozen ({wanted}) after {_PATIENCE:g} s")
        time.sleep(0.005)


def remove(lab: str, patience: float = 0.0) -> None:
    """Remove a lab's groups; what was killed may take its time to go."""
    deadline = time.monotonic() + patience
    while not _removed(lab) and time.monotonic() < deadline:
        time.sleep(0.01)


def _removed(lab: str) -> bool:
    mine = [top / lab for top in tops()]
    for group in mine:
        for place, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(place)
    return not any(group.exists() for group in mine)


def sweep() -> None:
    """Remove the empty groups of labs that are no more: a lab's state directory is there before and after them."""
    for top in tops():
        for group in top.glob(PREFIX + "*"):
            if not (BASE / group.name).exists():
                remove(group.name)
