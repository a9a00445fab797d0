"""A stand-in for the daemon's end of the wire: listens for real, answers as it is told, keeps what it was asked."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

from tocsin_ocf.rundir import Rundir
from tocsin_ocf.wire import parse_request, reply_line

TOKEN, PROOF = "t" * 32, "p" * 32
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
        """Listen; `pid` is what stands in the lock, by default that of the listener."""
        self.answer = answer
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self._held: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.rundir = Rundir(str(state_dir), self.port)
        os.makedirs(self.rundir.resources, 0o700)
        os.chmod(self.rundir.path, 0o700)
        write(self.rundir.secret, f"{TOKEN}\n{PROOF}\n")
        write(self.rundir.lock, str(os.getpid() if pid is None else pid))
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
        self.asked.append((request.verb, request.resource, json.loads(request.body or "{}")))
        return self.answer(request.verb)

    def close(self) -> None:
        """Listen no more; what was left without an answer is closed."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in self._held:
            connection.close()


def write(path: str, text: str) -> None:
    """Write a file that only its owner may read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def record(phase: str, *, pid: int = 0, start: int = 0, boot: str = "", incarnation: str = "i1") -> str:
    """Return what the daemon keeps of a resource, as far as the agent may rely on it."""
    process = {"pid": pid, "start": start, "boot": boot} if pid else None
    fields = {"version": 1, "phase": phase, "incarnation": incarnation, "process": process, "members": {}}
    return json.dumps(fields)
