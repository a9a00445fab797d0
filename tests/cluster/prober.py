"""
Runs inside a node as an independent witness: kills on command, and tells when the service answers and when not.

    prober.py PORT      stdin: "kill PID"      stdout: "killed|down|up SECONDS" with wall-clock seconds

It speaks Redis's PING on one open connection, so a death is seen at once, and a new connection every 2 ms after it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time

EVERY = 0.002


def say(word: str) -> None:
    """Tell the other end at once."""
    print(word, repr(time.time()), flush=True)


def connected(port: int) -> socket.socket | None:
    """Return a connection on which the service has answered, None where it does not."""
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=1)
        return connection if answers(connection) else None
    except OSError:
        return None


def answers(connection: socket.socket) -> bool:
    """Ask once."""
    try:
        connection.sendall(b"PING\r\n")
        return connection.recv(64) == b"+PONG\r\n"
    except OSError:
        return False


def obey() -> None:
    """Kill whom we are told to kill."""
    words = sys.stdin.readline().split()
    if not words:
        sys.exit()
    say("killed")
    os.kill(int(words[1]), signal.SIGKILL)


def main(port: int) -> None:
    """Watch until stdin is closed."""
    connection = None
    while True:
        if select.select([sys.stdin], [], [], EVERY)[0]:
            obey()
        if connection is None:
            connection = connected(port)
            if connection:
                say("up")
        elif not answers(connection):
            connection.close()
            connection = None
            say("down")


if __name__ == "__main__":
    main(int(sys.argv[1]))
