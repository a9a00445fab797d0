"""One node at the hub: its power, and its own socket of the power switch."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Collection

from . import groups, machine, power
from .machine import Machine
from .plan import Member, Plan
from .power import Power
from .switch import Switch

# A node that is back before its peers have missed it is not noticed as gone.
_TOKEN = 1.0

Meet = Callable[[], Awaitable[None]]
Hear = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _nobody_else() -> None:
    return


class Outlet:
    """Power for one node."""

    def __init__(self, plan: Plan, member: Member, switch: Switch, inherited: Collection[int], hear: Hear) -> None:
        """Take the lab's plan and switch, and what serves a connection of the node's fence agent; the node is off."""
        self.member = member
        self.mode = "ok"
        self._plan = plan
        self._switch = switch
        self._inherited = inherited
        self._hear = hear
        self._machine: Machine | None = None
        self._pidfd = -1
        self._ear: asyncio.AbstractServer | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self._booting: asyncio.Task[None] | None = None
        power.write(member, Power(power.OFF))

    @property
    def is_on(self) -> bool:
        """Tell whether the node has power, even if it still boots, or will have in a moment."""
        return self._machine is not None or self._booting is not None

    async def on(self, meet: Meet = _nobody_else) -> None:
        """Boot the node, and return when its daemons are started; RuntimeError says why not."""
        if self._booting is None and self._machine is None:
            self._booting = asyncio.create_task(self._boot(meet))
        if self._booting is not None:
            await asyncio.shield(self._booting)

    def on_later(self, delay: float) -> None:
        """Boot the node after some seconds; if it does not, it is lost."""
        power.write(self.member, Power(power.BOOTING))
        self._booting = asyncio.create_task(self._boot_after(delay))

    def off(self) -> None:
        """Pull the network, then SIGKILL everything, and return when nothing of the node is left."""
        power.write(self.member, Power(power.OFF))
        if self._booting is not None:
            self._booting.cancel()
            self._booting = None
        if self._machine is not None:
            self._switch.unplug(self.member)
            self._stop_listening()
            self._forget_machine().kill(groups.of(self._plan.state.name, self.member.name))
            groups.remove(f"{self._plan.state.name}/{self.member.name}", patience=2)

    async def _boot_after(self, delay: float) -> None:
        try:
            await asyncio.sleep(delay)
            await self._boot(_nobody_else)
        except Exception as fault:  # noqa: BLE001 - nobody awaits this; whoever holds the lab finds it in `power`
            print(fault, file=sys.stderr, flush=True)

    async def _boot(self, meet: Meet) -> None:
        power.write(self.member, Power(power.BOOTING))
        try:
            self._ear = await asyncio.start_unix_server(self._accept, self.member.switch)
            running = machine.start(self._plan, self.member, self._inherited)
            self._watch(running)
            self._switch.plug(self.member, running.init)
            await self._follow(running, meet)
            power.write(self.member, Power(power.ON, running.init))
        except Exception as fault:
            self._booting = None  # it ends here anyway, and must not be cancelled
            self.off()
            power.write(self.member, Power(power.LOST, reason=str(fault).replace("\n", "; ")))
            raise
        finally:
            if self._booting is asyncio.current_task():
                self._booting = None

    async def _follow(self, running: Machine, meet: Meet) -> None:
        reader, writer = await asyncio.open_connection(sock=running.wire.dup())
        try:
            writer.write(b"go\n")
            await self._expect(reader, b"corosync\n")
            await meet()
            writer.write(b"go\n")
            await self._expect(reader, b"ready\n")
        finally:
            writer.close()

    async def _expect(self, reader: asyncio.StreamReader, word: bytes) -> None:
        line = await reader.readline()
        if line != word:
            said = (line + await reader.read()).decode()
            raise RuntimeError(f"{self.member.name} did not boot: {said or 'it was killed'}")

    def _watch(self, running: Machine) -> None:
        self._machine = running
        self._pidfd = os.pidfd_open(running.stub)
        asyncio.get_running_loop().add_reader(self._pidfd, self._ended)

    def _ended(self) -> None:
        """Follow a node that went down by itself, as its firmware would."""
        how = self._forget_machine().bury()
        self._switch.unplug(self.member)
        self._stop_listening()
        groups.remove(f"{self._plan.state.name}/{self.member.name}", patience=2)
        if self._booting is not None:
            return  # who boots it hears of it
        if how == machine.REBOOTED:
            self.on_later(3 * _TOKEN)
        elif how == machine.POWERED_OFF:
            power.write(self.member, Power(power.OFF))
        else:
            power.write(self.member, Power(power.LOST, reason="it died"))

    def _forget_machine(self) -> Machine:
        assert self._machine is not None
        gone, self._machine = self._machine, None
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        return gone

    def _stop_listening(self) -> None:
        """Drop what the node's fence agents asked for and what they would ask."""
        if self._ear is not None:
            self._ear.close()
            self._ear = None
        for task in self._asking:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._asking.add(task)
        try:
            await self._hear(reader, writer)
        except asyncio.CancelledError:
            pass  # the node is dead, and nobody reads the answer
        finally:
            self._asking.discard(task)
            writer.close()
