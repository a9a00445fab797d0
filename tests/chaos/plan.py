"""
What chaos does in one cycle: drawn from the seed, the resource and the cycle's number alone.

So a cycle can be played again by itself, whatever came before it. How the moves of a cycle meet with what the
daemon does at that moment is up to the machine; play it again often.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

SPREAD = 0.3
"""Seconds over which the moves of a cycle are spread: a recovery takes about as long."""
AT_ONCE = 0.3
"""Share of the moves that follow the one before within two milliseconds: that is where the races are."""

WEIGHTS = {
    # the service
    "kill": 32,
    "exit": 11,
    "kill-child": 6,
    # the daemon
    "cut-report": 4,
    "told-first": 3,
    "stopped-meanwhile": 3,
    "daemon-kill": 4,
    "daemon-term": 2,
    "daemon-freeze": 6,
    "daemon-freeze-kill": 1,
    "stranger": 2,
    # Pacemaker's tools
    "slow-crm_mon": 5,
    "slow-crm_resource": 5,
    "refuse-crm_mon": 3,
    "refuse-crm_resource": 4,
    "garbage-crm_mon": 2,
    "slow-role": 4,
    "missing-crm_mon": 1,
    "missing-crm_resource": 1,
    "hang-crm_mon": 2,
    "hang-crm_resource": 2,
    "stuck-crm_mon": 0.3,
    "stuck-crm_resource": 0.3,
    "silent-crm_resource": 3,
    "swallow-crm_resource": 3,
    # Pacemaker
    "probe": 6,
    "monitor": 10,
    "promote": 14,
    "demote": 7,
    "restart": 5,
    "disable": 8,
    "maintenance": 3,
    "cluster-maintenance": 0.6,
    "unmanaged": 3,
    "start-by-hand": 1,
    "cut-off": 3,
    "slow-recovery": 4,
}
"""How often each move is drawn, relative to the others."""
LASTS = {
    "daemon-freeze": (0.02, 0.8),
    "slow": (0.05, 0.8),
    "slow-crm_resource": (0.05, 2.0),
    "refuse": (0.1, 1.2),
    "garbage": (0.1, 0.8),
    "missing": (0.1, 0.8),
    "hang": (0.1, 1.0),
    "stuck": (0.2, 0.5),
    "silent": (0.2, 1.0),
    "swallow": (0.2, 1.0),
    "maintenance": (0.2, 1.5),
    "cluster-maintenance": (0.2, 1.0),
    "unmanaged": (0.2, 1.5),
    "start-by-hand": (0.6, 1.2),
    "disable": (0.0, 0.4),
    "slow-recovery": (0.3, 1.2),
}
"""Seconds that a move lasts, from and to; the others are over at once."""
KINDS = ("plain", "family", "wild", "stubborn")
"""Services: alone; with a child; with a daemonised one too; the same, and deaf to TERM."""


@dataclass(frozen=True)
class Move:
    """One thing that chaos does: seconds after the cycle's begin, what, for how long, and a number to choose by."""

    at: float
    what: str
    lasts: float
    pick: float


@dataclass(frozen=True)
class Cycle:
    """The moves of one cycle of one resource, and the kind of service that its next start brings."""

    resource: str
    number: int
    kind: str
    moves: tuple[Move, ...]

    def __str__(self) -> str:
        """Return it for the event log."""
        moves = ", ".join(f"{m.at:.3f} {m.what}" + (f" {m.lasts:.2f} s" if m.lasts else "") for m in self.moves)
        return f"{self.resource} cycle {self.number} ({self.kind}): {moves}"


def cycle(seed: int, resource: str, number: int, without: frozenset[str] = frozenset()) -> Cycle:
    """Draw a cycle; moves in `without` are drawn like the others, and left out."""
    dice = random.Random(f"{seed}/{resource}/{number}")  # noqa: S311 - repeatable is the point
    kind = dice.choice(KINDS)
    at, moves = 0.0, []
    for what in dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=dice.choice((1, 1, 2, 2, 3, 4))):
        moves.append(Move(at, what, _lasts(dice, what), dice.random()))
        at += dice.uniform(0, 0.002) if dice.random() < AT_ONCE else dice.uniform(0, SPREAD)
    return Cycle(resource, number, kind, tuple(move for move in moves if move.what not in without))


def _lasts(dice: random.Random, what: str) -> float:
    between = LASTS.get(what) or LASTS.get(what.partition("-")[0]) or (0.0, 0.0)
    return round(dice.uniform(*between), 3)
