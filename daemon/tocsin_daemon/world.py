"""Everything outside that a resource needs, in one value: clock, disk, processes, Pacemaker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

    from tocsin_daemon.checks.notify_socket import Notify
    from tocsin_daemon.checks.outside import Ended
    from tocsin_daemon.children import Program
    from tocsin_daemon.core.judgement import Verdict
    from tocsin_daemon.core.record import Record
    from tocsin_daemon.driver import Driver
    from tocsin_daemon.incarnation import Incarnation
    from tocsin_daemon.reporter import ClusterTools
    from tocsin_daemon.watch import Watch
    from tocsin_ocf.processes import Process


class Records(Protocol):
    """Where records are kept."""

    def save(self, record: Record) -> None:
        """Replace the record of a resource; OSError where that fails."""


@dataclass(frozen=True)
class World:
    """The outside, as the composition root or a test hands it in."""

    clock: IReactorTime
    wall: Callable[[], float]
    boot: str
    store: Records
    driver: Callable[[str, str], Driver]
    """Return the driver of that name for a resource; CannotStart where there is none."""
    watch: Callable[[str, Incarnation, Callable[[Verdict], None]], Watch]
    """Return what checks the service of a resource, and whom it tells of a new verdict."""
    notify: Callable[[str, Callable[[], list[Process]]], Notify]
    """Return where the service of a resource may speak to us, given its processes, which alone are believed."""
    run: Callable[[Program], Deferred[Ended]]
    """Execute a command of a resource's, as `checks.outside.Outside.run` does."""
    cluster: ClusterTools
    changed: Callable[[], None]
    log_output: Callable[[str, str], None]
