"""
The service manager in pid 1 of a node, with the rules of Debian's unit files; systemctl talks to it.

One line per connection, "VERB UNIT", and one in answer. It is one thread that waits for requests and for the
end of children; the answer to "stop" comes when the service has ended.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NoReturn

EAR = "/run/lab/init"
_NOTIFY = "/run/lab/notify"
_PATIENCE = 60.0
_RESTART_AFTER = 1.0
_RESTARTS, _WITHIN = 5, 25.0


@dataclass(frozen=True)
class Unit:
    """How a daemon is run; `succeeds` are the statuses after which it is not started again."""

    argv: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    needs: str = ""
    notifies: bool = False
    restarts: bool = False
    succeeds: tuple[int, ...] = (0,)


UNITS = {
    "corosync": Unit(["corosync", "-f"], notifies=True),
    "pacemaker": Unit(
        ["pacemakerd", "--foreground"],
        {"PCMK_logfacility": "none"},
        needs="corosync",
        restarts=True,
        succeeds=(0, 100),
    ),
    "pacemaker_remote": Unit(["pacemaker-remoted"], {"PCMK_logfacility": "none"}, restarts=True, succeeds=(0, 100)),
}


class Service:
    """One unit and its process."""

    def __init__(self, unit: Unit) -> None:
        """Nothing runs yet."""
        self.unit = unit
        self.process: subprocess.Popen[bytes] | None = None
        self.state = "inactive"
        self.due = 0.0
        self.starts: list[float] = []
        self.waiting: list[socket.socket] = []

    def ended(self, status: int) -> None:
        """Note the end, tell who waits for it, and decide what follows."""
        assert self.process is not None
        self.process.returncode = status
        self.process = None
        wanted = self.state == "active"
        failed = wanted and status not in self.unit.succeeds
        self.state = "failed" if failed else "inactive"
        recent = [start for start in self.starts if start > time.monotonic() - _WITHIN]
        if failed and self.unit.restarts and len(recent) < _RESTARTS:
            self.due = time.monotonic() + _RESTART_AFTER
        for asker in self.waiting:
            _answer(asker, "ok")
        self.waiting.clear()


class Services:
    """All units of a node, whose standard output goes to one log."""

    def __init__(self, log: BinaryIO, environment: Mapping[str, str]) -> None:
        """Take the log, which stays open, and the services' environment."""
        self._log = log
        self._environment = environment
        self._services = {name: Service(unit) for name, unit in UNITS.items()}
        self._woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._ear = socket.socket(socket.AF_UNIX)
        self._ear.bind(EAR)
        self._ear.listen(16)

    def start(self, name: str) -> None:
        """Start a unit and what it needs, and return when it is ready; RuntimeError when it is not."""
        service = self._services[name]
        if service.process is not None:
            return
        if service.unit.needs:
            self.start(service.unit.needs)
        service.due, service.state = 0.0, "active"
        service.starts.append(time.monotonic())
        try:
            service.process = self._spawn(service.unit)
        except Exception:
            service.state = "failed"
            raise

    def serve(self) -> NoReturn:
        """Obey, bury the orphans of the node, and start again what has failed, for ever."""
        while True:
            dues = [service.due for service in self._services.values() if service.due]
            patience = max(0.0, min(dues) - time.monotonic()) if dues else None
            ready = select.select([self._ear, self._woken], [], [], patience)[0]
            if self._woken in ready:
                os.read(self._woken, 4096)
            self._bury()
            self._restart()
            if self._ear in ready:
                self._obey(self._ear.accept()[0])

    def _bury(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                for service in self._services.values():
                    if service.process is not None and service.process.pid == pid:
                        service.ended(_exit_code(status))

    def _restart(self) -> None:
        for name, service in self._services.items():
            if service.due and service.due <= time.monotonic():
                self._try(name)

    def _try(self, name: str) -> str:
        try:
            self.start(name)
        except (OSError, RuntimeError) as fault:
            self._services[name].due = 0.0
            return f"error {fault}"
        return "ok"

    def _obey(self, asker: socket.socket) -> None:
        asker.settimeout(5)
        try:
            verb, _, name = asker.recv(4096).decode().strip().partition(" ")
        except OSError:
            verb, name = "", ""
        service = self._services.get(name)
        if service is None:
            _answer(asker, "unknown")
        elif verb == "stop" and service.process is not None:
            service.due, service.state = 0.0, "deactivating"
            service.waiting.append(asker)
            service.process.terminate()
        elif verb == "stop":
            service.due, service.state = 0.0, "inactive"
            _answer(asker, "ok")
        else:
            _answer(asker, self._try(name) if verb == "start" else service.state)

    def _spawn(self, unit: Unit) -> subprocess.Popen[bytes]:
        if not unit.notifies:
            return self._popen(unit)
        Path(_NOTIFY).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(_NOTIFY)
            ear.settimeout(0.2)
            process = self._popen(unit, NOTIFY_SOCKET=_NOTIFY)
            _await_ready(ear, process)
            return process

    def _popen(self, unit: Unit, **extra: str) -> subprocess.Popen[bytes]:
        environment = {**self._environment, **unit.environment, **extra}
        null, log = subprocess.DEVNULL, self._log
        return subprocess.Popen(
            unit.argv, stdin=null, stdout=log, stderr=log, env=environment, cwd="/", start_new_session=True
        )


def _await_ready(ear: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Wait for the daemon's sd_notify: a pacemakerd that comes too early sleeps for seconds."""
    deadline = time.monotonic() + _PATIENCE
    while b"READY=1" not in _hear(ear):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        if time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"{process.args!r} was not ready after {_PATIENCE:g} s")


def _hear(ear: socket.socket) -> bytes:
    try:
        return ear.recv(4096)
    except socket.timeout:
        return b""


def _exit_code(status: int) -> int:
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _answer(asker: socket.socket, text: str) -> None:
    with contextlib.suppress(OSError):
        asker.sendall(f"{text}\n".encode())
    asker.close()
