"""What each move of the plan does."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from tests.chaos.orders import (
    cluster_maintenance,
    cut_off,
    demote,
    disable,
    maintenance,
    monitor,
    probe,
    promote,
    restart,
    slow_recovery,
    unmanage,
)
from tests.chaos.processes import now, send, with_pid
from tests.chaos.tools import set_mode

if TYPE_CHECKING:
    from tests.chaos.pacemaker import Resource
    from tests.chaos.plan import Move
    from tests.chaos.world import World

SLOW = 0.5
REPORT = 0.2
"""Seconds in which a report is over, unless a tool is slow."""


async def make(world: World, resource: Resource, move: Move) -> None:
    """Make one move; returns when it is over."""
    world.note(f"{resource.name} move {move.what} {move.lasts or ''}")
    if move.what in PLAIN:
        PLAIN[move.what](world, resource, move)
    elif move.what in LASTING:
        await LASTING[move.what](world, resource, move)
    else:
        mode, _, tool = move.what.partition("-")
        await misbehave(world, tool, mode, move.lasts)


# The service


def kill(world: World, resource: Resource, move: Move) -> None:
    """End the main process, without a word."""
    _end(world, resource, signal.SIGKILL)


def leave(world: World, resource: Resource, move: Move) -> None:
    """Let the service exit by itself."""
    _end(world, resource, signal.SIGUSR1)


def _end(world: World, resource: Resource, number: int) -> None:
    world.sync()
    if resource.book.living:
        resource.book.aimed(now())
        send(resource.book.living.pid, number)


def kill_child(world: World, resource: Resource, move: Move) -> None:
    """End a process of the service that is none of Tocsin's business."""
    living = resource.book.living
    children = [one for one in world.left(resource.name) if living and one.pid != living.pid and "sleep" in one.command]
    if children:
        send(children[int(move.pick * len(children))].pid, signal.SIGKILL)


# The daemon


def daemon_kill(world: World, resource: Resource, move: Move) -> None:
    """Kill the daemon."""
    world.signal_daemons(signal.SIGKILL)


def daemon_term(world: World, resource: Resource, move: Move) -> None:
    """Ask the daemon to end, as an upgrade does."""
    world.signal_daemons(signal.SIGTERM)


async def freeze(world: World, resource: Resource, move: Move) -> None:
    """Stop the daemon's clock for a while."""
    frozen = world.signal_daemons(signal.SIGSTOP)
    await asyncio.sleep(move.lasts)
    for pid in frozen:
        send(pid, signal.SIGCONT)


async def freeze_kill(world: World, resource: Resource, move: Move) -> None:
    """Kill a daemon that is frozen, with all that it had not read yet."""
    world.signal_daemons(signal.SIGSTOP)
    await asyncio.sleep(move.pick / 10)
    world.signal_daemons(signal.SIGKILL)


async def stranger(world: World, resource: Resource, move: Move) -> None:
    """Kill daemon and service, and give the service's pid to somebody else, whom nobody may touch."""
    world.sync()
    life = resource.book.living
    world.signal_daemons(signal.SIGKILL)
    kill(world, resource, move)
    if life is None or not (process := await with_pid(life.pid)):
        return
    world.note(f"{resource.name} stranger {life.pid}")
    world.count["strangers"] += 1
    resource.strangers.append(process)


async def cut_report(world: World, resource: Resource, move: Move) -> None:
    """Kill the service, and the daemon at some step of its report; then a monitor comes by."""
    kill(world, resource, move)
    await asyncio.sleep(move.pick**2 * REPORT)
    daemon_kill(world, resource, move)
    await asyncio.sleep(move.pick * REPORT)
    monitor(world, resource, move)


async def told_first(world: World, resource: Resource, move: Move) -> None:
    """Kill the service; a monitor tells while crm_mon still runs, and Pacemaker is slow to recover."""
    slow = asyncio.ensure_future(misbehave(world, "crm_mon", "slow", SLOW))
    await asyncio.sleep(0.01)
    resource.patience = 2 * SLOW
    kill(world, resource, move)
    await asyncio.sleep(move.pick * REPORT)
    monitor(world, resource, move)
    await slow
    await asyncio.sleep(SLOW)
    resource.patience = 0.0


async def stopped_meanwhile(world: World, resource: Resource, move: Move) -> None:
    """Kill the service, and stop it while crm_mon, which still saw it run, has not ended."""
    old = asyncio.ensure_future(misbehave(world, "crm_mon", "old", SLOW))
    await asyncio.sleep(0.01)
    kill(world, resource, move)
    await asyncio.sleep(move.pick * REPORT)
    resource.want(False)
    await old
    resource.want(True)


# Pacemaker's tools


async def misbehave(world: World, tool: str, mode: str, seconds: float) -> None:
    """Let a tool misbehave for a while; the last one to say so is obeyed."""
    set_mode(tool, mode, seconds)
    mine = world.modes[tool] = world.modes.get(tool, 0) + 1
    await asyncio.sleep(seconds)
    if world.modes[tool] == mine:
        set_mode(tool, "well")


PLAIN = {
    "kill": kill,
    "exit": leave,
    "kill-child": kill_child,
    "daemon-kill": daemon_kill,
    "daemon-term": daemon_term,
    "monitor": monitor,
    "promote": promote,
    "demote": demote,
    "restart": restart,
    "cut-off": cut_off,
}
LASTING = {
    "daemon-freeze": freeze,
    "daemon-freeze-kill": freeze_kill,
    "stranger": stranger,
    "cut-report": cut_report,
    "told-first": told_first,
    "stopped-meanwhile": stopped_meanwhile,
    "probe": probe,
    "disable": disable,
    "maintenance": maintenance,
    "start-by-hand": maintenance,
    "cluster-maintenance": cluster_maintenance,
    "unmanaged": unmanage,
    "slow-recovery": slow_recovery,
}
