"""The lab's network: one bridge that all nodes are plugged into, and a second one for a partition's other side."""

from __future__ import annotations

import subprocess
from collections.abc import Collection

from .plan import ENVIRONMENT, HUB_ADDRESS, Member

_SIDES = ("br0", "br1")
_SET_UP = f"""\
link set lo up
link add {_SIDES[0]} type bridge
addr add {HUB_ADDRESS}/24 dev {_SIDES[0]}
link set {_SIDES[0]} up
link add {_SIDES[1]} type bridge
link set {_SIDES[1]} up
"""


class Switch:
    """The ports, in the network namespace of this process; a port is there as long as its node is on."""

    def __init__(self) -> None:
        """Set up the bridges."""
        _ip(_SET_UP)
        self._plugged: dict[str, Member] = {}
        self._away: frozenset[str] = frozenset()

    def plug(self, member: Member, init: int) -> None:
        """Give the node, whose pid 1 is known, its eth0."""
        port = _port(member)
        bridge = self._side(member.name)
        _ip(f"link add {port} type veth peer name eth0 netns {init}\nlink set {port} master {bridge} up\n")
        self._plugged[member.name] = member

    def unplug(self, member: Member) -> None:
        """Pull the node's cable; nothing it says from now on arrives."""
        if self._plugged.pop(member.name, None) is not None:
            subprocess.run(["ip", "link", "del", _port(member)], check=False, env=ENVIRONMENT)  # gone with its node?

    def divide(self, away: Collection[str]) -> None:
        """Move these nodes to the other side and all others to this one, those that are off when they boot."""
        self._away = frozenset(away)
        moves = [f"link set {_port(member)} master {self._side(name)}" for name, member in self._plugged.items()]
        _ip("".join(f"{move}\n" for move in moves))

    def _side(self, name: str) -> str:
        return _SIDES[name in self._away]


def _port(member: Member) -> str:
    return f"sw{member.number}"


def _ip(commands: str) -> None:
    subprocess.run(["ip", "-batch", "-"], input=commands, check=True, text=True, env=ENVIRONMENT)
