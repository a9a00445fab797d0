"""A cgroup for one run, so that what an agent makes of them is seen, and nobody else's."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tocsin_ocf.testing.places import mount

CLONE_NEWCGROUP = 0x02000000
MNT_DETACH = 2


@contextmanager
def own_cgroup() -> Iterator[str]:
    """Make a cgroup below ours, yield its directory, "" where none can be made, and remove it with all in it."""
    path = f"{hierarchy()}{_ours()}/tocsin-test-{os.getpid()}"
    try:
        os.mkdir(path)
    except OSError:
        yield ""
        return
    try:
        yield path
    finally:
        for directory, _, _ in os.walk(path, topdown=False):
            with suppress(OSError):  # a process that does not die keeps it
                os.rmdir(directory)


def hierarchy() -> str:
    """Return where the cgroups of version 2 are; a directory that is not there where they are nowhere."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        found = [line.split()[4] for line in file if line.partition(" - ")[2].startswith("cgroup2 ")]
    return found[0] if found else "/nonexistent"


def _ours() -> str:
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        found = [line.strip()[3:] for line in file if line.startswith("0::")]
    return found[0].rstrip("/") if found else ""


def enter(path: str) -> None:
    """Move ourselves into the cgroup, and make it the root of all that is seen from now on."""
    with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
        file.write("0")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWCGROUP):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)


def show() -> str:
    """Mount the hierarchy anew, to be written to, and return where."""
    place = hierarchy()
    ctypes.CDLL(None).umount2(place.encode(), MNT_DETACH)  # nothing is mounted twice over itself
    mount("cgroup2", place, "cgroup2")
    return place
