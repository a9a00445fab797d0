"""
Records on their way to the disk, and whoever follows them: metrics, hooks, and the log of transitions.

A record passes here with each line of its journal. Followers only look: they come after the disk, must not take time,
and one that fails is logged and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_daemon.core.edges import Edge, edges
from tocsin_daemon.core.record import Record

if TYPE_CHECKING:
    from tocsin_daemon.world import Records

log = Logger()

Follow = Callable[["tuple[Edge, ...]", Record, Record], None]
"""Is told what has happened, and the record before and after."""


class Chronicle:
    """Keeps records in a store, and tells its followers what has changed."""

    def __init__(self, store: Records, known: Callable[[str], Record]) -> None:
        """Keep them in `store`; `known` returns what a former daemon left of a resource, if only an empty record."""
        self.followers: list[Follow] = []
        self._store = store
        self._known = known
        self._last: dict[str, Record] = {}

    def save(self, record: Record) -> None:
        """Replace the record of a resource; OSError where the disk refuses, and followers are told all the same."""
        before = self._last.get(record.resource) or self._known(record.resource)
        self._last[record.resource] = record
        try:
            self._store.save(record)
        finally:
            happened = edges(before, record)
            for follow in self.followers if happened else ():
                self._tell(follow, happened, before, record)

    def _tell(self, follow: Follow, happened: tuple[Edge, ...], before: Record, after: Record) -> None:
        try:
            follow(happened, before, after)
        except Exception:  # noqa: BLE001 - nobody who only looks may keep a failure from being reported
            log.failure("{resource}: what happened was not followed", resource=after.resource)
