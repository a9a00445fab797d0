"""
An HTTP/1 reply, read no further than a check needs it: bytes in, values out, no I/O.

Whatever a server sends costs at most `MAX_HEAD` and `MAX_BODY` bytes of memory, and a reply that is none is found out
by its first bytes. Nothing is decompressed: a bomb stays as small as it came.
"""

from __future__ import annotations

import re

MAX_HEAD = 64 * 1024
"""Bytes of status line and headers, interim replies (1xx) included; nginx and Apache send a few KiB at most."""
MAX_BODY = 64 * 1024
"""Bytes of a body that a pattern is searched in."""
MAX_FRAMING = 64 * 1024
"""Bytes that chunks may spend on their sizes and extensions, which are no body."""
MAX_CHUNK_LINE = 1024
SHOWN = 40

START = b"HTTP/1."
STATUS_LINE = re.compile(rb"HTTP/1\.\d ([1-5]\d\d)(?: [^\0]*)?")
HEADER = re.compile(rb"([!-9;-~]+):[ \t]*([^\0]*)")
"""Name and value; a name is printable ASCII without a colon (RFC 9112)."""
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?")
SWITCHING = 101


class Garbage(Exception):
    """What came is no reply of HTTP/1, or not a whole one: what is wrong, in words."""


class Reply:
    """
    One reply; `complete` when all that is wanted is there: the head, and with `body` the body or its beginning.

    `bodiless`: the request was HEAD, so whatever the head says, nothing follows.
    """

    def __init__(self, *, body: bool, bodiless: bool = False) -> None:
        """Expect a status line."""
        self.status = 0
        self.body = bytearray()
        self.encoding = ""
        self.complete = False
        self._wanted = body
        self._bodiless = bodiless
        self._buffer = bytearray()
        self._spent = 0
        self._scanned = 0
        self._left: int | None = None
        self._step = self._head

    def feed(self, data: bytes) -> bool:
        """Read on; tell whether the reply is complete. Garbage where it never will be."""
        if not self.complete:
            self._buffer += data
        while not self.complete and self._step():
            pass
        return self.complete

    def end(self) -> None:
        """Hear that nothing more comes; Garbage where something is missing."""
        if self.complete:
            return
        if self._step == self._to_the_end:
            self._finish()
        elif not self.status and not self._buffer and not self._spent:
            raise Garbage("closed the connection without a reply")
        elif self._step == self._head:
            raise Garbage("closed the connection in the middle of its headers")
        else:
            raise Garbage(f"closed the connection after {len(self.body)} bytes of its body, before the end of it")

    def _head(self) -> bool:
        """Read status line and headers, once they are there; again after an interim reply."""
        if not START.startswith(self._buffer[: len(START)]):
            raise Garbage(f"no HTTP: it begins with {_shown(self._buffer)}")
        end = re.compile(rb"\r?\n\r?\n").search(self._buffer, self._scanned)
        length = end.end() if end else len(self._buffer)
        if self._spent + length > MAX_HEAD:
            raise Garbage(f"more than {MAX_HEAD // 1024} KiB of headers")
        self._scanned = max(0, len(self._buffer) - 3)
        if not end:
            return False
        lines = bytes(self._buffer[: end.start()]).replace(b"\r\n", b"\n").split(b"\n")
        del self._buffer[:length]
        self._spent, self._scanned = self._spent + length, 0
        self._take(lines)
        return True

    def _take(self, lines: list[bytes]) -> None:
        """Take what a head says."""
        found = STATUS_LINE.fullmatch(lines[0])
        if not found:
            raise Garbage(f"no status of HTTP: {_shown(lines[0])}")
        status, headers = int(found[1]), _headers(lines[1:])
        if status < 200 and status != SWITCHING:
            return
        self.status = status
        self.encoding = headers.get(b"content-encoding", b"").decode("latin-1").lower()
        coding = headers.get(b"transfer-encoding", b"").lower()
        self._left = _length(headers.get(b"content-length"))
        if not self._wanted or self._bodiless or status in (SWITCHING, 204, 304):
            self._finish()
        elif coding.endswith(b"chunked"):
            self._spent, self._step = 0, self._chunk_size
        else:
            self._step = self._to_the_end if coding or self._left is None else self._counted

    def _counted(self) -> bool:
        """Read a body whose length is known."""
        assert self._left is not None
        self._left -= self._swallow(self._left)
        if self._left == 0:
            self._finish()
        return False

    def _to_the_end(self) -> bool:
        """Read a body that ends with the connection."""
        self._swallow(len(self._buffer))
        return False

    def _chunk_size(self) -> bool:
        """Read the line before a chunk."""
        line, newline, _ = self._buffer[: MAX_CHUNK_LINE + 2].partition(b"\n")
        if not newline and len(self._buffer) <= MAX_CHUNK_LINE:
            return False
        found = CHUNK_SIZE.fullmatch(bytes(line.rstrip(b"\r")))
        self._spent += len(line) + 1
        if not newline or not found:
            raise Garbage(f"no size of a chunk: {_shown(line.rstrip())}")
        if self._spent > MAX_FRAMING:
            raise Garbage(f"more than {MAX_FRAMING // 1024} KiB of chunk sizes")
        del self._buffer[: len(line) + 1]
        self._left, self._step = int(found[1], 16), self._chunk
        if self._left == 0:
            self._finish()
        return True

    def _chunk(self) -> bool:
        """Read a chunk, and the line break behind it."""
        assert self._left is not None
        self._left -= self._swallow(self._left)
        if self.complete or self._left or len(self._buffer) < 2:
            return False
        if self._buffer[:2] != b"\r\n":
            raise Garbage("a chunk that is longer than its size")
        del self._buffer[:2]
        self._spent += 2
        self._step = self._chunk_size
        return True

    def _swallow(self, most: int) -> int:
        """Move at most so many bytes to the body, and finish where it is as long as anybody looks; return how many."""
        count = min(most, len(self._buffer), MAX_BODY - len(self.body))
        self.body += self._buffer[:count]
        del self._buffer[:count]
        if len(self.body) == MAX_BODY:
            self._finish()
        return count

    def _finish(self) -> None:
        self.complete = True
        self._buffer.clear()


def _headers(lines: list[bytes]) -> dict[bytes, bytes]:
    """Return the headers by their names in lower case; of equal ones the last, but Content-Length must agree."""
    found: dict[bytes, bytes] = {}
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            continue  # the folded rest of a header: of none that counts here
        header = HEADER.fullmatch(line)
        if not header:
            raise Garbage(f"no header: {_shown(line.partition(b':')[0])}")  # its value may be a secret
        name, value = header[1].lower(), header[2].strip()
        if name == b"content-length" and found.get(name, value) != value:
            raise Garbage("two lengths of its body that differ")
        found[name] = value
    return found


def _length(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not value.isdigit() or len(value) > 18:
        raise Garbage(f"no length of a body: {_shown(value)}")
    return int(value)


def _shown(data: bytes | bytearray) -> str:
    """Return the beginning of what came, printable and in quotes."""
    text = bytes(data[:SHOWN]).decode("ascii", "replace")
    return '"' + "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text) + '"'
