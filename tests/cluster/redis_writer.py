"""
Runs inside a node: one connection to Redis, written to and read back without a pause, and never made again.

    redis_writer.py PORT        stdin: closed to end      stdout: "up", then JSON: writes, longest (ms), fault
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time


def command(*words: str) -> bytes:
    """Return a command in Redis's protocol."""
    return b"".join([b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words)])


def write(connection: socket.socket, number: int) -> str:
    """Write a number, read it back, and return what is wrong with it."""
    text = str(number)
    connection.sendall(command("SET", "chaos", text) + command("GET", "chaos"))
    wanted, got = f"+OK\r\n${len(text)}\r\n{text}\r\n".encode(), b""
    while len(got) < len(wanted):
        piece = connection.recv(4096)
        if not piece:
            return f"the connection was closed at write {number}"
        got += piece
    return "" if got == wanted else f"write {number} was answered {got!r}"


def main(port: int) -> None:
    """Write until stdin is closed, or something is wrong."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    number, longest, fault = 0, 0.0, ""
    print("up", flush=True)
    while not fault and not select.select([sys.stdin], [], [], 0)[0]:
        begin = time.monotonic()
        try:
            fault = write(connection, number)
        except OSError as error:
            fault = f"write {number}: {error}"
        longest, number = max(longest, time.monotonic() - begin), number + 1
        time.sleep(0.0005)  # two cores are enough for a client, a server and what is tested
    print(json.dumps({"writes": number, "longest": longest * 1000, "fault": fault}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
