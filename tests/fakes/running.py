"""Real services in the real reactor: what tests of them share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from tocsin_daemon.cgroup import Cgroups
from tocsin_daemon.children import Children
from tocsin_daemon.core.stopping import Plan
from tocsin_daemon.output import Output
from tocsin_daemon.service import Service
from tocsin_daemon.table import ProcessTable
from tocsin_ocf import processes
from tocsin_ocf.definition import Definition


def service_in(directory: Path, children: Children, cgroups: Cgroups | None = None) -> Service:
    """Return the service `web`, of which nothing runs."""
    table = ProcessTable(reactor)  # type: ignore[arg-type]
    return Service("web", Output(str(directory / "out")), reactor, children, table, cgroups)  # type: ignore[arg-type]


def end(service: Service) -> None:
    """Leave nothing of a service, whatever the test did."""
    service.cancel()
    if service._cgroup:
        service._cgroup.kill()
    for process in service.members(thorough=True):
        processes.send_signal(process, signal.SIGKILL)


def shell(text: str, user: str = "") -> Definition:
    """Return the definition of a service that is a shell script."""
    return Definition(("/bin/sh", "-c", text), user=user)


def python(text: str, *arguments: str) -> Definition:
    """Return the definition of a service that is a Python script."""
    return Definition((sys.executable, "-ISc", text, *arguments))


def until(true: Callable[[], bool], seconds: float = 10.0) -> Deferred[None]:
    """Wait in the reactor until something is true."""
    if true() or seconds <= 0:
        assert true()
        return deferLater(reactor, 0)  # type: ignore[arg-type]
    return deferLater(reactor, 0.01, until, true, seconds - 0.01)  # type: ignore[arg-type]


def says(service: Service, line: str) -> Callable[[], bool]:
    """Return what is true once a service has written a line."""
    return lambda: line in service.output.drain() or line in service.output.tail


def cleared(service: Service, kill_after: float, seen: list[tuple[str, ...]] | None = None) -> Deferred[None]:
    """Stop a service, and wait until nothing of it is left; `seen` gets the evidence before a KILL."""
    done: Deferred[None] = Deferred()
    on_kill = [].append if seen is None else seen.append
    service.clear(Plan(kill_after), signal.SIGTERM, lambda: done.callback(None), on_kill)
    return done


def dead(pid: int) -> bool:
    """Tell whether a process is gone, zombie and all."""
    return processes.look(pid) is None


def named(service: Service, words: Sequence[str] = ()) -> list[str]:
    """Return the command lines of what belongs to a service, those that hold all the words."""
    lines = []
    for process in service.members(thorough=True):
        path = Path("/proc", str(process.pid), "cmdline")
        lines.append(path.read_bytes().replace(b"\0", b" ").decode() if os.path.exists(path) else "")
    return [line for line in lines if all(word in line for word in words)]
