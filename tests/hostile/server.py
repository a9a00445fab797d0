"""A server that behaves as badly as it likes: real sockets on loopback, one thread for each connection."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType

Behaviour = Callable[[socket.socket, "Server"], None]
OK = b"HTTP/1.1 200 OK\r\n"
PATIENCE = 20.0
"""Seconds after which a thread gives up whatever it does."""


class Server:
    """Accepts, and behaves; a context. `sent` counts the bytes that the kernel took, `seen` what was received."""

    def __init__(self, behave: Behaviour, family: int = socket.AF_INET, path: str = "") -> None:
        """Listen on a free port of loopback, or at `path`."""
        self._behave = behave
        self._listener = socket.socket(socket.AF_UNIX if path else family)
        self._listener.bind(path or (("::1", 0) if family == socket.AF_INET6 else ("127.0.0.1", 0)))
        self._listener.listen(16)
        self.port = 0 if path else self._listener.getsockname()[1]
        self.sent = 0
        self.seen = b""
        self.ended = threading.Event()
        self.over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Server:
        """Begin."""
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every thread."""
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        try:
            with connection:
                self._behave(connection, self)
        except OSError:
            pass  # the check has had enough
        finally:
            self.ended.set()

    def read_request(self, connection: socket.socket) -> None:
        """Read up to the end of the headers."""
        got = b""
        while b"\r\n\r\n" not in got:
            data = connection.recv(4096)
            if not data:
                return
            got += data
        self.seen = got

    def send(self, connection: socket.socket, data: bytes) -> None:
        """Send, and count."""
        connection.sendall(data)
        self.sent += len(data)


class TlsServer(Server):
    """Speaks TLS by the standard library, and then behaves."""

    def __init__(self, certificate: str, key: str, behave: Behaviour) -> None:
        """Wrap each connection."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

        def wrapped(connection: socket.socket, server: Server) -> None:
            with context.wrap_socket(connection, server_side=True) as secure:
                behave(secure, server)

        super().__init__(wrapped)


def says(*parts: bytes, then: Behaviour | None = None) -> Behaviour:
    """Return who reads the request, sends this, and closes."""

    def behave(connection: socket.socket, server: Server) -> None:
        server.read_request(connection)
        for part in parts:
            server.send(connection, part)
        if then:
            then(connection, server)

    return behave


def forever(data: bytes) -> Behaviour:
    """Return who sends the same again and again until nobody takes it."""

    def behave(connection: socket.socket, server: Server) -> None:
        while not server.over.is_set():
            server.send(connection, data)

    return behave


def slowly(data: bytes, pause: float = 0.02) -> Behaviour:
    """Return who sends a byte at a time."""

    def behave(connection: socket.socket, server: Server) -> None:
        for byte in data:
            server.send(connection, bytes([byte]))
            if server.over.wait(pause):
                return

    return behave


def silent(connection: socket.socket, server: Server) -> None:
    """Hold the connection and say nothing, until the other end closes it."""
    while connection.recv(65536):
        pass


def resets(connection: socket.socket, server: Server) -> None:
    """Close with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
