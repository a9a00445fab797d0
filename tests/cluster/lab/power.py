"""
Whether a node is on: the hub writes it to a file, and whoever holds the lab reads it there.

A node is on when it can be used, from the start of its daemons on. Before its private files are mounted, a
command in it would find the machine's; so nobody learns its pid 1 before that.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from .plan import Member

ON = "on"
OFF = "off"
BOOTING = "booting"
LOST = "lost"
"""It is off, and nobody asked for that."""


@dataclass(frozen=True)
class Power:
    """The state of one node; `init` is the pid of its pid 1 seen from outside, 0 unless it is on."""

    state: str
    init: int = 0
    reason: str = ""

    @property
    def is_alive(self) -> bool:
        """Tell whether it is on and its pid 1 lives."""
        return self.state == ON and Path(f"/proc/{self.init}/root/run").exists()


def write(member: Member, power: Power) -> None:
    """Tell everyone, by one rename."""
    new = member.power.with_suffix(".new")
    new.write_text(f"{power.state} {power.init} {power.reason}")
    os.replace(new, member.power)


def read(member: Member) -> Power:
    """Return what the hub told last; off where it has told nothing yet."""
    try:
        state, init, reason = member.power.read_text().split(" ", 2)
    except FileNotFoundError:
        return Power(OFF)
    return Power(state, int(init), reason)


def is_lost(member: Member) -> bool:
    """Tell whether the node went off unasked, which takes a second to be sure of."""
    for _ in range(100):
        now = read(member)
        if now.is_alive or now.state in (OFF, BOOTING):
            return False
        if now.state == LOST:
            return True
        time.sleep(0.01)  # it says "on" and is dead: the hub has yet to see that, and whether it reboots
    return True
