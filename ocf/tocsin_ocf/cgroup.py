"""
The cgroup (v2) of a service: who is in it, and the end of all of them.

A process leaves its session, its parents and its environment behind as it likes, and no fork leaves the cgroup:
so where a service has one, nothing of it is missed. The daemon makes it (tocsin_daemon.cgroup); daemon and agent
end it. See the kernel's Documentation/admin-guide/cgroup-v2.rst.
"""

import os
import signal

TOP = "tocsin"
KILL = "cgroup.kill"  # Linux 5.14
FREEZE = "cgroup.freeze"  # Linux 5.2


class Cgroup:
    """
    The cgroup of one service, MOUNT/tocsin/PORT/RESOURCE, and all below it, for a service may divide its own.

    With it goes the scope that systemd may have made for the same service, tocsin-PORT-RESOURCE.scope: whoever
    was forked before the main process was moved there is still in the first.
    """

    __slots__ = ("names", "path", "paths")

    def __init__(self, mount: str, port: str, resource: str) -> None:
        """Name the directories; nothing is made, and one that is not there is empty."""
        self.names = (f"/{TOP}/{port}/{resource}", f"/{TOP}-{port}-{resource}.scope")
        self.path = mount + self.names[0]
        # Where systemd has the scopes of the system, unless told otherwise (systemd.scope(5)).
        self.paths = (self.path, f"{mount}/system.slice{self.names[1]}")

    def pids(self) -> "set[int]":
        """Return who is in it, but for ourselves: who runs us in a shell of the service does not want our end."""
        return self._all() - {os.getpid()}

    def _all(self) -> "set[int]":
        found: set[int] = set()
        for path in self.paths:
            for directory, _, _ in os.walk(path):
                found.update(int(pid) for pid in _read(f"{directory}/cgroup.procs").split())
        return found - {0}  # a process that is not of our pid namespace

    def is_empty(self) -> bool:
        """Tell whether nobody is in it, zombies apart."""
        events = [line for path in self.paths for line in _read(f"{path}/cgroup.events").splitlines()]
        return "populated 1" not in events or self._all() == {os.getpid()}

    def kill(self) -> None:
        """
        Kill everything in it at once.

        Before Linux 5.14 one by one, frozen, so that none forks meanwhile: SIGKILL ends the frozen too. Freezing
        takes its time, so the caller comes back until it is empty.
        """
        if os.getpid() in self._all():
            self._kill_each()
            return
        there = [path for path in self.paths if os.path.isdir(path)]
        refused = [path for path in there if not _write(f"{path}/{KILL}", "1")]
        for path in refused:
            _write(f"{path}/{FREEZE}", "1")
        if refused:
            self._kill_each()

    def _kill_each(self) -> None:
        """Kill who is in it before and after its descriptor is opened: that is no successor of its pid."""
        pidfds = {pid: fd for pid in self.pids() for fd in _pidfd(pid)}
        still = self.pids()
        for pid, fd in pidfds.items():
            try:
                if pid in still:
                    signal.pidfd_send_signal(fd, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it has ended by itself
            finally:
                os.close(fd)

    def make(self) -> None:
        """
        Make it anew, or use one that somebody is still in; OSError.

        Since Linux 6.14 whoever is born into a cgroup that was ever killed is killed too.
        """
        _rmdir(self.path)
        try:
            os.makedirs(self.path, 0o755, exist_ok=True)
        except FileNotFoundError:  # another daemon has just removed the empty top
            os.makedirs(self.path, 0o755, exist_ok=True)
        _write(f"{self.path}/{FREEZE}", "0")

    def remove(self) -> None:
        """Remove it, and what is empty above it of ours; a cgroup with a process in it stays, the kernel sees to it."""
        for directory, _, _ in os.walk(self.path, topdown=False):
            _rmdir(directory)
        port = os.path.dirname(self.path)
        _rmdir(port)
        _rmdir(os.path.dirname(port))


def cgroup_at(path: str) -> "Cgroup | None":
    """Return the cgroup that a record names; None where it could not be one of ours: all in it gets killed."""
    mount, _, place = path.rpartition(f"/{TOP}/")
    port, _, resource = place.partition("/")
    if not path.startswith("/") or not port.isdigit() or not resource or {"", "..", "."} & set(path[1:].split("/")):
        return None
    return Cgroup(mount, port, resource) if "/" not in resource else None


def _pidfd(pid: int) -> "list[int]":
    try:
        return [os.pidfd_open(pid)]
    except OSError:
        return []


def _read(path: str) -> str:
    """Return the text of a file, nothing where it is gone, or cannot be read: a threaded cgroup lists no processes."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


def _write(path: str, text: str) -> bool:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(fd, text.encode())
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def _rmdir(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        return  # gone, or in use
