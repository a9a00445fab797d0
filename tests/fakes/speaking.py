"""A service that speaks by sd_notify(3): a real socket, a clock, and this very process."""

from __future__ import annotations

import os
import socket

from twisted.internet.task import Clock

from tocsin_daemon.checks.notify_message import Message
from tocsin_daemon.checks.notify_socket import Notify
from tocsin_ocf.processes import Process, look


class Reactor(Clock):
    """A clock that also knows who reads."""

    def __init__(self) -> None:
        """Nobody reads."""
        super().__init__()
        self.readers: set[object] = set()

    def addReader(self, reader: object) -> None:
        """Note it."""
        self.readers.add(reader)

    def removeReader(self, reader: object) -> None:
        """Forget it."""
        self.readers.discard(reader)


class Service:
    """A notify socket whose service is this very process, unless a test says otherwise."""

    def __init__(self, path: str) -> None:
        """Listen."""
        self.reactor = Reactor()
        self.pids = [os.getpid()]
        self.asked = 0
        self.heard: list[Message] = []
        self.notify = Notify(self.reactor, path, self.members)
        self.notify.hear(self.heard.append)
        self.notify.listen()

    def members(self) -> list[Process]:
        """Return its processes."""
        self.asked += 1
        return [process for process in map(look, self.pids) if process]

    def say(self, *texts: str | bytes) -> None:
        """Send, as sd_notify does, and let the daemon read."""
        for text in texts:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(text if isinstance(text, bytes) else text.encode(), self.notify.path)
            self.read()

    def read(self, times: int = 1) -> None:
        """Read as the reactor would."""
        for _ in range(times):
            if self.notify in self.reactor.readers:
                self.notify.doRead()
