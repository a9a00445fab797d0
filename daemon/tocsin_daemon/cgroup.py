"""
Where the cgroups of services are: decided here and nowhere else.

MOUNT/tocsin/PORT/RESOURCE, at the top of what we see of the tree. Not below our own cgroup: that is
pacemaker.service's where the agent started us, tocsind.service's where systemd did, and whatever ends or
measures those would reach the services. Docker's cgroupfs driver has its containers in such a place, beside
systemd's. Where systemd runs, a service gets a scope of systemd's instead (`scope`). The place needs nothing but the
right to write, which a container or a hardened unit may not have. Then services run without, and say so once.

Not so a service that has limits: a controller is enabled for it all the way down, they are written before anything
of it runs, and where one does not hold it is not started.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

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


class CannotLimit(Exception):
    """A limit cannot be set: its file, and what is in the way."""

    def __init__(self, name: str, why: str) -> None:
        """Say both as a reason for a failed start."""
        super().__init__(f"cgroup: {name} cannot be set: {why}")


def killed_for_memory(cgroup: Cgroup) -> int:
    """Return how many processes the kernel killed in a cgroup for want of memory; 0 where it does not count them."""
    return sum(_oom_kills(f"{path}/memory.events") for path in cgroup.paths)


def _oom_kills(path: str) -> int:
    try:
        with open(path, encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("oom_kill ")), 0)
    except OSError:
        return 0


def limit(cgroup: Cgroup | None, limits: Mapping[str, str]) -> None:
    """
    Set the limits of a cgroup that nobody is in yet, file name to what is written; CannotLimit.

    Controllers are enabled above it where that is missing.
    """
    for name, value in limits.items():
        if cgroup is None:
            raise CannotLimit(name, "no cgroup2 is mounted here")
        if not os.path.isdir(cgroup.path):
            raise CannotLimit(name, f"{cgroup.path} cannot be made")
        _enable(cgroup, name)
        write(cgroup.path, name, value)


def _enable(cgroup: Cgroup, name: str) -> None:
    """Have a file's controller in a cgroup: each one above hands it on to those below (cgroup.subtree_control)."""
    mount, controller = cgroup.path[: -len(cgroup.names[0])], name.partition(".")[0]
    below = cgroup.names[0].split("/")[1:-1]
    for depth in range(len(below) + 1):
        try:
            path = "/".join([mount, *below[:depth], "cgroup.subtree_control"])
            with open(path, encoding="ascii") as file:
                there = controller in file.read().split()
            if not there:
                _write(path, f"+{controller}")
        except OSError as error:
            raise CannotLimit(name, f"its controller cannot be enabled in {path}: {_words(error)}") from None


def write(directory: str, name: str, value: str) -> None:
    """Set one limit of a cgroup; CannotLimit."""
    try:
        _write(f"{directory}/{name}", value)
    except FileNotFoundError:
        raise CannotLimit(name, f"there is no such file in {directory}") from None
    except OSError as error:
        raise CannotLimit(name, f"{value!r} is refused: {_words(error)}") from None


def _words(error: OSError) -> str:
    """Return an error in words; a controller that version 1 has, or no kernel, is not there for version 2."""
    return "it is not there" if isinstance(error, FileNotFoundError) else os.strerror(error.errno or 0).lower()


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


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

    def is_scope(self, resource: str) -> bool:
        """Tell whether the cgroup of a service is a scope of systemd's, and its limits systemd's to set."""
        return self._owned and has_scope(resource) and bool(self._mounts)

    def scope(self, resource: str) -> Cgroup | None:
        """Return the cgroup whose scope systemd has made, wherever that is mounted."""
        return next((place for place in self._places(resource) if os.path.isdir(place.paths[1])), None)

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
