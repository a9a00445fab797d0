"""
What is true of a resource when no daemon can be asked: from its record on disk, and the process table.

A dead daemon is no dead service, and the record alone is no proof of a living one. And a stop has to end the
service even where the daemon's program is gone: a failed stop fences the node.
"""

import json
import os
import select
import signal
from contextlib import suppress
from time import monotonic

from tocsin_ocf import processes
from tocsin_ocf.call import PARAMETER
from tocsin_ocf.cgroup import cgroup_at
from tocsin_ocf.exit_codes import OCF_ERR_PERM, ActionFailed
from tocsin_ocf.invocation import Invocation, is_port
from tocsin_ocf.processes import Process
from tocsin_ocf.rundir import Rundir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin_ocf.cgroup import Cgroup

STOPPED = "stopped"
PROMOTED = "promoted"
WELL = ("running", PROMOTED)
"""The phases in which a service works, by itself or as the promoted instance of a clone."""
OURS = ("process", "pidfile", "systemd")
"""Drivers that may be named, and need not: a unit is named by its own key, and what has none is processes."""
NOBODY = (0, 0)
"""A main process that no process table holds."""
MAX_RECORD = 8 * 1024 * 1024


class Remains:
    """
    What a daemon left of one resource; `readable` False where its record is corrupt, hence nothing is known.

    `elsewhere` names what runs a service that is no process of the daemon's ("unit NAME.service", "driver NAME"), so
    that the process table does not tell whether it runs. `role` is PROMOTED from a promotion to the end of a demotion
    or stop, else "".
    """

    __slots__ = ("cgroup", "elsewhere", "incarnation", "known", "main", "path", "phase", "readable", "role")

    def __init__(self, path: str, record: "Mapping[str, object] | None") -> None:
        """Take from a record what is needed, and nothing on trust."""
        self.path = path
        self.phase, self.incarnation, self.main = STOPPED, "", NOBODY
        self.known: dict[int, int] = {}
        self.cgroup: "Cgroup | None" = None
        self.readable = True
        self.elsewhere = self.role = ""
        if record is None:
            return
        try:
            self._take(record)
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
            self.readable = False

    def _take(self, record: "Mapping[str, object]") -> None:
        phase, incarnation, process, members = (record[k] for k in ("phase", "incarnation", "process", "members"))
        if not (isinstance(phase, str) and isinstance(incarnation, str) and isinstance(members, dict)):
            raise TypeError
        if isinstance(process, dict) and process["boot"] != processes.boot_id():
            return  # of another boot: whatever ran is gone
        definition = record.get("definition")
        if isinstance(definition, dict):
            kinds = ((kind, definition.get(kind)) for kind in ("driver", "unit"))
            self.elsewhere = next((f"{kind} {name}" for kind, name in kinds if name and name not in OURS), "")
        self.phase, self.incarnation, self.role = phase, incarnation, str(record.get("role", ""))
        self.main = (int(process["pid"]), int(process["start"])) if isinstance(process, dict) else NOBODY
        self.known = {int(pid): int(start) for pid, start in members.items()}
        self.cgroup = cgroup_at(str(process.get("cgroup", ""))) if isinstance(process, dict) else None

    @property
    def clean(self) -> bool:
        """Tell whether nothing of the resource should run, as far as is known."""
        return self.readable and self.phase == STOPPED

    def well(self) -> bool:
        """Tell whether the service was well when it was last watched, and its main process, if it has one, runs."""
        if self.phase in WELL and self.elsewhere and self.main == NOBODY:
            return True
        process = processes.look(self.main[0]) if self.phase in WELL else None
        return process is not None and process.alive and process.start == self.main[1]

    def living(self) -> "list[Process]":
        """Return the processes of the service that are alive."""
        found = self.cgroup.pids() if self.cgroup else set()
        table = processes.snapshot()
        if self.incarnation:
            found |= processes.marked(self.incarnation, table, self.main[1])
        return processes.observe_stuck(processes.members(table, self.main, self.known, found))

    def end(self, deadline: float) -> "list[Process]":
        """Ask all living processes to end, kill what is left at half time; return what is left at the deadline."""
        half = monotonic() + (deadline - monotonic()) / 2
        left = self._end_by(signal.SIGTERM, half)
        if left:
            left = self._end_by(signal.SIGKILL, deadline)
        if self.cgroup and not left:
            self.cgroup.remove()
        return left

    def _end_by(self, number: int, until: float) -> "list[Process]":
        """Signal every process once, those too that appear meanwhile, until none is left or the time is over."""
        signalled: set[tuple[int, int]] = set()
        while True:
            if self.cgroup and number == signal.SIGKILL:
                self.cgroup.kill()
            left = self.living()
            if not left or monotonic() > until:
                return left
            for process in left:
                self.known[process.pid] = process.start
                if (process.pid, process.start) not in signalled:
                    processes.send_signal(process, number)
                    processes.send_signal(process, signal.SIGCONT)  # a stopped one hears nothing but KILL
                    signalled.add((process.pid, process.start))
            _wait_for_end(left[0], min(0.1, max(0.0, until - monotonic())))

    def mark_stopped(self) -> None:
        """
        Write into the record that the resource has stopped; at once, so that nobody reads half of it.

        Where the file system refuses, the process table still tells the truth next time.
        """
        record = _load(self.path)
        if isinstance(record, dict):
            with suppress(OSError):
                self._replace({**record, "phase": STOPPED})

    def _replace(self, record: "Mapping[str, object]") -> None:
        fresh = f"{self.path}.new"
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(fd, "w", encoding="utf-8") as file:
            json.dump(record, file)
        os.replace(fresh, self.path)


def remains_of(rundir: Rundir, resource: str) -> Remains:
    """Return what is left of `resource`; nothing where it has no record. ActionFailed (OCF_ERR_PERM)."""
    path = rundir.record(resource)
    try:
        if not rundir.has_record(resource):
            return Remains(path, None)
        _demand_own(rundir)
        record = _load(path)
    except PermissionError as error:
        raise ActionFailed(OCF_ERR_PERM, str(error)) from None
    return Remains(path, record if isinstance(record, dict) else {})


def _demand_own(rundir: Rundir) -> None:
    """Raise PermissionError for directories that others can write: whoever did would choose whom we kill."""
    for directory in (rundir.path, rundir.resources):
        found = os.lstat(directory)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise PermissionError(f"{directory} is writable by others; its records are not to be trusted")


def relocated(asked: Invocation) -> "Invocation | None":
    """Return the call as for the port where a daemon keeps a record of its resource, None where none does."""
    try:
        state_dir = asked.state_dir
        ports = sorted(int(name) for name in os.listdir(state_dir) if is_port(name))
    except (ActionFailed, OSError):
        return None
    for port in ports:
        if Rundir(state_dir, port).has_record(asked.resource):
            return Invocation({**asked.environ, f"{PARAMETER}port".encode(): str(port).encode()})
    return None


def _load(path: str) -> object:
    """Return the JSON in a file, None where there is none."""
    try:
        with open(path, "rb") as file:
            return json.loads(file.read(MAX_RECORD))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        return None


def _wait_for_end(process: Process, seconds: float) -> None:
    """Wait until a process has ended, or the time is over."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        return
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)
    try:
        waiting.poll(seconds * 1000)
    finally:
        os.close(fd)
