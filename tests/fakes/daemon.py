"""A stand-in for the daemon's end of the wire: listens for real, answers as it is told, keeps what it was asked."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

from tocsin_ocf.rundir import Rundir
from tocsin_ocf.wire import parse_request, reply_line

TOKEN, PROOF = "t" * 32, "p" * 32
INCARNATION = f"i{os.getpid()}"
"""Whose mark is on the services of these tests; no other's that run beside them, for it is looked for everywhere."""
Answer = Callable[[str], Optional[bytes]]
"""From a verb to the line that is sent back; b"" closes without a reply, None says nothing at all."""


def says(code: int, text: str = "", proof: str = PROOF) -> Answer:
    """Answer whatever is asked like this."""
    return lambda verb: reply_line(proof, code, text)


MakeDaemon = Callable[..., "FakeDaemon"]
"""What the fixture `daemon` is: from an answer to a daemon that listens until the test ends."""


class FakeDaemon:
    """Listens on a free port from its making to `close`, with its secrets where the agent looks for them."""

    def __init__(self, state_dir: Path, answer: Answer, *, pid: int | None = None) -> None:
        """Listen; with `pid` as somebody on the port of a dead daemon, whose pid that is: nobody holds the lock."""
        self.answer = answer
        self.heard: list[str] = []
        """The verbs of all requests; `asked` is without those that only look whether somebody is there."""
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self._held: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.rundir = Rundir(str(state_dir), self.port)
        os.makedirs(self.rundir.resources, 0o700)
        os.chmod(self.rundir.path, 0o700)
        write(self.rundir.secret, f"{TOKEN}\n{PROOF}\n")
        write(self.rundir.lock, f"{pid or 0}\n")  # never this process's own: an agent may kill a daemon that is mute
        self._lock = os.open(self.rundir.lock, os.O_RDONLY)
        if pid is None:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            reply = self._reply(connection)
            if reply is None:
                self._held.append(connection)
                continue
            with connection:
                connection.sendall(reply)

    def _reply(self, connection: socket.socket) -> bytes | None:
        line = connection.makefile("rb").readline().rstrip(b"\n")
        request = parse_request(line)
        assert request.token == TOKEN
        self.heard.append(request.verb)
        if request.verb != "PING":  # whether it is there at all is asked before whatever takes its time
            self.asked.append((request.verb, request.resource, json.loads(request.body or "{}")))
        return self.answer(request.verb)

    def close(self) -> None:
        """Listen no more; what was left without an answer is closed."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        os.close(self._lock)
        self._thread.join()
        for connection in self._held:
            connection.close()


def write(path: str, text: str) -> None:
    """Write a file that only its owner may read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def record(phase: str, *, pid: int = 0, start: int = 0, boot: str = "", incarnation: str = INCARNATION) -> str:
    """Return what the daemon keeps of a resource, as far as the agent may rely on it."""
    process = {"pid": pid, "start": start, "boot": boot} if pid else None
    fields = {"version": 1, "phase": phase, "incarnation": incarnation, "process": process, "members": {}}
    return json.dumps(fields)


FROZEN = """
import fcntl, os, socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
os.umask(0o077)
port = listener.getsockname()[1]
os.makedirs(f"{sys.argv[1]}/{port}/resources")
for name, text in (("lock", f"{os.getpid()}\\n"), ("secret", "t" * 32 + " " + "p" * 32)):
    with open(f"{sys.argv[1]}/{port}/{name}", "w") as file:
        file.write(text)
held = open(f"{sys.argv[1]}/{port}/lock")
fcntl.flock(held, fcntl.LOCK_EX)
print(port, flush=True)
time.sleep(600)
"""


class FrozenDaemon:
    """A process that holds the lock and the port as our daemon does, and never answers."""

    def __init__(self, state_dir: Path) -> None:
        """Start it, and wait until it listens."""
        self.process = subprocess.Popen([sys.executable, "-c", FROZEN, str(state_dir)], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def close(self) -> None:
        """End it, if nobody has."""
        self.process.kill()
        self.process.communicate()
