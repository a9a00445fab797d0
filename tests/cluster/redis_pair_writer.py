"""
Runs beside the cluster as a client of a Redis pair: writes numbered keys to the promoted one, waiting for the copy.

    redis_pair_writer.py PORT ADDRESS ADDRESS   stdin: a line to be told how far it is, closed to end
        stdout: "up" after the first write, {"written": N, "replicated": N} for each line; in the end
                JSON: prefix, written, replicated (numbers), gaps [[begun, seconds]]

The key of a write is the prefix, which no other run has, and its number; the value is the number. A write counts as
replicated when OK came for SET and at least 1 for `WAIT 1`. A gap is the time from one write that was acknowledged to
the next one, where it is longer than GAP and what WAIT may take.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

from redis_writer import command

GAP = 0.1
PATIENCE = 100
"""Milliseconds that WAIT waits for the replica."""


def promoted(addresses: list[str], port: int) -> socket.socket | None:
    """Return a connection to who says that it is promoted, as a client with two addresses finds it."""
    for address in addresses:
        try:
            connection = socket.create_connection((address, port), timeout=0.5)
            connection.settimeout(3)
            connection.sendall(command("ROLE"))
            if b"$6\r\nmaster" in connection.recv(4096):
                return connection
            connection.close()
        except OSError:
            continue
    return None


def line(connection: socket.socket) -> bytes:
    """Return the next line of an answer; OSError where the connection ends."""
    got = b""
    while not got.endswith(b"\r\n"):
        piece = connection.recv(1)
        if not piece:
            raise ConnectionError("closed")
        got += piece
    return got


class Writer:
    """What was written, and what of it was copied."""

    def __init__(self, addresses: list[str], port: int) -> None:
        """Write nothing yet."""
        self._where = addresses, port
        self._connection: socket.socket | None = None
        self._number = 0
        self.prefix = f"{time.time_ns()}:"
        self._last = 0.0
        self.written: list[int] = []
        self.replicated: list[int] = []
        self.gaps: list[tuple[float, float]] = []

    def write(self) -> None:
        """Write the next number, once; one that was not acknowledged is never tried again."""
        self._number += 1
        try:
            self._connection = self._connection or promoted(*self._where)
            if self._connection is None:
                time.sleep(0.01)
                return
            self._connection.sendall(command("SET", f"{self.prefix}{self._number}", str(self._number)))
            if line(self._connection) != b"+OK\r\n":
                raise ConnectionError("not promoted any more")
            self._acknowledged(time.time())
            self._connection.sendall(command("WAIT", "1", str(PATIENCE)))
            if line(self._connection) == b":1\r\n":
                self.replicated.append(self._number)
        except OSError:
            if self._connection:
                self._connection.close()
            self._connection = None

    def _acknowledged(self, now: float) -> None:
        if self._last and now - self._last > GAP + PATIENCE / 1000:
            self.gaps.append((self._last, now - self._last))
        self._last = now
        self.written.append(self._number)


def main(port: int, addresses: list[str]) -> None:
    """Write until stdin is closed."""
    writer = Writer(addresses, port)
    while not writer.written:
        writer.write()
    print("up", flush=True)
    while True:
        if select.select([sys.stdin], [], [], 0.002)[0]:  # two cores are enough for a client and two servers
            if not sys.stdin.readline():
                break
            print(json.dumps({"written": len(writer.written), "replicated": len(writer.replicated)}), flush=True)
        writer.write()
    told = {"written": writer.written, "replicated": writer.replicated, "gaps": writer.gaps}
    print(json.dumps({"prefix": writer.prefix, **told}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
