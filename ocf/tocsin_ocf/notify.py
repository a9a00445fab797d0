"""
The receiving end of sd_notify(3): where a daemon that is being started says that it is ready, or why never.

The socket is abstract, so no file is left behind. Its name is random, but no secret: /proc/net/unix shows it to
every user. So the kernel is asked who sent each datagram, and only our own user is believed.
"""

import os
import socket
import struct

UCRED = struct.Struct("3i")
"""struct ucred of unix(7): pid, uid, gid."""
MAX_DATAGRAM = 4096
MAX_AT_ONCE = 100
"""Datagrams; whoever floods the socket may not keep us from the clock."""


class NotifySocket:
    """A context that listens; `status` is the last STATUS that was sent."""

    __slots__ = ("_socket", "name", "status")

    def __init__(self) -> None:
        """Listen from now on."""
        self.name = f"@tocsin-{os.urandom(16).hex()}"
        self.status = ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(f"\0{self.name[1:]}")

    def __enter__(self) -> "NotifySocket":
        """Return the socket."""
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._socket.close()

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._socket.fileno()

    def ready(self) -> bool:
        """Read what has come; tell whether "READY=1" was among it."""
        found = False
        for _ in range(MAX_AT_ONCE):
            try:
                text, credentials, _, _ = self._socket.recvmsg(MAX_DATAGRAM, socket.CMSG_SPACE(UCRED.size))
            except BlockingIOError:
                break
            if not _ours(credentials):
                continue
            for line in text.decode("utf-8", "replace").split("\n"):
                found = found or line == "READY=1"
                self.status = line[7:] if line.startswith("STATUS=") else self.status
        return found


def _ours(ancillary: "list[tuple[int, int, bytes]]") -> bool:
    """Tell whether the kernel says that a process of our own user sent a datagram."""
    return any(
        (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS) and UCRED.unpack(data)[1] == os.geteuid()
        for level, kind, data in ancillary
        if len(data) == UCRED.size
    )
