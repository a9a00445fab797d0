"""The machine's own cgroups, under a port on which nobody listens; machines that have others; and hard cases."""

from __future__ import annotations

import os

from tests.requirements import require
from tocsin_daemon.cgroup import Cgroups

PORT = 50000 + os.getpid() % 10000
"""It only names our cgroups."""
MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
38 31 0:35 / /sys/fs/cgroup/pids rw,relatime shared:9 - cgroup cgroup rw,pids
41 31 0:38 / {} rw,nosuid shared:4 master:2 - cgroup2 cgroup2 rw,nsdelegate
"""


def cgroups_here() -> Cgroups:
    """Return what makes cgroups here; skip by name where none can be made, but fail in CI."""
    found = Cgroups(PORT)
    place = found.prepare("probe")
    require(place is not None and os.path.isdir(place.path), "a cgroup2 that can be written")
    assert place
    place.remove()
    return found


AWAY = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sleep", ["sleep", "605"], {})
    os._exit(0)
os.wait()
print("on", flush=True)
time.sleep(600)
"""
"""Leaves a process that has left session, parents and environment."""

BOMB = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
end = time.monotonic() + 30
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            time.sleep(0.005)
        os._exit(0)
print("on", flush=True)
time.sleep(30)
"""
"""Four processes, each of which is another one 200 times a second: whoever is looked for has gone."""
