"""The hooks of a daemon: read from their file, again when it is told to, and given what happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_daemon.core.edges import Edge
from tocsin_daemon.core.happening import Happening, happenings
from tocsin_daemon.core.record import Record
from tocsin_daemon.hooks import configuration
from tocsin_daemon.hooks.configuration import Hook
from tocsin_daemon.hooks.courier import Count, Courier, Deliver
from tocsin_ocf.pacemaker import Command, Reply

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

log = Logger()

FILE = "/etc/tocsin/hooks.conf"


class Hooks:
    """All hooks, and the queue of each."""

    def __init__(
        self, path: str, clock: IReactorTime, wall: Callable[[], float], way: Callable[[Hook], Deliver], count: Count
    ) -> None:
        """Have none yet; `way` returns how events get to a hook."""
        self._path = path
        self._clock = clock
        self._wall = wall
        self._way = way
        self._count = count
        self._couriers: list[tuple[Hook, Courier]] = []

    def read(self) -> None:
        """Have the hooks that the file says; a faulty one changes nothing. One that stays keeps its queue."""
        hooks, faults = configuration.read(self._path)
        for fault in faults:
            log.error("{fault}", fault=fault)
        if faults:
            return
        before, self._couriers = self._couriers, []
        for hook in hooks:
            kept = next((pair for pair in before if pair[0] == hook), None)
            if kept:
                before.remove(kept)
            self._couriers.append(kept or (hook, self._courier(hook)))
        for _, courier in before:
            courier.end()
        if hooks or before:
            log.info("hooks: {names}", names=", ".join(hook.name for hook in hooks) or "none")

    def _courier(self, hook: Hook) -> Courier:
        return Courier(hook.name, self._clock, self._way(hook), self._count)

    def follow(self, happened: tuple[Edge, ...], before: Record, after: Record) -> None:
        """Tell the hooks what has happened to a resource."""
        if not self._couriers:
            return
        for what, event in happenings(happened, after, self._wall()):
            self._tell(what, (json.dumps(event) + "\n").encode())

    def _tell(self, what: Happening, event: bytes) -> None:
        for hook, courier in self._couriers:
            if what in hook.events:
                courier.take(event)


def run(execute: Callable[[Command], Deferred[Reply]], hook: Hook, event: bytes) -> Deferred[str]:
    """Run a hook's command with the event on its standard input; "" when it has succeeded, else why not."""
    return execute(Command(hook.command, hook.timeout, event.decode())).addCallback(_judge)


def _judge(reply: Reply) -> str:
    return "" if reply.code == 0 else reply.why
