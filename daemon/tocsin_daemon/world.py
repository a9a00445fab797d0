"""Everything outside that a resource needs, in one value: clock, disk, processes, Pacemaker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from tocsin_daemon.core.record import Record
    from tocsin_daemon.reporter import ClusterTools
    from tocsin_daemon.service import Service


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
    service: Callable[[str], Service]
    cluster: ClusterTools
    changed: Callable[[], None]
    log_output: Callable[[str, str], None]
