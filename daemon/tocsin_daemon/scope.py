"""
Where systemd runs, each service gets a scope of its own: tocsin-PORT-RESOURCE.scope, beside the daemon's unit.

It gives the service a status, accounts and limits of its own, and at shutdown an end after Pacemaker's: until then
nobody but Pacemaker stops it. The service is moved while it runs, so no start waits for systemd, and one that cannot be
moved stays in the cgroup that it has (tocsin_daemon.cgroup), which harms nobody. Children forked before the move are
found and moved after it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from tocsin_ocf.pacemaker import Command, Reply
from tocsin_ocf.processes import Process
from tocsin_ocf.unit import BOOTED

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from tocsin_daemon.core.record import Main

log = Logger()

PAUSES = (0.05, 0.2, 1.0, 5.0, 20.0)
"""Seconds before each further look: at what was moved, or for systemd to have forgotten a scope of this name."""
TIMEOUT = 30.0
MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
PACEMAKER = ("pacemaker.service", "pacemaker_remote.service")
BUSCTL = "/usr/bin/busctl"
PLAIN = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.")
"""What systemd takes in the name of a unit as it is; a resource id with anything else goes without a scope."""
INFINITE = 2**64 - 1


class Enclosed(Protocol):
    """A service that gets a scope."""

    resource: str

    @property
    def main(self) -> Main | None:
        """Return its main process."""

    def members(self, *, thorough: bool) -> list[Process]:
        """Return its living processes."""


class Scopes:
    """The scopes of one daemon's services."""

    def __init__(
        self,
        port: int,
        clock: IReactorTime,
        run: Callable[[Command], Deferred[Reply]],
        *,
        proc: str = "/proc",
        booted: str = BOOTED,
    ) -> None:
        """Ask systemd, where it is pid 1, with the commands that `run` runs."""
        self._port = port
        self._clock = clock
        self._run = run
        self._proc = proc
        self._there = os.path.isdir(booted)
        self._seen: dict[str, tuple[int, int]] = {}

    def look_after(self, service: Enclosed) -> None:
        """Begin to move a service that was not seen before; called again and again, it costs nothing."""
        main = service.main and (service.main.pid, service.main.start)
        if not self._there or not main or self._seen.get(service.resource) == main or not has_scope(service.resource):
            return
        self._seen[service.resource] = main
        self._look(service, 0)

    def _look(self, service: Enclosed, looks: int, said: str = "") -> None:
        """Look who is where; move who is outside, as often as there is patience for."""
        name = f"tocsin-{self._port}-{service.resource}.scope"
        pids = [process.pid for process in service.members(thorough=False)]
        outside = [pid for pid in pids if self._is_outside(pid, name)]
        if not outside:
            return
        if looks == len(PAUSES):
            log.warn("not in {name}: {pids}: {why}", name=name, pids=outside, why=said or "they do not stay there")
            return
        command = attach(name, outside) if len(outside) < len(pids) else start(name, outside)
        self._run(command).addCallback(self._again, service, looks).addErrback(lambda why: log.failure("scope", why))

    def _again(self, reply: Reply, service: Enclosed, looks: int) -> None:
        self._clock.callLater(PAUSES[looks], self._look, service, looks + 1, "" if reply.code == 0 else reply.why)

    def _is_outside(self, pid: int, name: str) -> bool:
        """Tell whether a process is in no cgroup of this name; one that has ended is not."""
        try:
            with open(f"{self._proc}/{pid}/cgroup", encoding="utf-8", errors="surrogateescape") as file:
                return all(name not in line.rstrip("\n").split("/") for line in file)
        except OSError:
            return False


def has_scope(resource: str) -> bool:
    """Tell whether a resource's id can be in the name of a unit as it is; systemd would escape the others."""
    return not set(resource) - PLAIN


def start(name: str, pids: Sequence[int], more: Sequence[tuple[object, ...]] = ()) -> Command:
    """Make a scope of these processes, with `more` properties: org.freedesktop.systemd1(5), systemd.scope(5)."""
    properties: tuple[tuple[object, ...], ...] = (
        ("Description", "s", "a service of Pacemaker's, watched by Tocsin"),
        ("PIDs", "au", len(pids), *pids),
        ("Slice", "s", "system.slice"),  # where tocsin_ocf.cgroup looks for it
        ("Before", "as", len(PACEMAKER), *PACEMAKER),  # so it is stopped after them
        ("Delegate", "b", "true"),  # the service may divide it, and one process killed for memory ends no others
        ("TasksMax", "t", INFINITE),  # as for Pacemaker's own unit: systemd's default is too little for a big database
        ("CollectMode", "s", "inactive-or-failed"),  # the name is free again as soon as nothing is left
        *more,
    )
    words = [str(word) for each in properties for word in each]
    return _call("StartTransientUnit", "ssa(sv)a(sa(sv))", name, "fail", str(len(properties)), *words, "0")


def attach(name: str, pids: Sequence[int]) -> Command:
    """Move further processes into a scope."""
    return _call("AttachProcessesToUnit", "ssau", name, "", str(len(pids)), *map(str, pids))


def _call(method: str, *words: str) -> Command:
    return Command((BUSCTL, "--system", "--quiet", "call", *MANAGER, method, *words), TIMEOUT)
