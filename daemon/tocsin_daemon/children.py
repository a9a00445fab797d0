"""
Processes that the daemon starts or takes over, each watched through a pidfd in the reactor.

A pidfd becomes readable the moment its process ends, for children and for processes of a former daemon alike,
and cannot be fooled by a reused pid. Twisted's own process support is not used: it knows no pidfd, and reaps by
SIGCHLD alone.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from tocsin_daemon.entrance import execute
from tocsin_ocf.processes import Process, look

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet
    from twisted.python.failure import Failure

PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): descendants that lose their parents become our children, not those of pid 1."""

OnEnd = Callable[["int | None"], None]
"""Called once when a process ends: its exit status, negative for a signal, None where only a parent may know."""


class Heir(Protocol):
    """Who orphans may belong to: the service of a resource."""

    def knows(self, process: Process) -> bool:
        """Tell whether a process is one of the service, as far as is known without a look at others."""

    def orphan_ended(self, process: Process, status: int) -> bool:
        """Hear of an orphan that has ended, before it is reaped; True where it was one of the service."""


def become_subreaper() -> None:
    """Let orphaned descendants become our children, so that none of them stays a zombie or leaves our sight."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass(frozen=True)
class Program:
    """
    What to execute and how; `user` None means: as the daemon itself.

    A service becomes independent of the daemon, and starts in `cgroup`, a directory, where it can, or not at all where
    it is `bound`. A tool of ours dies with the daemon, and with its output where it writes without end, unless it is
    `talkative`: then the last of what it writes is kept. `limits` has (soft, hard) by setrlimit's names in lower case;
    `nice` None is what a fresh login has, 0. `stdin` is all that it can read from its standard input.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    directory: str = "/"
    user: int | None = None
    group: int | None = None
    groups: Sequence[int] | None = None
    umask: int = 0o022
    nice: int | None = None
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    service: bool = False
    cgroup: str = ""
    bound: bool = False
    talkative: bool = False
    stdin: bytes = field(default=b"", repr=False)


@implementer(IReadDescriptor)
class Child:
    """One process under watch."""

    def __init__(self, pid: int, start: int, pidfd: int, on_end: OnEnd, children: Children) -> None:
        """Keep the descriptor; `Children` registers it with the reactor."""
        self.pid = pid
        self.start = start
        self.alive = True
        self._pidfd = pidfd
        self._on_end = on_end
        self._children = children

    def fileno(self) -> int:
        """Return the pidfd, as the reactor wants it."""
        return self._pidfd

    def logPrefix(self) -> str:
        """Name this descriptor in the reactor's own messages."""
        return f"pid {self.pid}"

    def doRead(self) -> None:
        """
        Tell that the process ended, and only then reap it.

        While it is a zombie its session is provably its own: the evidence of what it leaves is taken in `on_end`.
        """
        if not self.alive:
            return
        self.alive = False
        self._children.forget(self)
        try:
            self._on_end(exit_status(self._pidfd))
        finally:
            self._reap()

    def _reap(self) -> None:
        try:
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            pass  # a process of a former daemon: its parent reaps it
        finally:
            os.close(self._pidfd)

    def connectionLost(self, reason: Failure) -> None:
        """Nothing is lost here: the reactor goes down, and the process lives on."""

    def send_signal(self, number: int) -> None:
        """Send a signal; a process that has ended meanwhile does not mind."""
        if self.alive:
            try:
                signal.pidfd_send_signal(self._pidfd, number)
            except ProcessLookupError:
                return


def exit_status(pidfd: int) -> int | None:
    """Return the exit status of an ended child without reaping it; None where it is not our child."""
    try:
        result = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if result is None else status_of(result)


def status_of(ended: os.waitid_result) -> int:
    """Return the exit status in what waitid(2) says, negative for a signal."""
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


class Children:
    """All processes under watch, and the reaping of those that nobody waits for."""

    def __init__(self, reactor: IReactorFDSet) -> None:
        """Watch in this reactor."""
        self._reactor = reactor
        self._watched: dict[int, Child] = {}
        self.heirs: dict[str, Heir] = {}
        """Who is asked, by resource, whether an ended orphan was one of theirs."""

    def spawn(self, program: Program, on_end: OnEnd, *, stdout: int, stderr: int) -> Child:
        """Start a program in a session of its own; OSError where it cannot be, as execve(2) says it."""
        pid = execute(program, stdout, stderr)
        return self._watch(pid, os.pidfd_open(pid), on_end)

    def adopt(self, pid: int, start: int, on_end: OnEnd) -> Child | None:
        """Watch a process that somebody else started; None where it is gone, or the pid is a stranger's by now."""
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:  # it is gone, or its number is a thread's by now
            return None
        process = look(pid)
        if process is None or process.start != start or not process.alive:
            os.close(pidfd)
            return None
        return self._watch(pid, pidfd, on_end)

    def _watch(self, pid: int, pidfd: int, on_end: OnEnd) -> Child:
        process = look(pid)
        child = Child(pid, process.start if process else 0, pidfd, on_end, self)
        self._watched[pid] = child
        self._reactor.addReader(child)
        return child

    def forget(self, child: Child) -> None:
        """Stop watching a process."""
        if self._watched.get(child.pid) is child:  # its number may be a new child's already
            del self._watched[child.pid]
        self._reactor.removeReader(child)

    def reap(self) -> None:
        """
        Reap whatever has ended, on SIGCHLD: our own through their pidfds, adopted orphans here.

        WNOWAIT looks before it takes, for nobody else could tell the exit status of a service afterwards.
        """
        flags = os.WEXITED | os.WNOHANG
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, flags | os.WNOWAIT)
                if ended is None:
                    return
                if ended.si_pid in self._watched:
                    self._watched[ended.si_pid].doRead()
                else:
                    self._tell_heir(ended.si_pid, status_of(ended))
                    os.waitid(os.P_PID, ended.si_pid, flags)
            except ChildProcessError:
                return

    def _tell_heir(self, pid: int, status: int) -> None:
        """Tell whose orphan has ended while it is a zombie: as long as its pid, session and cgroup are its own."""
        process = look(pid)
        if process:
            any(heir.orphan_ended(process, status) for heir in list(self.heirs.values()))

    def is_stray(self, process: Process) -> bool:
        """
        Tell whether a process is an orphan that is nobody's yet.

        It provably comes of something that we started: who loses his parents becomes our child.
        """
        ours = process.parent == os.getpid() and process.pid not in self._watched
        return ours and not any(heir.knows(process) for heir in self.heirs.values())
