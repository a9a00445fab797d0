"""What an agent leaves: files, processes, System V IPC and cgroups, each known by a name that lasts."""

from __future__ import annotations

import os
from collections.abc import Iterator

VOLATILE = ("/run/", "/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108 what is looked at
UNWATCHED = ("/var/log/", "/run/utmp", "/dev/log")
IPC = ("shm", "sem", "msg")
Traces = dict[str, str]
"""Name, such as "file /run/x" or "process 12", to the name with what a reader wants to know."""


def look(*, isolated: bool, cgroups: str = "") -> Traces:
    """
    Return everything that is there now and could have been left.

    Outside namespaces only our own descendants: of the rest nobody could tell whose it is.
    """
    found = {f"process {pid}": f"process {pid} {command(pid)}" for pid in processes(everyone=isolated)}
    names: list[str] = []
    if isolated:
        names += [_kind(path) for place in ("/run", "/tmp", "/var", "/dev/shm") for path in files(place)]  # noqa: S108
        names += [f"ipc {name}" for name in ipc()]
    names += [f"cgroup {path}" for path in directories(cgroups)] if cgroups else []
    return {**found, **{name: name for name in names}}


def _kind(path: str) -> str:
    return f"file {path}" if path.startswith(VOLATILE) else f"data {path}"


def files(place: str) -> Iterator[str]:
    """Yield the files below a place; an empty directory is nothing to clean up."""
    for directory, _, names in os.walk(place):
        for name in names:
            path = f"{directory}/{name}"
            if not path.startswith(UNWATCHED):
                yield path


def directories(place: str) -> Iterator[str]:
    """Yield the directories below a place."""
    for directory, names, _ in os.walk(place):
        yield from (f"{directory}/{name}" for name in names)


def processes(*, everyone: bool) -> Iterator[int]:
    """Yield the processes but ourselves that are not zombies; all of them, or those that descend from us."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        found = _stat(int(name))
        if found and found[0] not in "ZX":
            parents[int(name)] = found[1]
    for pid in sorted(parents):
        if pid != os.getpid() and (everyone or _descends(pid, parents)):
            yield pid


def _descends(pid: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != os.getpid():
        pid = parents[pid]
    return pid == os.getpid()


def _stat(pid: int) -> tuple[str, int] | None:
    """Return state and parent of a process, None of one that is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            words = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return words[0], int(words[1])


def command(pid: int) -> str:
    """Return the command line of a process, "?" of one that is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().replace("\0", " ").strip() or "?"
    except OSError:
        return "?"


def ipc() -> Iterator[str]:
    """Yield the kind and id of what System V IPC holds."""
    for kind in IPC:
        try:
            with open(f"/proc/sysvipc/{kind}", encoding="ascii") as file:
                yield from (f"{kind} {line.split()[1]}" for line in file.readlines()[1:])
        except OSError:  # a kernel without it
            continue
