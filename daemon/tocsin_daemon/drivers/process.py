"""
The `process` driver: a service that is a program in the foreground.

It is started in a session and, where one can be made, a cgroup of its own, watched through a pidfd, and ended by
ending every process that belongs to it.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from tocsin_daemon.cgroup import CannotLimit, limit
from tocsin_daemon.core import cause
from tocsin_daemon.core.record import Main
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.drivers.clearing import Clearing
from tocsin_daemon.drivers.enclosing import in_scope
from tocsin_daemon.drivers.launching import launch, prepare
from tocsin_daemon.drivers.membership import Membership
from tocsin_daemon.output import Output
from tocsin_ocf.exit_codes import OCF_ERR_INSTALLED
from tocsin_ocf.processes import Process

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from tocsin_daemon.children import Child, OnEnd
    from tocsin_daemon.core.stopping import Plan
    from tocsin_daemon.driver import OnKill, Told
    from tocsin_daemon.drivers import Means
    from tocsin_ocf.cgroup import Cgroup
    from tocsin_ocf.definition import Definition

log = Logger()


class ProcessDriver:
    """The program of one resource, across its incarnations."""

    def __init__(self, resource: str, means: Means) -> None:
        """Prepare for `resource`; nothing runs yet."""
        self.resource = resource
        self.output = Output(f"{means.output}/{resource}")
        self._means = means
        self._service = Membership(resource, means)
        self._child: Child | None = None
        self._told: Told | None = None
        self._clearing: Clearing | None = None
        self._enclosing: Deferred[None] | None = None

    @property
    def main(self) -> Main | None:
        """Return the main process, running or ended."""
        return self._service.main

    @property
    def known(self) -> dict[int, int]:
        """Return the processes known to be of the service, pid to start time."""
        return self._service.known

    def start(self, definition: Definition, incarnation: str, told: Told) -> None:
        """Execute the command; it is up as soon as it is executed."""
        self._launch(definition, incarnation, told, self._main_ended)

    def _launched(self, child: Child) -> None:
        """Tell that it is up, now that it is executed."""
        assert self._told, "whoever clears it cancels its launch"
        self._service.main = self._service.identified(child.pid, child.start)
        self._told.up(self._service.main)

    def _launch(
        self, definition: Definition, incarnation: str, told: Told, on_end: Callable[[str, int | None], None]
    ) -> None:
        """Execute the command, at once or when systemd has made a scope with its limits; CannotStart."""
        self._service.begin(incarnation)
        self._told = self._clearing = self._child = None
        execute = partial(self._execute, definition, partial(on_end, incarnation), told)
        if prepare(definition, self._service, self._means):
            execute()
            return
        assert self._service.cgroup, "a scope is one"
        self._told = told
        name = self._service.cgroup.names[1][1:]
        self._enclosing = in_scope(name, definition.cgroup, self._means, self._scope, execute)
        self._enclosing.addErrback(self._not_enclosed, incarnation)

    def _scope(self) -> Cgroup | None:
        assert self._means.cgroups, "systemd sets limits for who has cgroups"
        self._service.cgroup = self._means.cgroups.scope(self.resource) or self._service.cgroup
        return self._service.cgroup

    def _execute(self, definition: Definition, on_end: OnEnd, told: Told, scope: str = "") -> None:
        self._child = launch(definition, self._service, self._means, self.output, on_end, scope)
        self._told = told
        self._service.rooted(self._child.pid, self._child.start)
        self._launched(self._child)

    def _not_enclosed(self, failure: Failure, incarnation: str) -> None:
        """Tell why the service was not started after all."""
        told = self._told if incarnation == self._service.incarnation else None
        if failure.check(CancelledError) or not told:
            return
        if not failure.check(CannotLimit, CannotStart):
            log.failure("{resource}: its start failed", failure, resource=self.resource)
        self._told = None
        code = failure.value.code if isinstance(failure.value, CannotStart) else OCF_ERR_INSTALLED
        told.refused(code, failure.getErrorMessage())

    def adopt(
        self, definition: Definition | None, main: Main | None, incarnation: str, known: dict[int, int], told: Told
    ) -> bool:
        """Take over a service that a former daemon started; False where its main process is gone."""
        self._service.take_over(main, incarnation, known)
        if main is None:
            return False
        self._told = told
        return self._watch_main(main)

    def _watch_main(self, main: Main) -> bool:
        """Watch a main process that we did not start; False where it is gone."""
        on_end = partial(self._main_ended, self._service.incarnation)
        self._child = self._means.children.adopt(main.pid, main.start, on_end)
        self._service.leader = main.pid if self._child else 0
        return self._child is not None

    def _main_ended(self, incarnation: str, status: int | None) -> None:
        """Tell that the service has ended; one that is being ended is only looked at."""
        if incarnation != self._service.incarnation:
            return  # a former one, of which a process could not be killed until now
        told, self._told = self._told, None
        if self._clearing:
            self._clearing.look_now()
        elif told:
            told.ended(status, self._why(status))

    def _why(self, status: int | None) -> str:
        """Say what there is to say beyond the exit status."""
        pid, more = self.main.pid if self.main else 0, self._service.cause()
        return f"{cause.ended(pid, status)}; {more}" if more else ""

    def relimit(self, definition: Definition) -> bool:
        """Apply limits to every process that lives; those of a scope are systemd's to set, and wait."""
        if definition.cgroup and self._means.cgroups and self._means.cgroups.is_scope(self.resource):
            return False
        try:
            if definition.cgroup:
                limit(self._service.cgroup, definition.cgroup)
            for process in self._service.living(thorough=False):
                _relimit(process.pid, definition)
        except (CannotLimit, OSError, ValueError, AttributeError) as error:
            log.warn("{resource}: not limited yet: {why}", resource=self.resource, why=str(error))
            return False
        return True

    def members(self, *, thorough: bool, age: float = 0.0) -> list[Process]:
        """Return the living processes of the service, as they were `age` seconds ago at most."""
        return self._service.living(thorough=thorough, since=self._means.reactor.seconds() - age)

    def evidence(self) -> tuple[str, ...]:
        """Return what there is to see of the service: its processes, what each waits on, and orphans that ended."""
        return self._service.evidence()

    def left(self) -> list[str]:
        """Name what still runs."""
        return [repr(process) for process in self._service.living(thorough=True)]

    def clear(self, plan: Plan, stop_signal: int, on_cleared: Callable[[], None], on_kill: OnKill) -> None:
        """End every process of the service, then call `on_cleared`; a second call replaces the plan of the first."""
        self.cancel()
        self._told = None
        if self._enclosing:
            self._enclosing.cancel()
        self._clearing = Clearing(self._service, self._child, self._means.reactor, plan, on_kill)
        self._clearing.begin(stop_signal, partial(self._cleared, on_cleared))

    def _cleared(self, on_cleared: Callable[[], None]) -> None:
        self._child = self._clearing = None
        self._service.leader = 0
        if self._service.cgroup:
            self._service.cgroup.remove()
        on_cleared()

    def cancel(self) -> None:
        """Stop looking."""
        if self._clearing:
            self._clearing.cancel()


def _relimit(pid: int, definition: Definition) -> None:
    for name, (soft, hard) in definition.limits.items():
        with suppress(ProcessLookupError):
            resource.prlimit(pid, getattr(resource, f"RLIMIT_{name.upper()}"), (soft, hard))
