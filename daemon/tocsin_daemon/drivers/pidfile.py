"""
The `pidfile` driver: a command that forks a daemon, says its pid in a file, and exits.

The start is over when the command has exited with status 0 and the file names a process that provably is one of this
service, begun after it was started. Whatever else stands in the file is ignored until it changes: remains of an
earlier life, another's pid, rubbish; the daemon's user may write there what he likes, and what it names gets killed.
We never remove the file.

It is looked at again and again, calmly. inotify would not save that: neither the directory nor the pid's process need
be there when it is written, the name may be a link, and what is read at once may be half of it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_daemon.core import cause
from tocsin_daemon.core.record import Main
from tocsin_daemon.core.stopping import pause
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_daemon.environment import read_regular
from tocsin_ocf import processes
from tocsin_ocf.processes import Process
from tocsin_ocf.programs import find_program

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IDelayedCall

    from tocsin_daemon.children import Child
    from tocsin_daemon.core.stopping import Plan
    from tocsin_daemon.driver import OnKill, Told
    from tocsin_daemon.drivers import Means
    from tocsin_ocf.definition import Definition

log = Logger()

MOST_BYTES = 4096
"""Of a pid file: PostgreSQL's has eight lines, the first of which counts."""
HIGHEST_PID = 2**22
"""PID_MAX_LIMIT, see proc(5)."""
FEW_LOOKS = 3
"""How often a process is looked at thoroughly that the file names and that seems to be a stranger."""


class PidfileDriver(ProcessDriver):
    """The daemon of one resource, across its incarnations."""

    def __init__(self, resource: str, means: Means) -> None:
        """Prepare for `resource`; nothing runs yet."""
        super().__init__(resource, means)
        self._path = ""
        self._look: IDelayedCall | None = None
        self._program = ""
        self._refused: dict[tuple[int, int], int] = {}

    def start(self, definition: Definition, incarnation: str, told: Told) -> None:
        """Execute the command; the service is up when the daemon that it forks is found."""
        self._expect(definition)
        self._launch(definition, incarnation, told, self._command_ended)

    def _launched(self, child: Child) -> None:
        """Wait for its end, now that the command is executed."""

    def _expect(self, definition: Definition | None) -> None:
        self._path = definition.pidfile if definition else ""
        command = definition.command[0] if definition and definition.command else ""
        self._program = os.path.realpath(find_program(command) or command)
        self._refused.clear()

    def _command_ended(self, incarnation: str, status: int | None) -> None:
        """Look for the daemon, now that the command has ended, while its session provably is its own."""
        if incarnation != self._service.incarnation or self._clearing or status != 0:
            self._main_ended(incarnation, status)
            return
        self._child = None
        self._service.living(thorough=True)
        self._look_for_daemon(0)

    def _look_for_daemon(self, looks: int) -> None:
        self._look = None
        if self._take_named():
            self._tell_up(self._service.incarnation)
        elif self._is_gone():
            told, self._told = self._told, None
            assert told, "whoever clears it ends the looking"
            told.ended(None, "; ".join(filter(None, (self._missing(), self._service.cause()))))
        else:
            self._look = self._means.reactor.callLater(pause(looks), self._look_for_daemon, looks + 1)

    def _missing(self) -> str:
        wrote = "names no process of it" if os.path.exists(self._path) else "was not written"
        return f"its command exited with status 0, nothing of the service runs, and {self._path} {wrote}"

    def _is_gone(self) -> bool:
        """Tell whether nothing is left that could still become, or start, the daemon; the cheap look comes first."""
        for pid, start in self._service.known.items():
            process = processes.look(pid)
            if process and process.start == start and process.alive:
                return False
        return not self._service.living(thorough=True) and not self._service.strays()

    def _tell_up(self, incarnation: str) -> None:
        if self._told and self.main and incarnation == self._service.incarnation:
            self._told.up(self.main)

    def _take_named(self) -> bool:
        """Watch the process that the pid file names as the main one; False where it names none of this service."""
        process = self._named()
        main = process and self._service.identified(process.pid, process.start)
        if not main or not self._watch_main(main):
            return False
        self._service.main = main
        self._note_program(main.pid)
        return True

    def _named(self) -> Process | None:
        pid = read_pid(self._path)
        process = processes.look(pid) if pid else None
        if process is None or not process.alive or process.start < self._service.root[1]:
            return None  # of an earlier life
        looks = self._refused.get((process.pid, process.start), 0)
        if looks < FEW_LOOKS and self._service.claim(process):
            return process
        if looks == FEW_LOOKS:
            log.warn(
                "{resource}: {path} names {process!r}, which is none of its processes: ignored until it changes",
                resource=self.resource,
                path=self._path,
                process=process,
            )
        self._refused[process.pid, process.start] = looks + 1
        return None

    def _note_program(self, pid: int) -> None:
        """Log what runs where that is not the command: a script or start-stop-daemon started it."""
        try:
            program = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            return
        if program != self._program:
            log.info("{resource}: its main process {pid} is {exe}", resource=self.resource, pid=pid, exe=program)

    def adopt(
        self, definition: Definition | None, main: Main | None, incarnation: str, known: dict[int, int], told: Told
    ) -> bool:
        """Take over what a former daemon started; its main process may have been replaced meanwhile."""
        self._expect(definition)
        if super().adopt(definition, main, incarnation, known, told):
            return True
        if main is None or not self._take_named():
            return False
        self._means.reactor.callLater(0, self._tell_up, incarnation)
        return True

    def _main_ended(self, incarnation: str, status: int | None) -> None:
        """Tell of the end, unless the daemon has put another process into its place, as for an upgrade of itself."""
        if incarnation == self._service.incarnation and self._told and self.main and self._take_named():
            log.info("{resource}: its main process ended, {main} follows", resource=self.resource, main=self.main)
            self._tell_up(incarnation)
        else:
            super()._main_ended(incarnation, status)

    def _why(self, status: int | None) -> str:
        """Say how it ended, in other words than of a program of ours."""
        if self.main and status is not None:
            return super()._why(status)
        if self.main:
            how = f"main process {self.main.pid} ended; its exit status only its parent knows, which is not tocsind"
        else:
            how = f"its command {'ended' if status is None else cause.came_to(status)}"
        return "; ".join(filter(None, (how, self._service.cause())))

    def clear(self, plan: Plan, stop_signal: int, on_cleared: Callable[[], None], on_kill: OnKill) -> None:
        """End every process of the service."""
        if self._look and self._look.active():
            self._look.cancel()
        super().clear(plan, stop_signal, on_cleared, on_kill)


def read_pid(path: str) -> int | None:
    """Return the pid in the first line of a file; None where there is none, or what could be nobody's."""
    try:
        word = read_regular(path, MOST_BYTES).partition(b"\n")[0].strip()
    except (OSError, ValueError):
        return None
    pid = int(word) if word.isdigit() and len(word) <= len(str(HIGHEST_PID)) else 0
    return pid if 1 < pid <= HIGHEST_PID and pid != os.getpid() else None
