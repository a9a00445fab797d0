"""Calls an agent as Pacemaker's executor does, and writes down what comes of it."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from tocsin_ocf.testing.observed import Call
from tocsin_ocf.testing.plan import Step
from tocsin_ocf.testing.traces import Traces

CWD = "/var/lib/pacemaker/cores"
UMASK = 0o026
MOST = 1 << 20
"""Bytes that are kept of what an agent says."""
RELEASE_SECONDS = 0.5
"""How long a child that is just ending may still hold the output, or be there, without being called a leftover."""
AGAIN_SECONDS = 0.02
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""What a shell says where it cannot execute something."""


class Executor:
    """Makes one call after another; `look` tells what is there, and `log` swallows what is logged."""

    def __init__(
        self, path: str, environment: Mapping[str, str], look: Callable[[], Traces], log: socket.socket | None
    ) -> None:
        """Remember what there was before the first call."""
        self._path = path
        self._environment = dict(environment)
        self._look = look
        self._log = log
        self._first = look()

    def call(self, step: Step, seconds: float) -> Call:
        """Make one call, and kill it with its process group after `seconds`; wait, as Step says, and look."""
        before, start = self._look(), time.monotonic()
        argv = ["/bin/sh", "-c", step.command] if step.command else [self._path, *step.arguments]
        action = "" if step.command else (step.arguments or ("",))[0]
        try:
            process = self._spawn(argv, {**self._environment, **step.variables}, step.user)
        except OSError as error:
            code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
            return Call(action, code, "", f"cannot be executed: {error}")
        said = _Output(process, self._log)
        killed, code, cpu = said.follow(start + seconds)
        spent = time.monotonic() - start
        held = said.drain()
        time.sleep(step.pause)
        now = self._settled(step.patience, self._first) if step.patience else self._settled(RELEASE_SECONDS, before)
        made, left = _new(now, before), _new(now, self._first)
        return Call(action, code, said.out, said.err, spent, cpu, killed, held, made, left)

    def _spawn(self, argv: list[str], environment: dict[str, str], user: str) -> subprocess.Popen[bytes]:
        identity: dict[str, Any] = {"user": user, "group": _group(user), "extra_groups": []} if user else {}
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=CWD if os.path.isdir(CWD) and os.access(CWD, os.X_OK) else "/",
            env=environment,
            umask=UMASK,
            preexec_fn=_as_the_executor,  # noqa: PLW1509 there is one thread; process_group= is of Python 3.11
            **identity,
        )

    def _settled(self, seconds: float, before: Traces) -> Traces:
        """Return what there is once no process is left that was not there `before`, or else after some seconds."""
        until = time.monotonic() + seconds
        while True:
            _reap()
            now = self._look()
            if not any(name.startswith("process ") for name in now.keys() - before.keys()) or time.monotonic() > until:
                return now
            time.sleep(AGAIN_SECONDS)


def _as_the_executor() -> None:
    """Lead a process group, and ignore or block no signal: nohup and a shell's background job hand on what they do."""
    os.setpgrp()
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _new(now: Traces, before: Traces) -> tuple[str, ...]:
    return tuple(text for name, text in now.items() if name not in before)


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def _reap() -> None:
    """Take what has ended from the process table: orphans come to us."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


class _Output:
    """Reads what a process says until it has ended."""

    def __init__(self, process: subprocess.Popen[bytes], log: socket.socket | None) -> None:
        self._process = process
        self._texts = {name: bytearray() for name in ("out", "err")}
        self._pidfd = os.pidfd_open(process.pid)
        self._selector = selectors.DefaultSelector()
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            if stream:
                os.set_blocking(stream.fileno(), False)
                self._selector.register(stream, selectors.EVENT_READ, name)
        self._selector.register(self._pidfd, selectors.EVENT_READ, "end")
        if log:
            self._selector.register(log, selectors.EVENT_READ, "log")
        self._open = 2

    @property
    def out(self) -> str:
        """Return what came on stdout."""
        return self._texts["out"].decode("utf-8", "surrogateescape")

    @property
    def err(self) -> str:
        """Return what came on stderr."""
        return self._texts["err"].decode("utf-8", "surrogateescape")

    def follow(self, deadline: float) -> tuple[bool, int, float]:
        """Read until the process ends; return whether it was killed, its exit code and its CPU time."""
        killed = False
        while not self._read(max(0.0, deadline - time.monotonic())):
            if not killed and time.monotonic() >= deadline:
                killed = True
                deadline += 3600
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return killed, self._process.returncode, usage.ru_utime + usage.ru_stime

    def drain(self) -> bool:
        """Read the rest; return whether somebody else still holds stdout or stderr."""
        self._selector.unregister(self._pidfd)
        until = time.monotonic() + RELEASE_SECONDS
        while self._open and time.monotonic() < until:
            self._read(until - time.monotonic())
        os.close(self._pidfd)
        self._selector.close()
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        return self._open > 0

    def _read(self, seconds: float) -> bool:
        """Read what there is within some seconds; return whether the process has ended."""
        ended = False
        for key, _ in self._selector.select(seconds):
            if key.data == "end":
                ended = True
            elif key.data == "log":
                with suppress(OSError):
                    os.read(key.fd, MOST)
            else:
                self._take(key)
        return ended

    def _take(self, key: selectors.SelectorKey) -> None:
        with suppress(BlockingIOError):
            data = os.read(key.fd, 65536)
            text = self._texts[key.data]
            text += data[: max(0, MOST - len(text))]
            if not data:
                self._selector.unregister(key.fileobj)
                self._open -= 1
