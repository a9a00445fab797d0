"""
The check `listen`: the listening socket of a port belongs to a process of the service.

A connection can be answered by a stranger: the predecessor that was not ended, or another service of the same port. The
kernel's table of sockets names the inode of who listens, in the network namespace of the service itself, and a process
of the service must have it open. Who was found once is asked first: then a look costs the table and one link of /proc.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

from tocsin_daemon.core.check import Outcome, Result
from tocsin_ocf import port_owner
from tocsin_ocf.processes import Process, look
from tocsin_ocf.targets import listening

if TYPE_CHECKING:
    from tocsin_daemon.checks.outside import Outside
    from tocsin_daemon.core.check import Spec

ANY = {"tcp": "0" * 8, "tcp6": "0" * 32}


class Listen:
    """One check of the kind."""

    def __init__(self, spec: Spec, outside: Outside) -> None:
        """Look for host ("" for any) and port; ValueError where the host is a name."""
        host, self._port = listening(spec.target)
        self._wanted = _wanted(host)
        self._members = outside.members
        self._holder: tuple[Process, str] | None = None
        self._stranger = ("", "")

    def run(self) -> Deferred[Outcome]:
        """Look once, at once."""
        holder = self._holder
        if holder and _lives(holder[0]) and _link(holder[1]) in self._sockets(holder[0].pid):
            return succeed(self._well(holder[0]))
        return succeed(self._search())

    def _search(self) -> Outcome:
        self._holder = None
        members = self._members()
        if not members:
            return Outcome(Result.BAD, "no process of the service is there")
        sockets = self._sockets(min(members, key=lambda process: process.start).pid)
        if not sockets:
            return Outcome(Result.BAD, f"nobody listens on port {self._port}")
        for process in members:
            link = next((link for link in _links(process.pid) if _link(link) in sockets), "")
            if link and _lives(process):
                self._holder = (process, link)
                return self._well(process)
        return Outcome(Result.BAD, f"port {self._port} is held by {self._named(sockets)}, not by this service")

    def _well(self, process: Process) -> Outcome:
        return Outcome(Result.WELL, f"{process.name}[{process.pid}] listens on port {self._port}")

    def _sockets(self, pid: int) -> dict[str, int]:
        """Return the sockets that a connection may reach, as links of /proc/PID/fd name them, and their uids."""
        rows = [row for table in ANY for row in self._rows(pid, table)]
        for place in self._wanted:
            hits = {link: uid for where, link, uid in rows if where == place}
            if hits:
                return hits
        return {} if self._wanted else {link: uid for _, link, uid in rows}

    def _rows(self, pid: int, table: str) -> Iterator[tuple[str, str, int]]:
        """Yield where it listens (TABLE ADDRESS), link and uid of each socket of the port, in a process's namespace."""
        for local, uid, inode in port_owner.listening_sockets(f"/proc/{pid}/net/{table}"):
            address, _, port = local.partition(":")
            if int(port, 16) == self._port:
                yield f"{table} {address}", f"socket:[{inode}]", uid

    def _named(self, sockets: dict[str, int]) -> str:
        """Return who has a socket that none of the service has, found out once: every process is asked."""
        link, uid = next(iter(sockets.items()))
        if self._stranger[0] != link:
            self._stranger = (link, str(port_owner.socket_owner(link, uid)))
        return self._stranger[1]


def _wanted(host: str) -> tuple[str, ...]:
    """Return where a connection to `host` arrives, as TABLE ADDRESS, the nearest place first; () for anywhere."""
    if not host:
        return ()
    for family, table in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        try:
            packed = socket.inet_pton(family, host)
        except OSError:
            continue
        own = _printed(packed)
        mapped = (f"tcp6 {_printed(bytes(10) + bytes([255, 255]) + packed)}",) if table == "tcp" else ()
        wide = tuple(f"{other} {ANY[other]}" for other in ANY if table == "tcp" or other == "tcp6")
        return (f"{table} {own}", *mapped, *wide)
    raise ValueError(f"{host!r} is a name; give the address that is listened on, or the port alone")


def _printed(packed: bytes) -> str:
    """Return an address as the kernel prints it: words of four bytes, each in the machine's order."""
    return "".join(f"{word:08X}" for word in struct.unpack(f"={len(packed) // 4}I", packed))


def _lives(process: Process) -> bool:
    now = look(process.pid)
    return now is not None and now.start == process.start and now.alive


def _links(pid: int) -> list[str]:
    try:
        return [f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")]
    except OSError:  # it has ended
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
