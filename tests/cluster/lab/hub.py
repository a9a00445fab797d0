"""
The hub of a lab: holds the switch and the nodes, and ends them when its stdin ends.

It says one JSON line on stdout when all daemons are started: {"ready": true}, or {"error": TEXT}. From then on
it takes one JSON line on each connection to its socket, and answers with one; see `Desk`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import time
import traceback
from functools import partial

from . import fencing, groups, kernel, machine
from .desk import Desk
from .outlet import Outlet
from .plan import DISK, Member, Plan, create
from .switch import Switch
from .tools import install

_REBOOT_PAUSE = 1.0


def main(text: str, parent: int) -> None:
    """Run a lab for as long as the parent lives; parent 0 means that only stdin tells."""
    asyncio.run(_live(Plan.from_json(text), parent, machine.descriptors()))


async def _live(plan: Plan, parent: int, inherited: frozenset[int]) -> None:
    """Return when the lab has ended, and nothing is left of it."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    outlets: dict[str, Outlet] = {}
    try:
        if parent:
            kernel.signal_at_parent_death(signal.SIGTERM)
        if parent in (0, os.getppid()):
            await _run(plan, outlets, ended, inherited)
    except Exception:  # noqa: BLE001 - the holder of the lab raises it again
        _say({"error": traceback.format_exc()})
    finally:
        _tear_down(plan, outlets)


async def _run(plan: Plan, outlets: dict[str, Outlet], ended: asyncio.Event, inherited: frozenset[int]) -> None:
    kernel.unshare(kernel.NEW_NET | kernel.NEW_MOUNT)
    kernel.stop_mount_propagation()
    install(plan.tools, plan.borrowed)
    switch = Switch()
    key = os.urandom(4096) if plan.remotes else b""
    for member in plan.members:
        _lay_out(member, key)
        hear = partial(_hear, outlets, member.name)
        outlets[member.name] = Outlet(plan, member, switch, inherited, hear)
    desk = Desk(plan, outlets, switch, ended)
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), desk.holder_spoke)
    front = await asyncio.start_unix_server(desk.serve, plan.hub)
    boot = asyncio.create_task(_boot_all(outlets))
    end = asyncio.create_task(ended.wait())
    await asyncio.wait({boot, end}, return_when=asyncio.FIRST_COMPLETED)
    if boot.done():
        await boot
        _say({"ready": True})
        await end
    boot.cancel()
    front.close()


async def _boot_all(outlets: dict[str, Outlet]) -> None:
    """Boot the nodes; from corosync to Pacemaker each waits for all, or for the first one that fails."""
    missing, all_there = set(outlets), asyncio.Event()

    async def meet(name: str) -> None:
        missing.discard(name)
        if not missing:
            all_there.set()
        await all_there.wait()

    await asyncio.gather(*(outlet.on(partial(meet, name)) for name, outlet in outlets.items()))


async def _hear(
    outlets: dict[str, Outlet], asker: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    line = (await reader.readline()).decode().strip()
    answer = fencing.answer(line, outlets, _REBOOT_PAUSE)
    print(f"{time.time():.3f} {asker}: {line}: {answer}", file=sys.stderr, flush=True)
    if answer is None:
        await reader.read()  # until the agent, or its node, is gone
    else:
        writer.write(f"{answer}\n".encode())


def _lay_out(member: Member, key: bytes) -> None:
    member.memory.mkdir(parents=True)
    # Here and not in the node, so that it outlives the node; and in the hub's mount namespace, not the machine's.
    kernel.mount("tmpfs", member.memory, options="mode=755")
    for directory in DISK:
        create(directory, member.disk)
    if key:  # remote nodes and cluster nodes know each other by it
        file = member.disk / "etc/pacemaker/authkey"
        file.write_bytes(key)
        shutil.chown(file, "root", "haclient")
        file.chmod(0o640)


def _say(message: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def _tear_down(plan: Plan, outlets: dict[str, Outlet]) -> None:
    for outlet in outlets.values():
        outlet.off()
    for member in plan.members:
        with contextlib.suppress(OSError):  # never mounted
            kernel.unmount(member.memory)
    groups.remove(plan.state.name)
    shutil.rmtree(plan.state, ignore_errors=True)
