"""
One question to the daemon over loopback TCP, with a deadline.

`_socket` rather than `socket`: the latter costs twice the bare interpreter.
"""

import _socket
from time import monotonic

from tocsin_ocf.wire import MAX_REPLY, WireError, parse_reply, request_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.rundir import Rundir

LOOPBACK = "127.0.0.1"


class NoDaemon(Exception):
    """Nobody listens on the port."""


class Stranger(Exception):
    """Whoever listens on the port is not our daemon: it could not prove itself."""


class Mute(Exception):
    """No answer within the deadline, or none possible."""


def ask(rundir: "Rundir", port: int, verb: str, resource: str, body: str, seconds: float) -> "tuple[int, str]":
    """
    Ask the daemon on `port`, and return its exit code and text within `seconds`.

    NoDaemon, Stranger, Mute as above; PermissionError where the secrets may not be read. Nothing is sent unless our
    daemon holds its lock, so whoever took the port of a dead one learns nothing. While it holds it, a connection that
    closes without a reply is made again: the daemon was making room in a flood, or has just been replaced.
    """
    deadline = monotonic() + seconds
    while True:
        secrets = rundir.secrets()
        if secrets is None or not rundir.held():
            raise NoDaemon
        reply = _exchange(port, request_line(secrets[0], verb, resource, body), deadline)
        if reply:
            break
        if monotonic() > deadline:
            raise Mute(f"every connection to port {port} is closed without a reply")
        _pause()
    try:
        return parse_reply(reply, secrets[1])
    except WireError as error:
        raise Stranger(str(error)) from None


def _exchange(port: int, line: bytes, deadline: float) -> bytes:
    """Send one line and return the one that comes back, "" where the connection closes without any."""
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(max(0.001, deadline - monotonic()))
        connection.connect((LOOPBACK, port))
        connection.send(line) if len(line) < 4096 else connection.sendall(line)
        return _read_line(connection, deadline)
    except ConnectionRefusedError:
        raise NoDaemon from None
    except (TimeoutError, _socket.timeout):
        raise Mute(f"no answer on port {port}") from None
    except (ConnectionResetError, BrokenPipeError):
        return b""
    except OSError as error:
        raise Mute(f"port {port} cannot be reached: {error.strerror}") from None
    finally:
        connection.close()


def _read_line(connection: "_socket.socket", deadline: float) -> bytes:
    received = b""
    while not received.endswith(b"\n"):
        left = deadline - monotonic()
        if left <= 0:
            raise Mute("the reply does not come to an end")
        connection.settimeout(left)
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece
        if len(received) > MAX_REPLY:
            raise Stranger("an endless reply")
    return received[:-1]


def _pause() -> None:
    from time import sleep

    sleep(0.02)
