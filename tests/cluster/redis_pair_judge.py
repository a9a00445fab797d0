"""
Runs beside the cluster: asks both Redis servers a hundred times a second which of them takes itself for promoted.

    redis_pair_judge.py PORT ADDRESS ADDRESS    stdin: closed to end
        stdout: "up", then JSON: rounds, longest (s between two rounds), none (s, longest without a promoted one),
                both (times at which two were promoted), changes [[time, address or ""]]
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

EVERY = 0.01


class Server:
    """One of the two, asked on a connection that is made again when it is lost."""

    def __init__(self, address: str, port: int) -> None:
        """Connect when asked."""
        self.address = address
        self._port = port
        self._connection: socket.socket | None = None

    def is_promoted(self) -> bool:
        """Ask; who does not answer takes no write either."""
        try:
            if self._connection is None:
                self._connection = socket.create_connection((self.address, self._port), timeout=0.5)
                self._connection.settimeout(2)
            self._connection.sendall(b"ROLE\r\n")
            return b"$6\r\nmaster" in self._connection.recv(4096)
        except OSError:
            self._connection = None
            return False


def is_double(one: Server, other: Server) -> bool:
    """Tell whether both are promoted at one instant: one was before the other said so, and is still."""
    return one.is_promoted() and other.is_promoted() and one.is_promoted()


def main(port: int, addresses: list[str]) -> None:
    """Judge until stdin is closed."""
    one, other = (Server(address, port) for address in addresses)
    rounds, longest, none, both = 0, 0.0, 0.0, []
    changes: list[tuple[float, str]] = []
    before = last = time.time()
    print("up", flush=True)
    while not select.select([sys.stdin], [], [], EVERY)[0]:
        promoted = [server.address for server in (one, other) if server.is_promoted()]
        now = time.time()
        if len(promoted) > 1 and is_double(one, other):
            both.append(now)
        if promoted:
            last = now
        rounds, longest, none, before = rounds + 1, max(longest, now - before), max(none, now - last), now
        if not changes or changes[-1][1] != (promoted or [""])[0]:
            changes.append((now, (promoted or [""])[0]))
    print(json.dumps({"rounds": rounds, "longest": longest, "none": none, "both": both, "changes": changes}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
