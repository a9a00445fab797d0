"""
The `process` driver: a service that is a program in the foreground.

It is started in a session and, where one can be made, a cgroup of its own, watched through a pidfd, and ended by
ending every process that belongs to it: its cgroup, its session, its descendants, and daemons that left them all
(found by the mark in their environment).
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from tocsin_daemon import environment
from tocsin_daemon.cgroup import Cgroups, cgroup_of
from tocsin_daemon.children import Child, Children, OnEnd, Program
from tocsin_daemon.clearing import Clearing, OnKill
from tocsin_daemon.core.record import Main
from tocsin_daemon.core.stopping import Plan, pause
from tocsin_daemon.output import Output
from tocsin_daemon.table import ProcessTable
from tocsin_ocf import exit_codes, processes
from tocsin_ocf.cgroup import Cgroup, cgroup_at
from tocsin_ocf.local import find_program, local_fault
from tocsin_ocf.processes import MARK, Process

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from tocsin_ocf.definition import Definition

LAST_ENDED = 5
"""Orphans whose end is remembered: what a service is made of may have died before its main process did."""


class CannotStart(Exception):
    """The service cannot be started: an OCF exit code and the reason."""

    def __init__(self, code: int, reason: str) -> None:
        """Keep both."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Service:
    """The processes of one resource, across its incarnations."""

    def __init__(
        self,
        resource: str,
        output: Output,
        clock: IReactorTime,
        children: Children,
        table: ProcessTable,
        cgroups: Cgroups | None = None,
    ) -> None:
        """Prepare for `resource`; nothing runs yet. Without `cgroups` there is none for it."""
        self._table = table
        self._pressed = 0.0
        self.resource = resource
        self.output = output
        self.incarnation = ""
        self.main: Main | None = None
        self.known: dict[int, int] = {}
        self._clock = clock
        self._children = children
        self._cgroups = cgroups
        self._cgroup: Cgroup | None = None
        self._child: Child | None = None
        self._look: IDelayedCall | None = None
        self._ended: deque[str] = deque(maxlen=LAST_ENDED)
        children.heirs[resource] = self._orphan_ended

    def start(self, definition: Definition, incarnation: str, on_end: OnEnd) -> Main:
        """Execute the command; CannotStart with the code and reason that Pacemaker should see."""
        self.incarnation, self.known = incarnation, {}
        self._ended.clear()
        fault = local_fault(definition)
        if fault:
            raise CannotStart(*fault)
        self._take_cgroup()
        program = self._program(definition)
        try:
            fd = self.output.fresh(-1 if program.user is None else program.user)
        except OSError as error:
            raise CannotStart(exit_codes.OCF_ERR_GENERIC, f"its output cannot be kept: {error}") from None
        try:
            self._child = self._children.spawn(program, on_end, stdout=fd, stderr=fd)
        except OSError as error:
            raise CannotStart(*_why(error, definition)) from None
        finally:
            os.close(fd)
        return self._started(self._child)

    def _take_cgroup(self) -> None:
        self._cgroup = self._cgroups.prepare(self.resource) if self._cgroups else None
        left = self._cgroup.pids() if self._cgroup else set()
        if left:
            # Of a start that is on no record. The stop that follows a failed start ends them.
            names = [repr(process) for process in map(processes.look, sorted(left)[:3]) if process]
            raise CannotStart(exit_codes.OCF_ERR_GENERIC, f"left of an earlier start: {', '.join(names)}")

    def _started(self, child: Child) -> Main:
        if self._cgroups and self._cgroup:
            self._cgroups.check(child.pid, self._cgroup)
        path = self._cgroup.path if self._cgroup else ""
        self.main = Main(child.pid, child.start, processes.boot_id(), path)
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
        cgroup = self._cgroup.path if self._cgroup else ""
        directory = definition.directory or "/"
        command = (find_program(definition.command[0]) or definition.command[0], *definition.command[1:])
        return Program(command, variables, directory, user, group, groups, service=True, cgroup=cgroup)

    def adopt(self, main: Main | None, incarnation: str, known: dict[int, int], on_end: OnEnd) -> bool:
        """
        Take over a service that a former daemon started; False where its main process is gone.

        Without `main` that daemon died between the start and writing it down: the cgroup or the mark finds the service.
        """
        self.main, self.incarnation, self.known = main, incarnation, known
        self._cgroup = cgroup_at(main.cgroup) if main else None
        if self._cgroups and not self._cgroup:
            self._cgroup = self._cgroups.find(self.resource)
        self._child = self._children.adopt(main.pid, main.start, on_end) if main else None
        return self._child is not None

    def members(self, *, thorough: bool, since: float | None = None) -> list[Process]:
        """
        Return the living processes of the service, as they were at `since` (the clock's seconds; None: now) or later.

        `thorough` reads the environment of every process as well: dearer, and needed before "nothing is left".
        """
        found = self._cgroup.pids() if self._cgroup else set()
        table = self._table.since(self._clock.seconds() if since is None else since)
        if thorough and self.incarnation:
            found |= processes.marked(self.incarnation, table, self.main.start if self.main else 0)
        main = (self.main.pid, self.main.start) if self.main else (0, 0)
        inside = processes.members(table, main, self.known, found)
        ended = [process for process in table if self.known.get(process.pid) == process.start]  # whose sessions count
        self.known = {process.pid: process.start for process in (*inside, *ended)}
        return processes.observe_stuck(inside)

    def evidence(self) -> tuple[str, ...]:
        """Return what there is to see of the service: its processes, what each waits on, and orphans that ended."""
        return (*processes.evidence(self.members(thorough=False)), *self._ended)

    def _orphan_ended(self, process: Process, status: int) -> bool:
        """
        Note the end of a descendant that had lost its parents, if this is one.

        What it leaves is attributed now: while it is a zombie, its session provably is its own.
        """
        ours = self.known.get(process.pid) == process.start
        ours = ours or (self.main is not None and process.session == self.main.pid and self._child is not None)
        ours = ours or (self._cgroup is not None and cgroup_of(process.pid).endswith(self._cgroup.names))
        if ours:
            self._ended.append(_end_of(process, status))
            if process.pid == process.session:
                self.members(thorough=False)
        return ours

    def clear(
        self, plan: Plan, stop_signal: int, on_cleared: Callable[[], None], on_kill: OnKill = lambda _: None
    ) -> None:
        """
        End every process of the service, then call `on_cleared`; a second call replaces the plan of the first.

        `on_kill` is called at most once, with the evidence, before anything is killed.
        """
        self.cancel()
        self._pressed = self._clock.seconds()
        self._clearing = Clearing(self.main, self._cgroup, plan, self._clock.seconds(), on_kill)
        self._on_cleared = on_cleared
        if self._child:
            if stop_signal == signal.SIGKILL:
                self._clearing.witness(self.members(thorough=False))
            self._child.send_signal(stop_signal)
            self._child.send_signal(signal.SIGCONT)  # a stopped one hears nothing but KILL
        self._look_again(0)

    def look_now(self) -> None:
        """Look for what is left without waiting: the main process of a service that is being ended has ended."""
        self._pressed = self._clock.seconds()
        if self._look and self._look.active():
            self._look.reset(0)

    def cancel(self) -> None:
        """Stop looking."""
        if self._look and self._look.active():
            self._look.cancel()

    def _look_again(self, looks: int) -> None:
        main_lives = self._child is not None and self._child.alive
        wait = self._clearing.time_left(self._clock.seconds())
        if main_lives and looks and wait:  # its pidfd will tell when it ends
            self._look = self._clock.callLater(wait, self._look_again, looks)
            return
        left = self.members(thorough=looks == 0 and not main_lives, since=self._pressed)
        if not left and not main_lives:
            left = self.members(thorough=True, since=self._pressed)
            if not left and (self._cgroup is None or self._cgroup.is_empty()):
                self._cleared()
                return
        if self._clearing.press(left, self._clock.seconds(), main_lives=main_lives):
            looks = 0
        self._pressed = self._clock.seconds()
        self._look = self._clock.callLater(pause(looks), self._look_again, looks + 1)

    def _cleared(self) -> None:
        self._child = None
        if self._cgroup:
            self._cgroup.remove()
        self._on_cleared()


def _end_of(orphan: Process, status: int) -> str:
    how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    return f"{orphan.name}[{orphan.pid}] has ended: {how}"


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
