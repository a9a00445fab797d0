"""
The promotion score of a service on this node: what it is worth now, and when that is worth telling Pacemaker.

Each score that is told makes Pacemaker think anew, and aborts the transition that is under way. So one is told only
when it differs from the last one that was, and only when it has stayed the same for a while (`dampening`); but the
first of an incarnation, for without one Pacemaker promotes nobody, and that of a new role, at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from tocsin_ocf.roles import score


def parse(line: str) -> int | None:
    """Return the score in a line as a command prints it, None for an empty one; `tocsin_ocf.values.Wrong`."""
    return score(line) if line.strip() else None


def worth(own: int | None, degraded_score: int, *, degraded: bool) -> int | None:
    """Return the score of a service that runs: `own`, and no more than `degraded_score` while it is degraded."""
    return min(own, degraded_score) if degraded and own is not None else own


@dataclass(frozen=True)
class Dampened:
    """
    What Pacemaker has been told, and what is waiting to be; None is no score at all.

    `since` is when `wanted` became what it is, in the clock's seconds. While it is `fresh` nothing has been told, and
    what a former daemon told is not known: no score is something to tell then, too.
    """

    told: int | None = None
    wanted: int | None = None
    since: float = 0.0
    fresh: bool = True

    def want(self, score: int | None, now: float, *, settled: bool = False) -> Dampened:
        """Return it with the present score; one that is `settled` stays, and has not to wait."""
        if settled:
            return replace(self, wanted=score, since=-inf)
        return self if score == self.wanted else replace(self, wanted=score, since=now)

    def due(self, now: float, dampening: float) -> float | None:
        """Return the seconds until what is wanted is to be told, 0.0 for now; None where there is nothing to tell."""
        if self.fresh:
            return 0.0
        return None if self.wanted == self.told else max(0.0, self.since + dampening - now)

    def tell(self) -> Dampened:
        """Return it when what is wanted has been told."""
        return replace(self, told=self.wanted, fresh=False)
