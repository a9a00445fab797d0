"""Pacemaker's tools executed: a command in, a reply out, never longer than its timeout."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

from tocsin_daemon.children import Child, Children, Program
from tocsin_ocf.pacemaker import ENVIRONMENT, Command, Reply

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

MAX_OUTPUT = 32 * 1024 * 1024
"""Bytes read of a tool's output: the status of a cluster with thousands of resources fits."""
SIGKILL = 9


class Tools:
    """Runs commands."""

    def __init__(self, clock: IReactorTime, children: Children) -> None:
        """Use this clock for timeouts, and these children to spawn."""
        self._clock = clock
        self._children = children

    def run(self, command: Command) -> Deferred[Reply]:
        """
        Return the reply; cancelling the Deferred kills the tool.

        Output goes to memory files, so a tool that writes much never waits for us to read.
        """
        stdout, stderr = os.memfd_create("stdout"), os.memfd_create("stderr")
        program = Program(command.argv, ENVIRONMENT)
        done: Deferred[Reply] = Deferred(lambda _: child.send_signal(SIGKILL))

        def ended(status: int | None) -> None:
            timed_out = not timer.active()
            if not timed_out:
                timer.cancel()
            reply = Reply(None if timed_out or (status or 0) < 0 else status, _read(stdout), _read(stderr))
            if not done.called:
                done.callback(reply)

        try:
            child: Child = self._children.spawn(program, ended, stdout=stdout, stderr=stderr)
        except OSError as error:
            _read(stdout), _read(stderr)
            return succeed(Reply(None, stderr=str(error)))
        timer = self._clock.callLater(command.timeout, child.send_signal, SIGKILL)
        return done


def _read(fd: int) -> str:
    """Return what was written to a memory file, and give it back."""
    try:
        return os.pread(fd, MAX_OUTPUT, 0).decode(errors="replace")
    finally:
        os.close(fd)
