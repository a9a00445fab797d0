"""Pacemaker's tools executed: a command in, a reply out, never longer than its timeout."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred, succeed

from tocsin_daemon.children import Children, Program
from tocsin_daemon.commands import Commands, Execution
from tocsin_daemon.table import ProcessTable
from tocsin_ocf.pacemaker import ENVIRONMENT, Command, End, Reply, Request

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor
    from twisted.python.failure import Failure

    from tocsin_daemon.checks.outside import Ended

_T = TypeVar("_T")
MAX_OUTPUT = 32 * 1024 * 1024
"""Bytes read of a tool's output: the status of a cluster with thousands of resources fits."""


class Tools:
    """Runs commands."""

    def __init__(self, reactor: EPollReactor, children: Children, most: int = MAX_OUTPUT) -> None:
        """Use this clock for timeouts, and these children to spawn; `most` bytes are kept of each output."""
        self._clock = reactor
        self._most = most
        self._commands = Commands(reactor, children, ProcessTable(reactor))

    def run(self, command: Command) -> Deferred[Reply]:
        """Return the reply; cancelling the Deferred kills the tool."""
        try:
            program = Program(command.argv, ENVIRONMENT, stdin=command.stdin.encode())
            execution = self._commands.begin(program, self._most)
        except OSError as error:
            return succeed(Reply(None, stderr=str(error), end=End.NOT_EXECUTED))
        timer = self._clock.callLater(command.timeout, execution.kill)

        def stop_timing(result: Ended | Failure) -> Ended | Failure:
            if timer.active():
                timer.cancel()
            return result

        return execution.done.addBoth(stop_timing).addCallback(_reply, execution)

    def ask(self, request: Request[_T]) -> Deferred[_T]:
        """Return the answer to a request; the Deferred fails with a Fault, and cancelling it kills the tool."""
        return self.run(request).addCallback(request.read)


def _reply(ended: Ended, execution: Execution) -> Reply:
    """Return what a tool answered; what was killed answered nothing."""
    out, err = (text.decode(errors="replace") for text in (ended.output, ended.errors))
    if ended.status is None or ended.status < 0:
        return Reply(None, out, err, End.KILLED if isinf(execution.killed) else End.TIMED_OUT)
    return Reply(ended.status, out, err)
