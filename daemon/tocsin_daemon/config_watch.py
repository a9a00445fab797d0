"""
Looks whether the files that define services have changed, and has what can be applied live applied.

They are looked at by their size, inode and time, every second: editors replace files rather than write them,
configuration management swaps symbolic links, and a watch by the kernel loses both.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from tocsin_daemon.resource import Resource

log = Logger()

EVERY = 1.0
"""Seconds between two looks; a file that has changed is read when it was the same twice, so never half written."""
AT_ONCE = 5
"""Files read in one look: to read one takes some milliseconds, in which nothing else is done."""


class ConfigWatch:
    """The definition files of all resources."""

    def __init__(self, resources: Callable[[], Iterable[Resource]], reload: Callable[[str, str], None]) -> None:
        """Look for `resources`; `reload` takes a resource's name and its file, and does nothing where they agree."""
        self._resources = resources
        self._reload = reload
        self._seen: dict[tuple[str, str], tuple[int, ...]] = {}
        self._last: dict[tuple[str, str], tuple[int, ...]] = {}

    def look(self) -> None:
        """Reload what has changed since the last look, and what is looked at for the first time, some at a time."""
        records = [resource.record for resource in self._resources()]
        present = {(record.resource, record.config): signature(record.config) for record in records if record.config}
        still = [key for key in present if key not in self._seen or self._last.get(key) == present[key]]
        new = [key for key in still if present[key] != self._seen.get(key)][:AT_ONCE]
        self._last = present
        self._seen = {key: seen for key, seen in self._seen.items() if key in present}
        for key in new:
            self._seen[key] = present[key]
            try:
                self._reload(*key)
            except Exception:  # noqa: BLE001 - whatever is wrong with one, the others are looked at
                log.failure("{name}: {path} is not reloaded", name=key[0], path=key[1])

    def forget(self) -> None:
        """Reload every file at the next looks, changed or not, as SIGHUP asks."""
        self._seen.clear()


def signature(path: str) -> tuple[int, ...]:
    """Return what tells one state of a file from another; () where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
