"""
What systemd has of a unit on the file system: what we override of it at run time, and its cgroup.

The override is Pacemaker's own (lib/services/systemd.c, 50-pacemaker.conf): no Restart=, for Pacemaker decides about
that, and an end at shutdown only after Pacemaker's. It is taken away before the unit is stopped, as Pacemaker does: at
shutdown the order would otherwise make the stop wait for Pacemaker, which waits for the stop.
"""

from __future__ import annotations

import os
from contextlib import suppress

from tocsin_daemon.cgroup import cgroup_of, mount_points
from tocsin_daemon.core.unit import Unit
from tocsin_ocf.cgroup import KILL
from tocsin_ocf.processes import Process, look

FILE = "50-tocsin.conf"
TEXT = """\
# Written by tocsind at run time, while Pacemaker manages this unit.
[Unit]
Before=pacemaker.service pacemaker_remote.service

[Service]
Restart=no
"""
LEGACY = "/sys/fs/cgroup/systemd"
"""systemd's own hierarchy where there is no cgroup2."""


class Override:
    """What we override of one unit at run time."""

    def __init__(self, unit: str, directory: str) -> None:
        """Nothing is written yet; `directory` is systemd's own for what lasts until the next boot."""
        self._directory = f"{directory}/{unit}.d"
        self.path = f"{self._directory}/{FILE}"
        self._text = TEXT if unit.endswith(".service") else TEXT.partition("\n[Service]")[0]

    def write(self) -> bool:
        """Write it; True where it was not there as it should be. OSError."""
        if self._read() == self._text:
            return False
        os.makedirs(self._directory, 0o755, exist_ok=True)
        temporary = f"{self._directory}/.{FILE}"  # systemd reads names that end in .conf only
        with open(temporary, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o644)  # systemd complains of files that not everybody may read
            file.write(self._text)
        os.rename(temporary, self.path)
        return True

    def remove(self) -> bool:
        """Take it away; False where there was none."""
        try:
            os.unlink(self.path)
            os.rmdir(self._directory)
        except FileNotFoundError:
            return False
        except OSError:
            return True  # another's file is in there too
        return True

    def _read(self) -> str:
        try:
            with open(self.path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""


class Place:
    """The cgroup that systemd has made for a unit, with all below it; a unit that is down has none."""

    def __init__(self, path: str) -> None:
        """Look at `path`; "" is nowhere."""
        self.path = path

    def processes(self) -> list[Process]:
        """Return the living processes in it."""
        found = (look(pid) for pid in sorted(self.pids()))
        return [process for process in found if process and process.alive]

    def pids(self) -> set[int]:
        """Return who is in it, zombies too."""
        found: set[int] = set()
        for directory, _, _ in os.walk(self.path) if self.path else ():
            try:
                with open(f"{directory}/cgroup.procs", encoding="ascii") as file:
                    found.update(int(pid) for pid in file.read().split())
            except OSError:
                continue  # gone meanwhile, or a threaded one
        return found - {0}

    def kill(self) -> None:
        """Kill everybody in it at once, where the kernel can (Linux 5.14) and we are not in it ourselves."""
        if self.path and os.getpid() not in self.pids():
            with suppress(OSError), open(f"{self.path}/{KILL}", "w", encoding="ascii") as file:
                file.write("1")


def place_of(unit: Unit, mountinfo: str = "/proc/self/mountinfo") -> Place:
    """Return where the processes of a unit are."""
    if not unit.cgroup.strip("/"):
        return Place("")
    try:
        with open(mountinfo, encoding="utf-8", errors="surrogateescape") as file:
            mounts = mount_points(file.read())
    except OSError:
        mounts = []
    places = [f"{mount}{unit.cgroup}" for mount in (*reversed(mounts), LEGACY)]  # the last mount hides the others
    return Place(next((place for place in places if os.path.isdir(place)), places[0]))


def main_of(unit: Unit) -> Process | None:
    """Return the main process of a unit; None where it has none, or its pid is a stranger's by now."""
    process = look(unit.main) if unit.main else None
    if process is None or not process.alive:
        return None
    where = cgroup_of(unit.main)
    inside = not where or not unit.cgroup or where == unit.cgroup or where.startswith(f"{unit.cgroup}/")
    return process if inside else None
