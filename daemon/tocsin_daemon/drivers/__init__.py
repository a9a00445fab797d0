"""
Drivers: what runs a service. Ours by name, those of others through the entry points of `tocsin.drivers`.

A factory takes the name of the resource and the daemon's `Means`, and returns a `tocsin_daemon.driver.Driver`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any, cast

from tocsin_daemon.driver import ENTRY_POINTS, CannotStart, Driver
from tocsin_ocf.definition import PIDFILE, PROCESS, SYSTEMD
from tocsin_ocf.exit_codes import OCF_ERR_INSTALLED

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor

    from tocsin_daemon.cgroup import Cgroups
    from tocsin_daemon.children import Children
    from tocsin_daemon.table import ProcessTable


@dataclass(frozen=True)
class Means:
    """
    What a driver may use; all drivers of one daemon get the same.

    So whatever they share can hang on it: a driver of a remote API keeps one poller per `Means` for all its resources.
    """

    reactor: EPollReactor
    children: Children
    table: ProcessTable
    output: str
    """Directory in which the output of each resource's service is kept, in a file of its name."""
    cgroups: Cgroups | None = None
    """None: services run without."""
    bus: Callable[[], Any] | None = None
    """Returns the connection to the system's D-Bus, one for all."""


OURS = {
    PROCESS: "tocsin_daemon.drivers.process:ProcessDriver",
    PIDFILE: "tocsin_daemon.drivers.pidfile:PidfileDriver",
    SYSTEMD: "tocsin_daemon.drivers.systemd:SystemdDriver",
}
"""Loaded when they are needed: the D-Bus library is not, on a node without systemd."""


def driver_for(resource: str, name: str, means: Means) -> Driver:
    """Return the driver of this name for a resource; CannotStart where there is none, or it cannot be had."""
    known = entry_points()
    if name not in known:
        names = ", ".join(sorted(known))
        raise CannotStart(OCF_ERR_INSTALLED, f"driver: no driver {name} is installed on this node; known are {names}")
    try:
        return cast("Driver", known[name].load()(resource, means))
    except Exception as error:
        raise CannotStart(OCF_ERR_INSTALLED, f"driver: {name} cannot be used: {error!r:.200}") from error


def entry_points() -> dict[str, EntryPoint]:
    """Return every driver that can be named: those of others, and ours, whose names nobody takes."""
    theirs = {point.name: point for point in _installed()}
    return {**theirs, **{name: EntryPoint(name, place, ENTRY_POINTS) for name, place in OURS.items()}}


def _installed() -> Iterable[EntryPoint]:
    found: Any = metadata.entry_points()  # a mapping of lists in Python 3.9
    if hasattr(found, "select"):
        return cast("Iterable[EntryPoint]", found.select(group=ENTRY_POINTS))
    return cast("Iterable[EntryPoint]", found.get(ENTRY_POINTS, ()))
