"""
The check `file`: that a file is there or is not, how old it is, and what its first 64 KiB say.

Nothing is waited for: a pipe or a device is not opened, for that alone may block, or arm a watchdog. A file system that
hangs (a dead NFS server) cannot be guarded against without threads, and stops the daemon with it: such a file is
checked by `exec`, whose process can hang alone.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

from tocsin_daemon.core.check import Outcome, Result
from tocsin_ocf import values

if TYPE_CHECKING:
    from tocsin_daemon.checks.outside import Outside
    from tocsin_daemon.core.check import Spec

MOST_READ = 64 * 1024
NOT_THERE = (FileNotFoundError, NotADirectoryError)


class File:
    """One check of the kind."""

    def __init__(self, spec: Spec, outside: Outside, wall: Callable[[], float] = time.time) -> None:
        """Look at a path; tell the age of its file by the wall clock, as the file system does."""
        options = spec.options
        self._path = values.path(spec.target)
        self._wanted: bool = options.get("exists", True)
        self._max_age = values.seconds(options["max_age"]) if "max_age" in options else None
        self._pattern = re.compile(options["contains"]) if "contains" in options else None
        self._wall = wall

    def run(self) -> Deferred[Outcome]:
        """Look once, at once."""
        try:
            return succeed(self._look())
        except OSError as error:
            return succeed(Outcome(Result.ERROR, f"{self._path}: {(error.strerror or str(error)).lower()}"))

    def _look(self) -> Outcome:
        try:
            found = os.stat(self._path)
        except NOT_THERE:
            return self._absent()
        if not self._wanted:
            return Outcome(Result.BAD, f"{self._path} is there")
        age = self._wall() - found.st_mtime
        if self._max_age is not None and age > self._max_age:
            return Outcome(Result.BAD, f"{self._path} is {age:.0f} s old, more than {self._max_age:g} s")
        return self._searched(found) if self._pattern else Outcome(Result.WELL, f"{self._path} is there")

    def _absent(self) -> Outcome:
        return Outcome(Result.BAD if self._wanted else Result.WELL, f"{self._path} is not there")

    def _searched(self, found: os.stat_result) -> Outcome:
        assert self._pattern
        if not stat.S_ISREG(found.st_mode):
            return Outcome(Result.BAD, f"{self._path} is not a regular file")
        try:
            text = _beginning(self._path).decode("utf-8", "replace")
        except NOT_THERE:  # it was, a moment ago
            return self._absent()
        if self._pattern.search(text):
            return Outcome(Result.WELL, f"{self._path} matches")
        return Outcome(Result.BAD, f"{self._path} does not match {self._pattern.pattern!r}")


def _beginning(path: str) -> bytes:
    """Return the first bytes of a file; should it have become a pipe meanwhile, none."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        with suppress(BlockingIOError):
            return os.read(fd, MOST_READ)
        return b""
    finally:
        os.close(fd)
