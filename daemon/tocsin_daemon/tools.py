"""Pacemaker's tools executed: a command in, a reply out, never longer than its timeout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

from tocsin_daemon.children import Children, Program
from tocsin_daemon.commands import Commands
from tocsin_daemon.table import ProcessTable
from tocsin_ocf.pacemaker import ENVIRONMENT, Command, Reply

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor
    from twisted.python.failure import Failure

    from tocsin_daemon.checks.outside import Ended

MAX_OUTPUT = 32 * 1024 * 1024
"""Bytes read of a tool's output: the status of a cluster with thousands of resources fits."""


class Tools:
    """Runs commands."""

    def __init__(self, reactor: EPollReactor, children: Children) -> None:
        """Use this clock for timeouts, and these children to spawn."""
        self._clock = reactor
        self._commands = Commands(reactor, children, ProcessTable(reactor))

    def run(self, command: Command) -> Deferred[Reply]:
        """Return the reply; cancelling the Deferred kills the tool."""
        try:
            execution = self._commands.begin(Program(command.argv, ENVIRONMENT), MAX_OUTPUT)
        except OSError as error:
            return succeed(Reply(None, stderr=str(error)))
        timer = self._clock.callLater(command.timeout, execution.kill)

        def stop_timing(result: Ended | Failure) -> Ended | Failure:
            if timer.active():
                timer.cancel()
            return result

        return execution.done.addBoth(stop_timing).addCallback(_reply)


def _reply(ended: Ended) -> Reply:
    """Return what a tool answered; what was killed answered nothing."""
    out, err = (text.decode(errors="replace") for text in (ended.output, ended.errors))
    return Reply(None if ended.status is None or ended.status < 0 else ended.status, out, err)
