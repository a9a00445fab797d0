"""
A stand-in for Pacemaker on one node: believes what actions return and what is injected, and recovers with stop, start.

Of each resource one action runs at a time, and a recurring monitor in flight is killed before a stop. In
maintenance it does nothing but remember; unmanaged it monitors, and remembers.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
from collections.abc import Callable

from tests.chaos.books import Action, Book
from tests.chaos.processes import Call, Seen, now
from tests.chaos.records import stops_heard
from tests.chaos.shown import INTERVAL, NODE, environment, xml
from tests.chaos.tools import STATUS, replace

AGENT = "/usr/lib/ocf/resource.d/tocsin/service"
FIRST_WORD = 5.0
FIRST_MONITOR = (0.01, 0.04)
"""Seconds from a start to the first recurring monitor, as measured on Pacemaker."""


class Resource:
    """One resource as Pacemaker sees it."""

    def __init__(self, name: str, cluster: Cluster) -> None:
        """Begin stopped."""
        self.name = name
        self.book = Book(name)
        self.kind = self.next_kind = "plain"
        self.started = False
        self.wanted = False
        self.promoted = False
        self.wanted_promoted = False
        self.failed = False
        self.managed = True
        self.maintenance = 0
        self.patience = 0.0
        self.call = 0
        self.injection = 0
        self.history: dict[str, int] = {}
        self.running: Call | None = None
        self.strangers: list[subprocess.Popen[bytes]] = []
        self._cluster = cluster
        self._one_at_a_time = asyncio.Lock()
        self._monitoring: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._dice = random.Random(name)  # noqa: S311 - milliseconds before a monitor

    @property
    def free(self) -> bool:
        """Whether Pacemaker may act."""
        return self.managed and not (self.maintenance or self._cluster.maintenance)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._one_at_a_time.locked() and (self._monitoring is None or self._monitoring.done())

    @property
    def quiet(self) -> bool:
        """Whether all is as it should be, and nothing under way."""
        return self.idle and self.free and not self.due

    def want(self, started: bool) -> None:
        """Set the target role."""
        self.wanted = started
        self.wake()

    def want_role(self, *, promoted: bool) -> None:
        """Set the role."""
        self.wanted_promoted = promoted
        self.wake()

    @property
    def due(self) -> bool:
        """Whether there is something to do."""
        misplaced = self.started and self.promoted is not self.wanted_promoted
        return self.failed or self.started is not self.wanted or misplaced

    def fail(self) -> None:
        """Remember a failure, and recover when allowed."""
        self.failed = True
        self.wake()

    def wake(self) -> None:
        """Look again at what is to do."""
        self.book.maintain(not self.free)
        self._cluster.publish()
        self._wake.set()

    async def run(self) -> None:
        """Do what is to do, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self.free and self.due:
                await self._step()

    async def _step(self) -> None:
        if self.started and (self.failed or not self.wanted):
            await asyncio.sleep(self.patience if self.failed else 0)
            if self._monitoring:
                self._monitoring.cancel()
            if self.promoted:
                await self.act("demote")
                self.promoted = False
            if await self.act("stop") == 0:
                self.started = self.failed = False
        elif self.started:
            await self._change_role()
        elif self.wanted:
            self.kind = self.next_kind
            code = await self.act("start")
            self.started, self.failed = True, code != 0
            self.monitor_soon()
        else:
            self.failed = False
        self._cluster.publish()

    async def _change_role(self) -> None:
        """Promote or demote; what failed to be promoted may be, and is demoted."""
        if self._monitoring:
            self._monitoring.cancel()
        promote = self.wanted_promoted
        self.promoted = True
        self.failed = await self.act("promote" if promote else "demote") != 0
        self.promoted = promote or self.failed
        self.monitor_soon()

    def monitor_soon(self) -> None:
        """Run a recurring monitor as after a start."""
        if self._monitoring is None or self._monitoring.done():
            self._monitoring = asyncio.get_running_loop().create_task(self._monitor())

    async def _monitor(self) -> None:
        await asyncio.sleep(self._dice.uniform(*FIRST_MONITOR))
        expected = (8, 191) if self.promoted else (0, 190)
        if self.started and not self.failed and await self.act("monitor", INTERVAL) not in expected:
            self.fail()
        self._cluster.publish()

    async def act(self, what: str, interval: int = 0, *, by_hand: bool = False) -> int | None:
        """Call the agent, by hand outside the order of things; return its exit status, None where it was killed."""
        if by_hand:
            return await self._call(what, interval, by_hand=True)
        async with self._one_at_a_time:
            return await self._call(what, interval, by_hand=False)

    async def _call(self, what: str, interval: int, *, by_hand: bool) -> int | None:
        self._cluster.sync()
        probe = what == "monitor" and not interval
        action = self.book.begin(now(), "probe" if probe else what, by_hand=by_hand)
        call = Call([AGENT, what], environment(self, interval))
        self.running = call if not by_hand else self.running
        cancelled = None
        try:
            code, said = await asyncio.shield(call.done)
        except asyncio.CancelledError as error:
            call.kill()
            code, said = await call.done
            cancelled = error
        self._cluster.sync()
        self._cluster.note(f"{self.name} {action.what} -> {code} {said[-100:]}")
        result = None if code < 0 else code
        if what == "start" and result == 0:
            await self._hear_of_birth(action)
        if what == "stop" and result == 0:
            self._hear_of_stop()
        left = self._cluster.left(self.name) if what == "stop" and code == 0 else []
        self.book.end(now(), action, result, [str(one) for one in left])
        self.call += 1
        if result == 0 and what in ("start", "monitor") and not probe:
            self.history[what] = self.call
        if cancelled:
            raise cancelled
        return result

    async def _hear_of_birth(self, start: Action) -> None:
        """Give a service that was started on a busy machine the time for its first word."""
        deadline = now() + FIRST_WORD
        while not self._is_born_since(start.begun) and now() < deadline:
            await asyncio.sleep(0.01)
            self._cluster.sync()

    def _is_born_since(self, begun: float) -> bool:
        return self.book.living is not None or (self.book.latest is not None and self.book.latest.born >= begun)

    def _hear_of_stop(self) -> None:
        """Tell the book when the daemon heard of the stop, by its journal; the agent may have done without a daemon."""
        life = self.book.latest
        heard = stops_heard(self.name)
        after = [at for at in heard if life and life.stop_asked and at > life.stop_asked]
        if after:
            self.book.heard_stop(after[0])


