"""
Where the holder of a lab gives its orders: one JSON object in, one out.

    {"do": "kill"|"boot", "node": NAME}, {"do": "fence_mode", "node": NAME, "mode": MODE},
    {"do": "partition", "nodes": [NAME...]}, {"do": "keep", "name": NAME}, {"do": "down"}

The answer is {} or {"error": TEXT}, when it is done.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from . import fencing, kernel
from .outlet import Outlet
from .plan import Plan
from .switch import Switch

Order = Mapping[str, Any]


class Desk:
    """Takes orders for the nodes and the switch, and ends the lab."""

    def __init__(self, plan: Plan, outlets: Mapping[str, Outlet], switch: Switch, ended: asyncio.Event) -> None:
        """Set `ended` when the lab shall end."""
        self._plan = plan
        self._outlets = outlets
        self._switch = switch
        self._ended = ended
        self._kept = False
        self._orders: dict[str, Callable[[Order], Awaitable[None]]] = {
            "kill": self._kill,
            "boot": self._boot,
            "fence_mode": self._fence_mode,
            "partition": self._partition,
            "keep": self._keep,
            "down": self._down,
        }

    def holder_spoke(self) -> None:
        """End the lab with its holder, whose pipe this is, unless the lab is kept."""
        if os.read(sys.stdin.fileno(), 4096):
            return
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        if not self._kept:
            self._ended.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry out one order."""
        answer: dict[str, str] = {}
        try:
            order = json.loads(await reader.readline())
            await self._orders[order["do"]](order)
        except asyncio.CancelledError:
            answer = {"error": "the node was killed meanwhile"}
        except Exception as fault:  # noqa: BLE001 - who gave the order raises it again
            answer = {"error": f"{type(fault).__name__}: {fault}"}
        writer.write(json.dumps(answer).encode() + b"\n")
        writer.close()

    async def _kill(self, order: Order) -> None:
        self._outlets[order["node"]].off()

    async def _boot(self, order: Order) -> None:
        await self._outlets[order["node"]].on()

    async def _fence_mode(self, order: Order) -> None:
        if order["mode"] not in fencing.MODES:
            raise ValueError(f"no fence mode: {order['mode']}; there are {', '.join(fencing.MODES)}")
        self._outlets[order["node"]].mode = order["mode"]

    async def _partition(self, order: Order) -> None:
        unknown = [name for name in order["nodes"] if name not in self._outlets]
        if unknown:
            raise ValueError(f"no such node: {' '.join(unknown)}")
        self._switch.divide(order["nodes"])

    async def _keep(self, order: Order) -> None:
        self._plan.file.write_text(self._plan.to_json())
        self._plan.label.write_text(order["name"])
        kernel.signal_at_parent_death(0)
        self._kept = True

    async def _down(self, _order: Order) -> None:
        self._ended.set()
