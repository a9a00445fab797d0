"""
Where the cgroups of services are: decided here and nowhere else.

MOUNT/tocsin/PORT/RESOURCE, at the top of what we see of the tree. Not below our own cgroup: that is
pacemaker.service's where the agent started us, tocsind.service's where systemd did, and whatever ends or
measures those would reach the services. Docker's cgroupfs driver has its containers in such a place, beside
systemd's. Where systemd runs, a service gets a scope of systemd's instead (`scope`). No controller is enabled
here, so the place needs nothing but the right to write, which a container or a hardened unit may not have. Then
services run without, and say so once.
"""

from __future__ import annotations

import os
import re

from twisted.logger import Logger

from tocsin_daemon.scope import has_scope
from tocsin_ocf.cgroup import Cgroup
from tocsin_ocf.unit import BOOTED

log = Logger()


def mount_points(mountinfo: str) -> list[str]:
    """Return where cgroup2 is mounted, from the text of /proc/self/mountinfo (proc(5)); hybrid layouts too."""
    rows = [line.split() for line in mountinfo.splitlines()]
    points = [row[4] for row in rows if row[row.index("-") + 1] == "cgroup2"]
    return [re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point) for point in points]


def cgroup_of(pid: int) -> str:
    """Return the cgroup (v2) that a process is in, as the kernel names it; "" where there is none (cgroups(7))."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="surrogateescape") as file:
            return next((line[3:].rstrip("\n") for line in file if line.startswith("0::")), "")
    except OSError:
        return ""


class Cgroups:
    """Makes the cgroups of one daemon's services."""

    def __init__(self, port: int, mountinfo: str = "/proc/self/mountinfo", booted: str = BOOTED) -> None:
        """Look where cgroups are mounted, and whether systemd owns them; nothing is made."""
        self._owned = os.path.isdir(booted)
        self._port = str(port)
        self._complained = False
        try:
            with open(mountinfo, encoding="utf-8", errors="surrogateescape") as file:
                self._mounts = mount_points(file.read())
        except OSError:
            self._mounts = []

    def prepare(self, resource: str) -> Cgroup | None:
        """Return the cgroup for a service that is about to start, made where that is possible; None without cgroups."""
        places = self._places(resource)
        if self._owned and has_scope(resource):
            return next(iter(places), None)
        why = "no cgroup2 is mounted"
        for cgroup in places:
            try:
                cgroup.make()
            except OSError as error:
                why = str(error)
            else:
                return cgroup
        self._complain(why)
        return next(iter(places), None)  # systemd may still have a scope for it

    def find(self, resource: str) -> Cgroup | None:
        """Return the cgroup of a service that perhaps runs; None without cgroups."""
        places = self._places(resource)
        return next((place for place in places if not place.is_empty()), next(iter(places), None))

    def check(self, pid: int, cgroup: Cgroup) -> None:
        """Complain if the process of a service did not get into the cgroup that was made for it."""
        place = cgroup_of(pid)
        if self._owned:
            return  # on its way into its scope
        if not place.endswith(cgroup.names):
            self._complain(f"{cgroup.path} could not be entered, pid {pid} is in {place or 'none'}")

    def _complain(self, why: str) -> None:
        if not self._complained:
            log.warn("services run without a cgroup of their own: {why}", why=why)
            self._complained = True

    def _places(self, resource: str) -> list[Cgroup]:
        return [Cgroup(mount, self._port, resource) for mount in self._mounts]