class Cluster:
    """The node: its resources, and what crm_mon shows of it all."""

    def __init__(
        self, sync: Callable[[], None], note: Callable[[str], None], left: Callable[[str], list[Seen]]
    ) -> None:
        """`sync` hears all witnesses, `note` keeps an event, `left` finds the processes of a resource."""
        self.sync, self.note, self.left = sync, note, left
        self.resources: dict[str, Resource] = {}
        self.maintenance = False

    def injected(self, name: str) -> None:
        """Record what `crm_resource --fail` says, as Pacemaker does in whatever state the resource is."""
        resource = self.resources[name]
        resource.call += 1
        resource.injection = resource.call
        resource.fail()

    def maintain(self, on: bool) -> None:
        """Set the maintenance mode of the whole cluster."""
        self.maintenance = on
        for resource in self.resources.values():
            resource.wake()

    def publish(self) -> None:
        """Write what crm_mon prints."""
        resources, histories, failures = ("".join(part) for part in zip(*map(xml, self.resources.values())))
        mode = str(self.maintenance).lower()
        replace(
            STATUS,
            f'<pacemaker-result><summary><cluster_options maintenance-mode="{mode}"/></summary>'
            f'<nodes><node name="{NODE}" online="true" pending="false" type="member"/></nodes>'
            f"<resources>{resources}</resources>"
            f'<node_history><node name="{NODE}">{histories}</node></node_history>'
            f'<failures>{failures}</failures><status code="0"/></pacemaker-result>\n',
        )
