"""What a run leaves behind on the machine: looked for, named, never touched."""

import os
import subprocess
import time
from glob import glob
from pathlib import Path

PATIENCE = 5.0
"""Seconds that what was told to end may take."""
FILES = (
    "/run/tocsin*",
    "/tmp/tocsin*",  # noqa: S108 - looked at, not written
    "/dev/shm/tocsin*",  # noqa: S108 - the same
    "/dev/shm/qb-*",  # noqa: S108 - libqb's, of a cluster that was not private
    "/var/log/tocsin*",
    "/sys/fs/cgroup/tocsin*",
    "/sys/fs/cgroup/unified/tocsin*",
    "/usr/lib/tocsin",
    "/usr/bin/tocsin*",
    "/usr/lib/ocf/resource.d/tocsin",
    "/usr/sbin/policy-rc.d",
)


def look() -> "set[str]":
    """Return everything of the kinds that a run may leave, in words that name it."""
    mounts = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return {
        *(f"mount {fields[4]} ({fields[fields.index('-') + 1]})" for fields in mounts),
        *(f"network namespace {name}" for name in _names("/run/netns")),
        *(f"network interface {name}" for name in _names("/sys/class/net")),
        *(f"file {path}" for pattern in FILES for path in glob(pattern)),
    }


def left(before: "set[str]") -> "list[str]":
    """Return what is there and was not in `before`, processes included, once it has had time to go."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = sorted(look() - before) + descendants(os.getpid())
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def descendants(of: int) -> "list[str]":
    """Return the living processes below `of`. As it adopts orphans, that is whatever a step started and did not end."""
    ps = ["ps", "-e", "-o", "pid=,ppid=,stat=,args="]
    rows = [line.split(None, 3) for line in subprocess.check_output(ps, text=True).splitlines()]
    inside, grew = {of}, True
    while grew:
        children = {int(row[0]) for row in rows if int(row[1]) in inside} - inside
        inside |= children
        grew = bool(children)
    living = [row for row in rows if row[2][0] not in "ZX" and row[3:] != [" ".join(ps)]]
    return [f"process {row[0]}: {row[3][:100]}" for row in living if int(row[0]) in inside - {of}]


def _names(directory: str) -> "list[str]":
    return os.listdir(directory) if os.path.isdir(directory) else []
