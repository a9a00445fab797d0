"""
Where a service speaks to us by sd_notify(3): that it is ready, how it is, and that it lives.

The socket is a file that only the service's user and root may write to, in a directory that others may pass but not
list. An abstract one would be open to everybody, who need not be believed to do harm: what is queued there keeps the
service from speaking, and a service in a network namespace of its own would not even find it. Of those who may write,
only processes of the service are believed: the kernel says who sent a datagram.

A daemon that takes over puts its own socket in the place of its predecessor's by one rename(2). sd_notify(3) looks the
path up at every message, so the next one arrives. What is sent while no daemon lives is refused (ECONNREFUSED): the
sender does not wait, and the message is lost, so whoever counts signs of life begins anew.
"""

from __future__ import annotations

import array
import hashlib
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from tocsin_daemon.checks.notify_message import Message, parse
from tocsin_ocf.notify import UCRED
from tocsin_ocf.processes import Process, look

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall
    from twisted.python.failure import Failure

MAX_DATAGRAM = 4096
MOST_FDS = 16
LONGEST_PATH = 107
"""Bytes in sun_path of unix(7), without the final NUL."""
PASSABLE = 0o711
PER_SECOND = 50
"""Datagrams that are read; whoever sends more waits in the kernel's queue."""
SEARCHES_PER_SECOND = 2
"""Senders that are looked for among the service's processes, which may take a tenth of a second."""

Hear = Callable[[Message], None]


def socket_path(state_dir: str, port: int, resource: str) -> str:
    """Return the path of a resource's socket: below the state directory, but not in what only root may enter."""
    path = f"{state_dir}/notify/{port}/{resource}"
    if len(os.fsencode(path)) <= LONGEST_PATH - len(".new"):
        return path
    return f"{state_dir}/notify/{port}/{hashlib.sha256(resource.encode()).hexdigest()[:16]}"


