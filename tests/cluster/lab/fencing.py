"""
What the power switch answers to a fence agent in a node: one line in, one line out.

    VERB PLUG       on, off, reboot, status; list and monitor without a plug

Each node has a socket of its own, so the switch knows who asks, and what a node asked for that has been killed
since is dropped with its connections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

OK = "ok"
VERBS = ("on", "off", "reboot", "status", "list", "monitor")
MODES = ("ok", "fail", "hang")
"""How the switch treats orders for a node: it obeys, refuses, or never answers."""


class Outlet(Protocol):
    """What the switch may do to a node."""

    mode: str

    @property
    def is_on(self) -> bool:
        """Tell whether the node has power."""

    def off(self) -> None:
        """Cut its power, and return when nothing of it is left."""

    def on_later(self, delay: float) -> None:
        """Give it power after some seconds."""


def answer(line: str, outlets: Mapping[str, Outlet], pause: float) -> str | None:
    """Carry out one request, and return the answer; None means that there is none, ever."""
    verb, _, plug = line.strip().partition(" ")
    if verb not in VERBS:
        return f"error: no such action: {verb}"
    if verb in ("list", "monitor"):
        return " ".join(outlets)
    if plug not in outlets:
        return f"error: no such plug: {plug}"
    outlet = outlets[plug]
    if verb == "status":
        return "on" if outlet.is_on else "off"
    if outlet.mode != "ok":
        return None if outlet.mode == "hang" else "error: the power switch is broken"
    return _obey(verb, outlet, pause)


def _obey(verb: str, outlet: Outlet, pause: float) -> str:
    if verb in ("off", "reboot") and outlet.is_on:
        outlet.off()
    if verb in ("on", "reboot") and not outlet.is_on:
        outlet.on_later(pause if verb == "reboot" else 0.0)
    return OK
