"""A real tocsind whose cluster does not answer, and what it takes to run `tocsin` as a program."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tocsin_ocf.client import ask
from tocsin_ocf.rundir import Rundir

TOCSIN = [sys.executable, "-u", "-c", "from tocsin_daemon.cli import main; main()"]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
START = '{"node":"n1","timeout":10000,"definition":{"command":["/bin/sleep","606"]}}'


class Running:
    """A real tocsind."""

    def __init__(self, directory: Path) -> None:
        """Start it on a free port, and wait until it says that it listens."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.state_dir = str(directory / "run")
        self.log = directory / "tocsind.log"
        self.argv = [sys.executable, "-m", "tocsin_daemon", "--port", str(self.port), "--state-dir", self.state_dir]
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind("")
        self.notify.settimeout(20)
        self.process = self.start()

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start one more."""
        address = "@" + self.notify.getsockname()[1:].decode()
        argv = [*self.argv, "--linger", "600", "--log-file", str(self.log), *words]
        process = subprocess.Popen(argv, env={**ENVIRONMENT, "NOTIFY_SOCKET": address})
        self.said = self._heard()
        return process

    def _heard(self) -> str:
        """Wait for the one word that counts: that it listens, or why it never will."""
        while True:
            said = self.notify.recv(1000).decode()
            for line in said.split("\n"):
                if line == "READY=1" or "cannot listen" in line or "another tocsind" in line:
                    return line

    def ask(self, verb: str, body: str = "") -> tuple[int, str]:
        """Ask it."""
        return ask(Rundir(self.state_dir, self.port), self.port, verb, "web", body, 10.0)


@contextmanager
def running(directory: Path) -> Iterator[Running]:
    """Run one, which may end meanwhile, and leave no service of it."""
    one = Running(directory)
    yield one
    if one.process.poll() is not None:
        one.process = one.start()
    one.ask("STOP", '{"timeout":10000}')
    one.process.terminate()
    assert one.process.wait(10) == 0
    one.notify.close()
