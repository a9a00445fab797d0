"""
The log where the machine keeps its own: journald with fields, by its native protocol, or syslog.

Datagrams on a socket that never blocks: python3-systemd and syslog(3) wait for a journald or syslogd that hangs, and
all services with them. What does not get through is counted, and the next line that does says how many were lost.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING

from twisted.logger import ILogObserver, LogLevel, eventAsText
from zope.interface import implementer

if TYPE_CHECKING:
    from twisted.logger import LogEvent

JOURNAL = "/run/systemd/journal/socket"
SYSLOG = "/dev/log"
IDENTIFIER = "tocsind"
DAEMON_FACILITY = 3 << 3
PRIORITIES = {LogLevel.debug: 7, LogLevel.info: 6, LogLevel.warn: 4, LogLevel.error: 3, LogLevel.critical: 2}
"""Priorities as syslog(3) has them."""
FIELDS = ("resource", "phase", "was", "report", "why", "cause", "incident", "incarnation", "verb", "code")
"""Of an event, what becomes a field TOCSIN_... in the journal."""
LONGEST = 16 * 1024
"""Characters of a message that are kept: a datagram has its limit, and a traceback is shorter."""
MOST_LINES = 60
"""Lines of a message, each of which is one of syslog's."""


def journal_entry(message: str, priority: int, fields: Mapping[str, str]) -> bytes:
    """Return an entry in journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): NAME=value, one a line."""
    entry = {"MESSAGE": message, "PRIORITY": str(priority), "SYSLOG_IDENTIFIER": IDENTIFIER, **fields}
    return b"".join(_field(name, value.encode("utf-8", "replace")) for name, value in entry.items())


def _field(name: str, value: bytes) -> bytes:
    """Return one field; a value of several lines goes by its length."""
    if b"\n" not in value:
        return b"%s=%s\n" % (name.encode(), value)
    return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(value)), value)


def syslog_lines(message: str, priority: int, pid: int) -> list[bytes]:
    """Return the lines of a message as syslogd takes them, which adds time and host."""
    head = f"<{DAEMON_FACILITY | priority}>{IDENTIFIER}[{pid}]: "
    return [f"{head}{line}".encode("utf-8", "replace") for line in message.split("\n")[:MOST_LINES] if line.strip()]


def fields_of(event: LogEvent, port: int) -> dict[str, str]:
    """Return the fields of an event, of those in FIELDS only: another's value may be one that the text leaves out."""
    found = {
        f"TOCSIN_{name.upper()}": str(event[name])[:LONGEST] for name in FIELDS if event.get(name) not in (None, "")
    }
    return {"TOCSIN_PORT": str(port), **found}


class Datagrams:
    """A way to whoever listens on a datagram socket; it may come, hang and go."""

    def __init__(self, path: str) -> None:
        """Send to this socket."""
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)

    def send(self, data: bytes) -> bool:
        """Send one datagram, if it can be sent at once."""
        try:
            self._socket.sendto(data, self._path)
        except OSError:
            return False
        return True


@implementer(ILogObserver)
class SystemLog:
    """A log observer."""

    def __init__(self, to: Datagrams, port: int, *, journal: bool) -> None:
        """Log the daemon on `port` to a journal, else to syslog."""
        self._to = to
        self._port = port
        self._journal = journal
        self._lost = 0

    def __call__(self, event: LogEvent) -> None:
        """Take an event."""
        text = eventAsText(event, includeTimestamp=False, includeSystem=False)[:LONGEST]
        if not text:
            return
        priority = PRIORITIES.get(event.get("log_level", LogLevel.info), 6)
        if self._lost and self._send(f"{self._lost} lines were lost here", 4, {}):
            self._lost = 0
        self._lost += not self._send(text, priority, fields_of(event, self._port))

    def _send(self, text: str, priority: int, fields: Mapping[str, str]) -> bool:
        if self._journal:
            return self._to.send(journal_entry(text, priority, fields))
        sent = [self._to.send(line) for line in syslog_lines(text, priority, os.getpid())]
        return all(sent)


def is_stderr(variable: str, fd: int = 2) -> bool:
    """Tell whether standard error goes to the journal, as JOURNAL_STREAM (systemd.exec(5)) says: DEVICE:INODE."""
    try:
        found = os.fstat(fd)
    except OSError:
        return False
    return variable == f"{found.st_dev}:{found.st_ino}"


def system_log(port: int, journal: str = JOURNAL, syslog: str = SYSLOG) -> SystemLog | None:
    """Return the observer that logs to the journal where there is one, else to syslog, else None."""
    for path, is_journal in ((journal, True), (syslog, False)):
        if os.path.exists(path):
            return SystemLog(Datagrams(path), port, journal=is_journal)
    return None
