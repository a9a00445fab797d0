"""
The independent judge: hears of births from the service itself, of deaths from the kernel, and keeps a log.

It stands outside the nodes and believes neither Tocsin nor Pacemaker. On each node's disk lies a socket; a service
that cannot reach it does not run. Deaths come by pidfd: a service in a dead node is dead, one in a frozen node is not.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from judgement import Event
from lab import Lab, Node
from witnessed import EAR, PLACE

SERVICE = Path(__file__).with_name("witnessed.py")
TELLS_WITHIN = 5.0
"""Seconds that the interpreter of a service may take until it tells."""
TICK = os.sysconf("SC_CLK_TCK")


def now() -> float:
    """Return seconds since boot, the clock in which the kernel tells when a process began."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def command(name: str, *words: str) -> str:
    """Return the command line of a service that tells the judge."""
    return " ".join(["/usr/bin/python3", "-ISB", str(SERVICE), name, *words])


class Judge:
    """Listens in every node of a lab until it is closed."""

    def __init__(self, lab: Lab) -> None:
        """Begin to listen."""
        self.events: list[Event] = []
        self._lab = lab
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        for node in lab.nodes:
            ear = socket.socket(socket.AF_UNIX)
            outside(node, EAR).unlink(missing_ok=True)
            ear.bind(str(outside(node, EAR)))
            ear.listen(64)
            self._selector.register(ear, selectors.EVENT_READ, partial(self._accept, ear, node.name))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._wake.close()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
            else:
                os.close(key.fd)
        self._selector.close()

    def only(self, name: str) -> None:
        """Let one instance of a service live, or be promoted (NAME.promoted), in all nodes together."""
        first, *others = [outside(node, f"{PLACE}/{name}.lock") for node in self._lab.nodes]
        first.touch()
        for other in others:
            if not (other.exists() and other.samefile(first)):
                other.unlink(missing_ok=True)
                os.link(first, other)

    def unheard(self) -> set[int]:
        """Return the pids of services that live in the lab, by /proc, and did not tell; or told, and live no more."""
        known = living(self.events)
        there = {pid for node in self._lab.nodes if node.is_running() for pid in inside(node, str(SERVICE))}
        silent = {pid for pid in there - known if _age(pid) > TELLS_WITHIN}
        return (silent | (known - there)) - (known ^ living(self.events))

    def _listen(self) -> None:
        while True:
            ready = [key.data for key, _ in self._selector.select()]
            if None in ready:
                return
            for hear in ready:
                hear()

    def _accept(self, ear: socket.socket, node: str) -> None:
        wire = ear.accept()[0]
        pid = struct.unpack("3i", wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        if pid == 0:  # it had left its namespace, with its node
            wire.close()
            return
        try:
            born, pidfd = begun(pid), os.pidfd_open(pid)
        except (OSError, IndexError):  # it died before it could say a word
            wire.close()
            return
        one = _Instance(self.events, node, pid, born)
        self._selector.register(wire, selectors.EVENT_READ, partial(self._hear, wire, one))
        self._selector.register(pidfd, selectors.EVENT_READ, partial(self._bury, pidfd, wire, one))

    def _hear(self, wire: socket.socket, one: _Instance) -> None:
        if wire.fileno() < 0:  # it was buried a moment ago
            return
        lines = wire.recv(4096).decode().splitlines()
        for line in lines:
            one.said(*line.split())
        if not lines:
            self._selector.unregister(wire)
            wire.close()

    def _bury(self, pidfd: int, wire: socket.socket, one: _Instance) -> None:
        while wire.fileno() >= 0:  # its last words; the kernel has closed its end
            self._hear(wire, one)
        one.died()
        self._selector.unregister(pidfd)
        os.close(pidfd)


class _Instance:
    """One process that told of itself."""

    def __init__(self, events: list[Event], node: str, pid: int, born: float) -> None:
        self._events, self._node, self._pid, self._born = events, node, pid, born
        self._name = ""

    def said(self, word: str, how: str, *words: str) -> None:
        if word == "born":
            self._name = words[0]
        at = self._born if word == "born" else now()
        if how == "crowded":
            self._events.append(Event(at, "crowded", self._name, self._node, self._pid, (word,)))
        self._events.append(Event(at, word, self._name, self._node, self._pid, words[1:]))

    def died(self) -> None:
        if self._name:
            self._events.append(Event(now(), "died", self._name, self._node, self._pid))


def living(events: list[Event]) -> set[int]:
    """Return the pids, of the machine, of all instances that live by the log."""
    alive: set[int] = set()
    for event in list(events):
        if event.what == "born":
            alive.add(event.pid)
        elif event.what == "died":
            alive.discard(event.pid)
    return alive


def inside(node: Node, word: str) -> list[int]:
    """Return the pids, of the machine, of the processes in a node that have this word in their command line."""
    found, namespace = [], os.readlink(f"/proc/{node.init}/ns/pid")
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if word.encode() in words and os.readlink(f"/proc/{pid}/ns/pid") == namespace:
                found.append(pid)
    return found


def _age(pid: int) -> float:
    with contextlib.suppress(OSError, IndexError):
        return now() - begun(pid)
    return 0.0


def begun(pid: int) -> float:
    """Return when a process was started, in seconds since boot; OSError, IndexError of one that is gone."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return int(fields[19]) / TICK


def outside(node: Node, inside: str) -> Path:
    """Return where a file on the node's disk, below /var, is found from outside, whether the node is on or off."""
    return node.log_directory.parent / Path(inside).relative_to("/var")


@contextlib.contextmanager
def sitting(lab: Lab) -> Iterator[Judge]:
    """Have a judge in the lab."""
    judge = Judge(lab)
    try:
        yield judge
    finally:
        judge.close()
