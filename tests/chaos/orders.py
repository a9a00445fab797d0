"""What chaos has Pacemaker and the administrator do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.pacemaker import Resource
    from tests.chaos.plan import Move
    from tests.chaos.world import World


async def probe(world: World, resource: Resource, move: Move) -> None:
    """Ask as an administrator does who tries `crm_resource --force-check`."""
    await resource.act("monitor", by_hand=True)


def monitor(world: World, resource: Resource, move: Move) -> None:
    """Let the recurring monitor be due."""
    monitor_now(world, resource)


def monitor_now(world: World, resource: Resource) -> None:
    """Run the recurring monitor, where Pacemaker would."""
    if resource.started and not (resource.maintenance or world.cluster.maintenance):
        resource.monitor_soon()


def promote(world: World, resource: Resource, move: Move) -> None:
    """Let Pacemaker choose this instance."""
    resource.want_role(promoted=True)


def demote(world: World, resource: Resource, move: Move) -> None:
    """Let Pacemaker choose another one."""
    resource.want_role(promoted=False)


def restart(world: World, resource: Resource, move: Move) -> None:
    """Restart the resource, as for changed parameters."""
    resource.fail()


async def disable(world: World, resource: Resource, move: Move) -> None:
    """Stop the resource, and start it soon or in the next cycle."""
    resource.want(False)
    await asyncio.sleep(move.lasts)
    if move.pick < 0.7:
        resource.want(True)


async def maintenance(world: World, resource: Resource, move: Move) -> None:
    """Put the resource into maintenance for a while; the monitor resumes afterwards, some time."""
    resource.maintenance += 1  # such moves overlap, and an administrator who starts by hand is not interrupted
    resource.wake()
    await asyncio.sleep(move.lasts)
    if move.what == "start-by-hand" and resource.started and resource.idle and not resource.failed:
        await resource.act("start", by_hand=True)
    resource.maintenance -= 1
    resource.wake()
    if move.pick < 0.5:
        monitor(world, resource, move)


async def cluster_maintenance(world: World, resource: Resource, move: Move) -> None:
    """Put the whole cluster into maintenance for a while."""
    world.cluster.maintain(True)
    await asyncio.sleep(move.lasts)
    world.cluster.maintain(False)
    if move.pick < 0.5:
        monitor(world, resource, move)


async def unmanage(world: World, resource: Resource, move: Move) -> None:
    """Let Pacemaker only look at the resource for a while."""
    resource.managed = False
    resource.wake()
    await asyncio.sleep(move.lasts)
    resource.managed = True
    resource.wake()


def cut_off(world: World, resource: Resource, move: Move) -> None:
    """Kill the action that is under way, as Pacemaker does at its timeout."""
    if resource.running:
        resource.running.kill()


async def slow_recovery(world: World, resource: Resource, move: Move) -> None:
    """Let Pacemaker be busy with something else before it recovers."""
    resource.patience = move.lasts
    await asyncio.sleep(move.lasts)
    resource.patience = 0.0
