"""
What a service writes to stdout and stderr, kept in a file that outlives the daemon.

A pipe would break a service whose daemon dies, or block it. A file does neither, but grows; so whatever has
been read is given back to the file system by punching a hole into it. That also marks the place: the next
reader, of this daemon or of its successor, begins where the data begin.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque

PUNCH_HOLE = 0x03
"""fallocate(2): FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE."""
READ_AT_ONCE = 256 * 1024
"""Bytes taken in one go, so that a flood from one service does not stop the watch over the others."""
LONGEST_BACKLOG = 16 * 1024 * 1024
"""Bytes that may wait in the file; beyond that the oldest are given up, and the log says so."""
LINE = 1000
TAIL = 20

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


class Output:
    """The captured output of one resource's service."""

    def __init__(self, path: str) -> None:
        """Use the file at `path`; nothing is opened before it is needed."""
        self._path = path
        self._position = 0
        self._partial = b""
        self.tail: deque[str] = deque(maxlen=TAIL)
        self.behind = False
        """Whether there is more than was read last: a flood, which should not have to wait for its turn."""

    def fresh(self, owner: int = -1) -> int:
        """
        Return a descriptor for a new service to write to; an older one keeps its own, unlinked, file.

        The file belongs to `owner`, so that the service may open /dev/stdout anew, as nginx's configurations do.
        """
        self._position, self._partial = 0, b""
        self.tail.clear()
        if os.path.lexists(self._path):
            os.unlink(self._path)
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.fchown(fd, owner, -1)
        return fd

    def rest(self) -> list[str]:
        """
        Return what was not read yet, now that the service has ended; of a flood only the end, where the cause stands.

        The last line counts also without its newline.
        """
        try:
            self._position = max(self._position, os.stat(self._path).st_size - READ_AT_ONCE)
        except FileNotFoundError:
            return []
        lines = self.drain()
        if self._partial:
            lines.append(printable(self._partial))
            self.tail.append(lines[-1])
            self._partial = b""
        return lines

    def drain(self) -> list[str]:
        """Return the lines that were written since, at most `READ_AT_ONCE` bytes of them."""
        self.behind = False
        try:
            if os.lstat(self._path).st_size == self._position:  # as a rule
                return []
            fd = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return []
        try:
            return self._lines(self._read(fd))
        finally:
            os.close(fd)

    def _read(self, fd: int) -> bytes:
        size = os.fstat(fd).st_size
        if size < self._position:  # a shell's `> /dev/stderr` empties it
            self._position = 0
        if size == self._position:
            return b""
        try:
            self._position = os.lseek(fd, self._position, os.SEEK_DATA)
        except OSError:  # ENXIO: nothing but a hole up to the end
            return b""
        lost = size - self._position - LONGEST_BACKLOG
        if lost > 0:
            self._position += lost
        data = os.pread(fd, READ_AT_ONCE, self._position)
        self._position += len(data)
        self.behind = self._position < size
        _libc.fallocate(fd, PUNCH_HOLE, 0, self._position)
        # A hole begins and ends with a page; the rest of the last one reads as zeros.
        data = data.lstrip(b"\0")
        return b"[tocsin: %d bytes of output skipped]\n%s" % (lost, data) if lost > 0 else data

    def _lines(self, data: bytes) -> list[str]:
        *whole, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > LINE:
            whole.append(self._partial)
            self._partial = b""
        lines = [printable(line) for line in whole]
        self.tail.extend(lines)
        return lines

    def last(self) -> tuple[str, ...]:
        """Return the last lines, an unfinished one included: what a dying service says often lacks its newline."""
        unfinished = [printable(self._partial)] if self._partial else []
        return tuple([*self.tail, *unfinished][-TAIL:])


def printable(line: bytes) -> str:
    """Return a line without what a terminal would obey: root reads it in `tocsin explain` and the log."""
    return "".join(c if c.isprintable() else "?" for c in line[:LINE].decode(errors="replace").expandtabs())
