"""Real services in the real reactor: what tests of them share."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater

from tocsin_daemon.cgroup import Cgroups
from tocsin_daemon.children import PR_SET_CHILD_SUBREAPER, Children, become_subreaper
from tocsin_daemon.core.record import Main
from tocsin_daemon.core.stopping import Plan
from tocsin_daemon.drivers import Means
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_daemon.table import ProcessTable
from tocsin_ocf import processes
from tocsin_ocf.cgroup import Cgroup
from tocsin_ocf.definition import Definition

RESOURCE = f"web-{os.getpid()}"
"""
No other test's, nor one of this machine: where a record is lost, whatever names the resource in its environment is of
it, and ended with it.
"""


def ours(name: str) -> str:
    """Return an incarnation that no test has which runs beside this one: its mark is looked for everywhere."""
    return f"{name}-{os.getpid()}"


class Heard:
    """Stands for the resource that a driver tells: keeps what it hears."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self.ups: list[Main | None] = []
        self.ends: list[tuple[int | None, str]] = []
        self.end: Deferred[int | None] = Deferred()

    def up(self, main: Main | None) -> None:
        """Hear that the service runs."""
        self.ups.append(main)

    def refused(self, code: int, reason: str) -> None:
        """Hear that it was not started after all."""
        self.ended(None, f"{code}: {reason}")

    def ended(self, status: int | None, why: str = "") -> None:
        """Hear that the service has ended; once, or `end` fails."""
        self.ends.append((status, why))
        self.end.callback(status)


def means_in(directory: Path, children: Children, cgroups: Cgroups | None = None) -> Means:
    """Return what the drivers of one daemon may use."""
    table = ProcessTable(reactor)  # type: ignore[arg-type]
    return Means(reactor, children, table, str(directory), cgroups)  # type: ignore[arg-type]


def service_in(directory: Path, children: Children, cgroups: Cgroups | None = None) -> ProcessDriver:
    """Return the service, of which nothing runs."""
    return ProcessDriver(RESOURCE, means_in(directory, children, cgroups))


def started(service: ProcessDriver, definition: Definition, incarnation: str, told: Heard | None = None) -> Main:
    """Start a service, and return its main process."""
    service.start(definition, incarnation, told or Heard())
    assert service.main
    return service.main


def end(service: ProcessDriver) -> None:
    """Leave nothing of a service, whatever the test did."""
    service.cancel()
    cgroup = service._service.cgroup
    if cgroup:
        cgroup.kill()
    for process in service.members(thorough=True):
        processes.send_signal(process, signal.SIGKILL)
    if cgroup:
        _remove(cgroup)


def _remove(cgroup: Cgroup) -> None:
    deadline = monotonic() + 5
    while not cgroup.is_empty() and monotonic() < deadline:
        cgroup.kill()
    cgroup.remove()
    assert not os.path.exists(cgroup.path)


def shell(text: str, user: str = "") -> Definition:
    """Return the definition of a service that is a shell script."""
    return Definition(("/bin/sh", "-c", text), user=user)


def python(text: str, *arguments: str) -> Definition:
    """Return the definition of a service that is a Python script."""
    return Definition((sys.executable, "-ISc", text, *arguments))


def until(true: Callable[[], bool], seconds: float = 10.0) -> Deferred[None]:
    """Wait in the reactor until something is true."""
    found = true()  # asked once: what was true may not stay so
    assert found or seconds > 0
    if found:
        return deferLater(reactor, 0)  # type: ignore[arg-type]
    return deferLater(reactor, 0.01, until, true, seconds - 0.01)  # type: ignore[arg-type]


def says(service: ProcessDriver, line: str) -> Callable[[], bool]:
    """Return what is true once a service has written a line."""
    return lambda: line in service.output.drain() or line in service.output.tail


def cleared(
    service: ProcessDriver,
    kill_after: float,
    seen: list[tuple[str, ...]] | None = None,
    number: int = signal.SIGTERM,
) -> Deferred[None]:
    """Stop a service, and wait until nothing of it is left; `seen` gets the evidence before a KILL."""
    done: Deferred[None] = Deferred()
    on_kill = [].append if seen is None else seen.append
    service.clear(Plan(kill_after), number, lambda: done.callback(None), on_kill)
    return done


@contextmanager
def subreaping(children: Children) -> Iterator[None]:
    """Get the orphans, as the daemon does, and reap them; not on SIGCHLD, which is the reactor's from its first run."""
    become_subreaper()
    reaping = LoopingCall(children.reap)
    reaping.start(0.01)
    try:
        yield
    finally:
        reaping.stop()
        children.reap()
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def dead(pid: int) -> bool:
    """Tell whether a process is gone, zombie and all."""
    return processes.look(pid) is None


def pids(service: ProcessDriver) -> list[int]:
    """Return the pids of what lives of a service, however it is found."""
    return [process.pid for process in service.members(thorough=True)]


def named(service: ProcessDriver, words: Sequence[str] = ()) -> list[str]:
    """Return the command lines of what belongs to a service, those that hold all the words."""
    lines = []
    for process in service.members(thorough=True):
        path = Path("/proc", str(process.pid), "cmdline")
        lines.append(path.read_bytes().replace(b"\0", b" ").decode() if os.path.exists(path) else "")
    return [line for line in lines if all(word in line for word in words)]
