"""
Where systemd runs, a service that has limits is born in its scope, which has them before anything of it runs.

A scope needs a process to be made. A keeper of ours is that until the service has been born beside it. Limits that
systemd knows are properties, or it would set them back one day; then all are written, which also finds out whether
they hold.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater

from tocsin_daemon import scope
from tocsin_daemon.cgroup import CannotLimit, cgroup_of, write
from tocsin_daemon.children import Child, Program
from tocsin_daemon.tools import Tools

if TYPE_CHECKING:
    from tocsin_daemon.drivers import Means
    from tocsin_ocf.cgroup import Cgroup

KEEPER = ("/bin/sleep", "60")
PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each further look whether the keeper is in the scope, or systemd has forgotten the last one."""
PROPERTIES = {
    "memory.max": "MemoryMax",
    "memory.high": "MemoryHigh",
    "memory.low": "MemoryLow",
    "memory.min": "MemoryMin",
    "memory.swap.max": "MemorySwapMax",
    "pids.max": "TasksMax",
    "cpu.weight": "CPUWeight",
    "io.weight": "IOWeight",
}
"""systemd.resource-control(5), for each the file that it is written to."""
ACCOUNTING = {"memory": "MemoryAccounting", "pids": "TasksAccounting", "cpu": "CPUAccounting", "io": "IOAccounting"}
"""Has the controller enabled, where a file has no property."""
SUFFIXES = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
PERIOD = 100_000
"""Microseconds, where cpu.max names none."""


@inlineCallbacks
def in_scope(
    name: str, limits: Mapping[str, str], means: Means, found: Callable[[], Cgroup | None], born: Callable[[str], None]
) -> Generator[Deferred[Any], Any, None]:
    """
    Make the scope `name`, and call `born` with its directory; CannotLimit. It can be cancelled until then.

    `found` tells where it is, once it is there.
    """
    null = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
    try:
        keeper = means.children.spawn(Program(KEEPER, {}), lambda _: None, stdout=null, stderr=null)
    finally:
        os.close(null)
    try:
        yield _make(name, keeper, limits, means)
        for pause in PAUSES:
            if cgroup_of(keeper.pid).endswith(f"/{name}"):
                break
            yield deferLater(means.reactor, pause)
        cgroup = found()
        for file, value in limits.items():
            if cgroup is None:
                raise CannotLimit(file, f"{name} is nowhere to be seen")
            write(cgroup.paths[1], file, value)
        born(cgroup.paths[1] if cgroup else "")
    finally:
        keeper.send_signal(signal.SIGKILL)


@inlineCallbacks
def _make(name: str, keeper: Child, limits: Mapping[str, str], means: Means) -> Generator[Deferred[Any], Any, None]:
    """Have systemd make the scope; one of this name may still be there, empty, from the last time."""
    tools = Tools(means.reactor, means.children)
    for pause in PAUSES:
        reply = yield tools.run(scope.start(name, [keeper.pid], properties(limits)))
        if reply.code == 0:
            return
        yield deferLater(means.reactor, pause)
    raise CannotLimit(next(iter(limits)), f"systemd does not make {name}: {reply.why}")


def properties(limits: Mapping[str, str]) -> list[tuple[object, ...]]:
    """Return what systemd is to know of limits: name, type and value."""
    known: dict[str, tuple[object, ...]] = {}
    for file, value in limits.items():
        accounting = ACCOUNTING.get(file.partition(".")[0])
        if accounting:
            known[accounting] = ("b", "true")
        number = _number(value)
        if file in PROPERTIES and number is not None:
            known[PROPERTIES[file]] = ("t", number)
        if file == "cpu.max":
            known.update(_quota(value))
    return [(name, *words) for name, words in known.items()]


def _quota(value: str) -> dict[str, tuple[object, ...]]:
    """Return cpu.max, such as "50000 100000" or "max", as microseconds per second, and the period in microseconds."""
    words = [_number(word) for word in value.split()]
    quota, period = words[0] if words else None, (words[1] if len(words) > 1 else None) or PERIOD
    if quota is None:
        return {}
    per_second = quota if quota == scope.INFINITE else quota * 1_000_000 // period
    return {"CPUQuotaPerSecUSec": ("t", per_second), "CPUQuotaPeriodUSec": ("t", period)}


def _number(text: str) -> int | None:
    """Return "max", 4096, 2G or "default 100" as systemd has it; None where it is something else."""
    word = text.strip().removeprefix("default ")
    if word == "max":
        return scope.INFINITE
    factor = SUFFIXES.get(word[-1:].upper(), 1)
    digits = word if factor == 1 else word[:-1]
    return int(digits) * factor if digits.isascii() and digits.isdigit() else None
