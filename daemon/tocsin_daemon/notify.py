"""
sd_notify(3): what the daemon says to who started it, systemd or the agent.

That it listens, or why it never will; in a word how it is; and, where a watchdog asks for it, that its reactor still
turns: a daemon that is stopped or stuck is silent, and systemd replaces it.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING

from twisted.internet.task import LoopingCall

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

SOCKET, WATCHDOG, WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class Starter:
    """Who started the daemon; it hears nothing where it did not ask."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Take the variables that ask out of the environment: they are meant for this process and nobody below it."""
        self._address = environ.pop(SOCKET, "")
        microseconds = environ.pop(WATCHDOG, "")
        meant = environ.pop(WATCHDOG_PID, "") in ("", str(os.getpid()))
        self.patience = int(microseconds) / 1e6 if meant and microseconds.isdecimal() else 0.0
        self._status = ""

    def tell(self, *lines: str) -> None:
        """Send lines such as "READY=1" or "STATUS=..."; never wait for who does not listen."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        try:
            with socket.socket(socket.AF_UNIX, kind) as connection:
                connection.sendto("\n".join(lines).encode(), address)
        except OSError:
            return  # who asked is gone, and needs no answer any more

    def tell_status(self, text: str) -> None:
        """Say in a word how the daemon is, where that has changed."""
        if text != self._status:
            self._status = text
            self.tell(f"STATUS={text}")

    def tell_that_we_live(self, clock: IReactorTime) -> LoopingCall | None:
        """Say it twice in the watchdog's patience, beginning now; None where there is no watchdog."""
        if not self.patience:
            return None
        signs = LoopingCall(self.tell, "WATCHDOG=1")
        signs.clock = clock
        signs.start(self.patience / 2)
        return signs


def summary(phases: Iterable[str]) -> str:
    """Return how many resources are in which phase, as `systemctl status` shows it."""
    counted = Counter(phases)
    return ", ".join(f"{counted[phase]} {phase}" for phase in sorted(counted)) or "no resources"
