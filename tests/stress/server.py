"""
The service under stress: answers HTTP on one loopback port, and fails as it is told.

    server.py PORT FLAG

SIGUSR1: it says 503 to whoever asks, and refuses others, until SIGUSR2. While it is broken the file FLAG is there.
"""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
BROKEN = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbad\n"
REQUEST_BYTES = 4096


class Server:
    """Answers one connection after the other; that is fast enough for checks."""

    def __init__(self, port: int, flag: Path) -> None:
        """Listen."""
        self.flag = flag
        self.port = port
        self.set_broken(False)

    def set_broken(self, broken: bool) -> None:
        """Break, or mend."""
        if broken:
            self.flag.touch()
        else:
            self.flag.unlink(missing_ok=True)

    def serve(self) -> None:
        """Answer for ever."""
        listening = socket.create_server(("127.0.0.1", self.port), backlog=64)
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(5)
                try:
                    if connection.recv(REQUEST_BYTES):
                        connection.sendall(BROKEN if self.flag.exists() else WELL)
                except OSError:
                    continue


def main() -> None:
    """Serve."""
    server = Server(int(sys.argv[1]), Path(sys.argv[2]))
    signal.signal(signal.SIGUSR1, lambda *_: server.set_broken(True))
    signal.signal(signal.SIGUSR2, lambda *_: server.set_broken(False))
    server.serve()


if __name__ == "__main__":
    main()
