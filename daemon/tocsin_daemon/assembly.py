"""The world of a real daemon, put together: processes, D-Bus, checks, disk and Pacemaker's tools."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_daemon import drivers, looks
from tocsin_daemon.cgroup import Cgroups
from tocsin_daemon.checks.notify_socket import Notify, socket_path
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.commands import Commands
from tocsin_daemon.names import ForReactor, Names
from tocsin_daemon.reporter import ClusterTools
from tocsin_daemon.table import ProcessTable
from tocsin_daemon.watch import Watch
from tocsin_daemon.world import World
from tocsin_ocf.processes import boot_id

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor

    from tocsin_daemon.bus.bus import Bus
    from tocsin_daemon.children import Children
    from tocsin_daemon.core.judgement import Verdict
    from tocsin_daemon.daemon import Daemon
    from tocsin_daemon.incarnation import Incarnation
    from tocsin_daemon.store import Store
    from tocsin_ocf.processes import Process

log = Logger()

LATELY = 1.0
"""Seconds that the process table may be old for a check that counts: a second reading of it costs as much again."""


def world_of(
    reactor: EPollReactor, store: Store, port: int, children: Children, cluster: ClusterTools, looking: looks.Means
) -> Callable[[Daemon], World]:
    """Return what builds the world of a daemon out of the real things."""
    table = ProcessTable(reactor)
    bus = cache(partial(system_bus, reactor))
    means = drivers.Means(reactor, children, table, store.rundir.output, Cgroups(port), bus)
    commands = Commands(reactor, children, table)
    names = Names(reactor)
    reactor.installNameResolver(ForReactor(names))  # nothing may ask the C library, in threads

    def notify(name: str, members: Callable[[], list[Process]]) -> Notify:
        return Notify(reactor, socket_path(os.path.dirname(store.rundir.path), port, name), members)

    def watch(name: str, service: Incarnation, told: Callable[[Verdict], None]) -> Watch:
        outside = Outside(
            reactor,
            name,
            commands.run,
            service.members,
            bus,
            lambda: service.speech.notify,
            looking.pulse.lost,
            names.addresses,
            service.waited,
            lambda: service.members(LATELY),
        )
        return Watch(outside, looking, told, service.note)

    def build(daemon: Daemon) -> World:
        return World(
            clock=reactor,
            wall=time.time,
            boot=boot_id(),
            store=store,
            driver=lambda name, kind: drivers.driver_for(name, kind, means),
            watch=watch,
            notify=notify,
            run=commands.run,
            cluster=cluster,
            changed=daemon.changed,
            log_output=lambda name, line: log.info("{resource} | {line}", resource=name, line=line),
        )

    return build


def system_bus(reactor: EPollReactor) -> Bus:
    """Return the one connection to the system's D-Bus, made when something first needs it."""
    from tocsin_daemon.bus.bus import Bus  # noqa: PLC0415 - its library is not needed on most nodes
    from tocsin_daemon.bus.message import addresses  # noqa: PLC0415

    return Bus(reactor, list(addresses(os.environ, root=os.geteuid() == 0)))
