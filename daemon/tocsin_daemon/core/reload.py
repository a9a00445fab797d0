"""What a changed definition means for a service that runs: what can be applied now, and what waits for a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LIVE = (
    "checks",
    "stop_signal",
    "stop_timeout",
    "restart_attempts",
    "restart_window",
    "promote_command",
    "demote_command",
    "promote_signal",
    "demote_signal",
    "notify_command",
    "promotion_score",
)
"""
Keys that the daemon itself goes by. All others made the process what it is, and hold until it is started anew.

The agent's meta-data marks the same ones reloadable.
"""
ROLES = ("promote_command", "demote_command", "promote_signal", "demote_signal", "promotion_score")
"""Keys of which not all may go while the service runs: a promoted one has to be demoted somehow."""
LIMITS = ("limits", "cgroup")
"""Keys that can be applied to what runs by some drivers, as long as none of their entries is taken back."""


@dataclass(frozen=True)
class Change:
    """The definition to go by from now on, and the keys that were applied and that wait."""

    merged: Mapping[str, Any]
    applied: tuple[str, ...]
    waiting: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Tell whether anything is different at all."""
        return bool(self.applied or self.waiting)

    @property
    def words(self) -> str:
        """Return it for a log, a journal and an exit reason."""
        parts = [f"applied: {', '.join(self.applied)}"] if self.applied else []
        parts += [f"needs a restart: {', '.join(self.waiting)}"] if self.waiting else []
        return "; ".join(parts) or "nothing changed"


def _signs(definition: Mapping[str, Any]) -> set[str]:
    """Return how often signs of life are wanted: a service is told when it is started, and would be failed for none."""
    return {str(check["sd_notify"]) for check in definition.get("checks") or () if "sd_notify" in check}


def _promotable(definition: Mapping[str, Any]) -> bool:
    return bool(definition.get("promote_command") or definition.get("promote_signal"))


def relimits(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether limits differ, and only in what is set, not in what is taken back."""
    pairs = [(present.get(key) or {}, wanted[key]) for key in LIMITS]
    return any(old != new for old, new in pairs) and all(set(old) <= set(new) for old, new in pairs)


def compare(present: Mapping[str, Any], wanted: Mapping[str, Any], *, limited: bool = False) -> Change:
    """
    Return what of `wanted` can be applied to a service that runs as `present` says; both have every key.

    `limited`: its limits have been applied already.
    """
    different = [key for key in wanted if wanted[key] != present.get(key)]
    live = [key for key in LIVE if key != "checks" or _signs(wanted) <= _signs(present)]
    if _promotable(present) and not _promotable(wanted):
        live = [key for key in live if key not in ROLES]
    applied = tuple(key for key in different if key in live or (limited and key in LIMITS))
    merged = {**present, **{key: wanted[key] for key in applied}}
    return Change(merged, applied, tuple(key for key in different if key not in applied))
