"""
The `process` driver: a service that is a program in the foreground.

It is started in a session of its own, watched through a pidfd, and ended by ending every process that belongs
to it: its session, its descendants, and daemons that left both (found by the mark in their environment).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from tocsin_daemon import environment
from tocsin_daemon.children import Child, Children, OnEnd, Program
from tocsin_daemon.core.record import Main
from tocsin_daemon.core.stopping import Plan, pause
from tocsin_daemon.output import Output
from tocsin_ocf import exit_codes, processes
from tocsin_ocf.local import local_fault
from tocsin_ocf.processes import MARK, Process

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from tocsin_ocf.definition import Definition


class CannotStart(Exception):
    """The service cannot be started: an OCF exit code and the reason."""

    def __init__(self, code: int, reason: str) -> None:
        """Keep both."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Service:
    """The processes of one resource, across its incarnations."""

    def __init__(self, resource: str, output: Output, clock: IReactorTime, children: Children) -> None:
        """Prepare for `resource`; nothing runs yet."""
        self.resource = resource
        self.output = output
        self.incarnation = ""
        self.main: Main | None = None
        self.known: dict[int, int] = {}
        self._clock = clock
        self._children = children
        self._child: Child | None = None
        self._look: IDelayedCall | None = None

    def start(self, definition: Definition, incarnation: str, on_end: OnEnd) -> Main:
        """Execute the command; CannotStart with the code and reason that Pacemaker should see."""
        self.incarnation, self.known = incarnation, {}
        fault = local_fault(definition)
        if fault:
            raise CannotStart(*fault)
        program = self._program(definition)
        fd = self.output.fresh()
        try:
            self._child = self._children.spawn(program, on_end, stdout=fd, stderr=fd)
        except OSError as error:
            raise CannotStart(*_why(error, definition)) from None
        finally:
            os.close(fd)
        self.main = Main(self._child.pid, self._child.start, processes.boot_id())
        return self.main

    def _program(self, definition: Definition) -> Program:
        own = {MARK: self.incarnation, "TOCSIN_RESOURCE": self.resource}
        try:
            user, group, groups = environment.identity(definition.user, definition.group)
            variables = environment.of_service(definition.user, definition.environment_file, own)
        except KeyError as error:
            raise CannotStart(exit_codes.OCF_ERR_INSTALLED, f"no such user or group: {error}") from None
        except environment.BadEnvironment as error:
            raise CannotStart(exit_codes.OCF_ERR_ARGS, str(error)) from None
        except OSError as error:
            raise CannotStart(*_why(error, definition)) from None
        return Program(definition.command, variables, definition.directory or "/", user, group, groups)

    def adopt(self, main: Main | None, incarnation: str, known: dict[int, int], on_end: OnEnd) -> bool:
        """
        Take over a service that a former daemon started; False where its main process is gone.

        Without `main` that daemon died between the start and writing it down: only the mark finds the service.
        """
        self.main, self.incarnation, self.known = main, incarnation, known
        self._child = self._children.adopt(main.pid, main.start, on_end) if main else None
        return self._child is not None

    def members(self, *, thorough: bool) -> list[Process]:
        """
        Return the living processes of the service.

        `thorough` reads the environment of every process as well: dearer, and needed before "nothing is left".
        """
        table = processes.snapshot()
        found = processes.marked(self.incarnation, table) if thorough and self.incarnation else set()
        main = (self.main.pid, self.main.start) if self.main else (0, 0)
        inside = processes.members(table, main, self.known, found)
        self.known.update({process.pid: process.start for process in inside})
        return inside

    def clear(self, plan: Plan, stop_signal: int, on_cleared: Callable[[], None]) -> None:
        """End every process of the service, then call `on_cleared`; a second call replaces the plan of the first."""
        self.cancel()
        self._clearing = _Clearing(self.main, plan, self._clock.seconds())
        self._on_cleared = on_cleared
        if self._child:
            self._child.send_signal(stop_signal)
        self._look_again(0)

    def look_now(self) -> None:
        """Look for what is left without waiting: the main process of a service that is being ended has ended."""
        if self._look and self._look.active():
            self._look.reset(0)

    def cancel(self) -> None:
        """Stop looking."""
        if self._look and self._look.active():
            self._look.cancel()

    def _look_again(self, looks: int) -> None:
        main_lives = self._child is not None and self._child.alive
        left = self.members(thorough=looks == 0 and not main_lives)
        if not left and not main_lives:
            left = self.members(thorough=True)
            if not left:
                self._child = None
                self._on_cleared()
                return
        self._clearing.press(left, self._clock.seconds(), main_lives=main_lives)
        self._look = self._clock.callLater(pause(looks), self._look_again, looks + 1)


class _Clearing:
    """How far the ending of a service has got."""

    def __init__(self, main: Main | None, plan: Plan, begun: float) -> None:
        """Begin where the main process has just been sent its stop signal."""
        self._plan = plan
        self._begun = begun
        self._asked = {main.pid} if main else set()

    def press(self, left: list[Process], now: float, *, main_lives: bool) -> None:
        """Terminate what the main process left behind, once each; kill whatever is left when the time is over."""
        late = now - self._begun >= self._plan.kill_after
        for process in left:
            if late:
                processes.send_signal(process, signal.SIGKILL)
            elif not main_lives and process.pid not in self._asked:
                self._asked.add(process.pid)
                processes.send_signal(process, signal.SIGTERM)


def _why(error: OSError, definition: Definition) -> tuple[int, str]:
    """Return the exit code and reason for a failed execve(2), chdir(2) or open(2)."""
    what = f"cannot start {definition.command[0]}: {error.strerror}"
    if error.filename and error.filename != definition.command[0]:
        what += f": {os.fsdecode(error.filename)}"
    codes = {
        FileNotFoundError: exit_codes.OCF_ERR_INSTALLED,
        NotADirectoryError: exit_codes.OCF_ERR_INSTALLED,
        PermissionError: exit_codes.OCF_ERR_PERM,
    }
    return codes.get(type(error), exit_codes.OCF_ERR_GENERIC), what