@implementer(IReadDescriptor)
class Notify:
    """The notify socket of one resource: `ready`, `status`, `errno`, `stopping`, `main_pid` are what was said last."""

    def __init__(self, reactor: Any, path: str, members: Callable[[], list[Process]]) -> None:  # noqa: ANN401
        """Be at `path`, and believe `members`; nobody listens yet."""
        self.path = path
        self._reactor = reactor
        self._members = members
        self._socket: socket.socket | None = None
        self._ears: list[Hear] = []
        self._believed: dict[int, int] = {}
        self._held: tuple[bytes, Process] | None = None
        self._second = float("-inf")
        self._read = self._searched = 0
        self._resume: IDelayedCall | None = None
        self.forget_what_was_said()

    def forget_what_was_said(self) -> None:
        """Begin a new incarnation: nothing was said yet."""
        self.ready = self.stopping = False
        self.status, self.errno, self.main_pid = "", 0, 0
        self._believed.clear()

    def listen(self, uid: int | None = None) -> None:
        """Listen, in the place of whoever did before; `uid` is the service's user. OSError where that cannot be."""
        self.close(keep_path=True)
        new = f"{self.path}.new"
        _make_passable(os.path.dirname(self.path))
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            os.fchmod(made.fileno(), 0o600)  # the file gets these rights at birth
            with suppress(FileNotFoundError):
                os.unlink(new)
            made.bind(new)
            os.chown(new, -1 if uid is None else uid, -1, follow_symlinks=False)
            os.rename(new, self.path)
        except BaseException:
            made.close()
            raise
        self._socket = made
        self._reactor.addReader(self)

    def close(self, *, keep_path: bool = False) -> None:
        """Listen no more; the file goes too, unless a successor of ours will take its place."""
        if self._resume and self._resume.active():
            self._resume.cancel()
        self._held = None
        if self._socket is None:
            return
        self._reactor.removeReader(self)
        self._socket.close()
        self._socket = None
        if not keep_path:
            with suppress(FileNotFoundError):
                os.unlink(self.path)

    def environment(self, watchdog: float = 0.0) -> dict[str, str]:
        """Return what tells a service where to speak, and within how many seconds a sign of life is wanted."""
        microseconds = {"WATCHDOG_USEC": str(int(watchdog * 1e6))} if watchdog else {}
        return {"NOTIFY_SOCKET": self.path, **microseconds}

    def hear(self, ear: Hear) -> None:
        """Tell whatever processes of the service say from now on."""
        self._ears.append(ear)

    def forget(self, ear: Hear) -> None:
        """Tell them nothing any more."""
        if ear in self._ears:
            self._ears.remove(ear)

    def fileno(self) -> int:
        """Return the descriptor, as the reactor wants it."""
        return self._socket.fileno() if self._socket else -1

    def logPrefix(self) -> str:
        """Name this descriptor in the reactor's own messages."""
        return f"notify {self.path}"

    def connectionLost(self, reason: Failure) -> None:
        """Lose nothing: the reactor goes down."""

    def doRead(self) -> None:
        """Read one datagram; the reactor comes again for the next."""
        if self._socket is None:
            return
        if not self._may("_read", PER_SECOND):
            self._pause()
            return
        try:
            data, ancillary, flags, _ = self._socket.recvmsg(MAX_DATAGRAM, _ROOM, socket.MSG_CMSG_CLOEXEC)
        except (BlockingIOError, InterruptedError):
            return
        pid = _sender(ancillary)
        sender = look(pid) if pid and not flags & socket.MSG_TRUNC else None
        if sender:
            self._weigh(data, sender)

    def _weigh(self, data: bytes, sender: Process) -> None:
        """Take what a process of the service says; wait with who is not known, where too many were looked for."""
        if self._believed.get(sender.pid) != sender.start:
            if not self._may("_searched", SEARCHES_PER_SECOND):
                self._held = (data, sender)
                self._pause()
                return
            found = {process.pid: process.start for process in self._members()}
            if found.get(sender.pid) != sender.start:
                return
            self._believed = found
        self._take(parse(data))

    def _take(self, message: Message) -> None:
        self.ready = self.ready or message.ready
        self.stopping = self.stopping or message.stopping
        self.status = self.status if message.status is None else message.status
        self.errno = message.errno or self.errno
        if message.main_pid and self._is_ours(message.main_pid):
            self.main_pid = message.main_pid
        for ear in list(self._ears):
            ear(message)

    def _is_ours(self, pid: int) -> bool:
        """Tell whether a pid that was named is of the service: anybody may be named."""
        process = look(pid)
        known = self._believed.get(pid)
        if process and known != process.start and self._may("_searched", SEARCHES_PER_SECOND):
            known = next((member.start for member in self._members() if member.pid == pid), None)
        return process is not None and known == process.start

    def _may(self, what: str, most: int) -> bool:
        """Count one more of what is allowed so often in a second; False where it was that often already."""
        now = self._reactor.seconds()
        if not 0 <= now - self._second < 1:
            self._second, self._read, self._searched = now, 0, 0
        count = getattr(self, what) + 1
        setattr(self, what, count)
        return bool(count <= most)

    def _pause(self) -> None:
        """Read no more in this second: who sends too much waits, not the daemon."""
        self._reactor.removeReader(self)
        left = max(0.0, self._second + 1 - self._reactor.seconds())
        self._resume = self._reactor.callLater(left, self._go_on)

    def _go_on(self) -> None:
        held, self._held = self._held, None
        self._reactor.addReader(self)
        if held:
            self._weigh(*held)


def _make_passable(directory: str) -> None:
    """Make the directory and the one above it, where they are missing; others may pass, whatever our umask is."""
    for each in (os.path.dirname(directory), directory):
        with suppress(FileExistsError):
            os.mkdir(each)
            os.chmod(each, PASSABLE)


_ROOM = socket.CMSG_SPACE(UCRED.size) + socket.CMSG_SPACE(MOST_FDS * array.array("i").itemsize)


def _sender(ancillary: list[tuple[int, int, bytes]]) -> int:
    """
    Return the pid that the kernel says a datagram is from, 0 where it does not.

    Descriptors that came with it are closed. That also answers BARRIER=1, by which systemd-notify(1) waits until what
    it said before was read; so it still lives when it is looked for.
    """
    pid = 0
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds = array.array("i")
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
            for fd in fds:
                os.close(fd)
        elif level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS and len(data) == UCRED.size:
            pid = UCRED.unpack(data)[0]
    return pid
