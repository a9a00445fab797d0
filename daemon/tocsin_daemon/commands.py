"""
Programs of ours executed: a command in, what came of it out; never more output than asked for, never two of a kind.

Each runs in a session of its own, and dies with the daemon. What is not killed by SIGKILL hangs in the kernel (a file
system that is gone); another one beside it would hang as well, so it is refused.
"""

from __future__ import annotations

import errno
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from tocsin_daemon.checks.outside import Ended
from tocsin_daemon.children import Children, Program
from tocsin_ocf import processes

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor
    from twisted.python.failure import Failure

    from tocsin_daemon.table import ProcessTable

KEPT = 8 * 1024
"""Bytes kept of each output of a check's command."""
MOST_WRITTEN = 1024 * 1024
"""Bytes that a command may write beyond what is kept; then its pipe is closed."""
DYING = 1.0
"""Seconds after SIGKILL that a process may still be there: it is busy giving back what it has."""
CHUNK = 64 * 1024
"""As much as a pipe holds."""


@implementer(IReadDescriptor)
class Pipe:
    """One output of a command, read as it comes."""

    def __init__(self, reactor: EPollReactor, limit: int, *, endless: bool = False) -> None:
        """Open it; `limit` bytes are kept, the last ones of an `endless` one, which is never closed."""
        self._reactor = reactor
        self._limit = limit
        self._most = float("inf") if endless else limit + MOST_WRITTEN
        self._endless = endless
        self._fd, self.write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(self.write_end, True)
        self.flooded = False
        self.kept = bytearray()
        self._read = 0

    def fileno(self) -> int:
        """Return the reading end."""
        return self._fd

    def logPrefix(self) -> str:
        """Name this descriptor in the reactor's own messages."""
        return "output of a command"

    def doRead(self) -> None:
        """Take what is there; the end of it, or too much, closes the pipe."""
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return
        self._read += len(data)
        self.kept += data if self._endless else data[: self._limit - len(self.kept)]
        del self.kept[: -self._limit]
        self.flooded = self._read > self._most
        if not data or self.flooded:
            self.close()

    def finish(self) -> bytes:
        """Take what is left of a command that has ended, whoever else may still write, and close."""
        if self._fd >= 0:
            self.doRead()
        self.close()
        return bytes(self.kept)

    def close(self) -> None:
        """Read no more."""
        if self._fd >= 0:
            self._reactor.removeReader(self)  # it does not mind one that it does not know
            os.close(self._fd)
            self._fd = -1

    def connectionLost(self, reason: Failure) -> None:
        """Nothing is lost here: the reactor goes down, and the command with the daemon."""


class Execution:
    """One command under way; `done` fires with Ended when it has ended, or with OSError where it cannot begin."""

    def __init__(self, commands: Commands, program: Program, limit: int) -> None:
        """Begin it."""
        self.program = program
        self.killed = float("inf")
        self.done: Deferred[Ended] = Deferred(lambda _: self.abandon())
        self._commands = commands
        self._pipes: list[Pipe] = []
        try:
            for _ in ("stdout", "stderr"):
                self._pipes.append(Pipe(commands.reactor, limit, endless=program.talkative))
            out, err = self._pipes
            self.child = commands.children.spawn(program, self._ended, stdout=out.write_end, stderr=err.write_end)
        except OSError:
            self._close()
            raise
        finally:
            for pipe in self._pipes:
                os.close(pipe.write_end)
        for pipe in self._pipes:
            commands.reactor.addReader(pipe)

    def abandon(self) -> None:
        """Kill it, and hear nothing of it any more."""
        self._close()
        self.kill()

    def _close(self) -> None:
        for pipe in self._pipes:
            pipe.close()

    def kill(self) -> None:
        """
        Kill its whole session; `done` fires when it has ended.

        Its main process is ours to reap: until then the numbers of its group and its session are nobody else's.
        """
        if not self.child.alive:
            return
        self.killed = self._commands.reactor.seconds()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)
        for process in self._commands.table.since(self.killed):
            if process.session == self.child.pid and process.alive:
                processes.send_signal(process, signal.SIGKILL)
        self.child.send_signal(signal.SIGKILL)

    def is_stuck(self, program: Program) -> bool:
        """Tell whether it is a run of this program that was killed, and does not die."""
        return self.program == program and self._commands.reactor.seconds() - self.killed > DYING

    def _ended(self, status: int | None) -> None:
        self._commands.running.remove(self)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)  # what it left in the background, or each look adds to it
        out, err = [pipe.finish() for pipe in self._pipes]
        if not self.done.called:
            self.done.callback(Ended(status, out, err, flooded=any(pipe.flooded for pipe in self._pipes)))


class Commands:
    """All commands under way."""

    def __init__(self, reactor: EPollReactor, children: Children, table: ProcessTable) -> None:
        """Spawn among these children; `table` tells who belongs to a session that is to be killed."""
        self.reactor = reactor
        self.children = children
        self.table = table
        self.running: list[Execution] = []

    def begin(self, program: Program, limit: int = KEPT) -> Execution:
        """Execute a program, `limit` bytes kept of each of its outputs; OSError where it cannot be."""
        execution = Execution(self, program, limit)
        self.running.append(execution)
        return execution

    def run(self, program: Program) -> Deferred[Ended]:
        """Return what comes of a program; the Deferred fails with OSError, and cancelling kills the whole session."""
        stuck = next((one for one in self.running if one.is_stuck(program)), None)
        if stuck:
            why = f"its last run, pid {stuck.child.pid}, cannot be killed"
            return fail(OSError(errno.EBUSY, why, program.argv[0]))
        try:
            return self.begin(program).done
        except OSError as error:
            return fail(error)
