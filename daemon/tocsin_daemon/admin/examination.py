"""What `tocsin doctor` looks at: this node, its daemons, and the cluster. What it means is decided in `core`."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

from tocsin_daemon import file_check
from tocsin_daemon.admin.daemons import Place, Silent, asked, ports, records
from tocsin_daemon.cgroup import mount_points
from tocsin_daemon.core import diagnosis, surroundings
from tocsin_daemon.core.answers import WELL
from tocsin_daemon.core.diagnosis import Finding
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_ocf import __version__, pacemaker, targets
from tocsin_ocf.pacemaker import Cluster, Fault, Runner, Version, base_id, crm_node, version
from tocsin_ocf.pacemaker.configured import Configured, primitives
from tocsin_ocf.port_owner import squatter
from tocsin_ocf.rundir import LOG_DIR, PORT, Rundir
from tocsin_ocf.values import Wrong
from tocsin_ocf.wire import EVERY_RESOURCE

AGENT = "/usr/lib/ocf/resource.d/tocsin/service"
TOOLS = ("crm_mon", "crm_node", "crm_resource", "cibadmin", "attrd_updater", "crm_attribute")
LIBRARIES = ("twisted", "yaml", "jsonschema", "click", "rich", "psutil", "jeepney")
TLS = ("OpenSSL", "service_identity")
"""What checks of https need, in addition."""
TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""


class Examination:
    """One look at everything."""

    def __init__(self, place: Place) -> None:
        """Read what is on disk, and ask the cluster."""
        self._place = place
        self._ports = ports(place)
        self._records = {port: list(records(place, port)) for port in self._ports}
        self._now = time.time()
        self._primitives: tuple[Configured, ...] = ()
        self._run = Runner().ask
        self._no_cluster = ""
        self._cluster: Cluster | None = None
        try:
            status = self._run(pacemaker.status(place.pacemaker_bin))
            self._primitives = self._run(primitives("tocsin", place.pacemaker_bin))
            self._cluster = status  # who does not tell what is configured has not been asked
        except Fault as error:
            self._no_cluster = str(error)

    def findings(self) -> Iterator[Finding]:
        """Yield what was found: the machine, the daemons, the cluster, the resources."""
        yield from surroundings.software(tuple(sys.version_info[:3]), _kernel(), self._missing())
        yield from surroundings.programs([path for path in self._programs() if not os.access(path, os.X_OK)])
        yield from self._clock()
        yield from self._cgroups()
        for path in (self._place.state_dir, LOG_DIR):
            yield from surroundings.disk(path, _free(path))
        for port in sorted({*self._ports, *self._configured_ports()}):
            yield from self._daemon(port)
        yield from self._of_cluster()
        for path in sorted(self._definitions()):
            status, lines = file_check.check(path, here=True)
            yield from surroundings.definition(path, lines if status else [])

    def _all(self) -> list[Record]:
        return [record for port in self._ports for record in self._records[port]]

    def _programs(self) -> list[str]:
        return [AGENT, *(f"{self._place.pacemaker_bin}/{tool}" for tool in TOOLS)]

    def _missing(self) -> list[str]:
        checks = [check for record in self._all() for check in (record.definition or {}).get("checks") or ()]
        secure = any(str(check.get("http", "")).startswith("https:") for check in checks)
        wanted = [*LIBRARIES, *(TLS if secure else ())]
        return [name for name in wanted if importlib.util.find_spec(name) is None]

    def _clock(self) -> list[Finding]:
        times = [entry.at for record in self._all() for entry in record.journal[-1:]]
        return surroundings.clock(self._now, max(times, default=0.0), _synchronised())

    def _cgroups(self) -> list[Finding]:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
            mounts = mount_points(file.read())
        writable = bool(mounts) and os.access(mounts[0], os.W_OK)
        mains = [(record, record.main) for record in self._all() if record.phase in WELL and record.main]
        bare = [r.resource for r, main in mains if not main.cgroup and not (r.definition or {}).get("unit")]
        return surroundings.cgroups(mounts, writable, bare)

    def _configured_ports(self) -> set[int]:
        found = set()
        for primitive in self._primitives:
            with suppress(Wrong):  # which is for `validate-all` to say
                found.add(targets.port(primitive.parameters.get("port", str(PORT))))
        return found

    def _daemon(self, port: int) -> Iterator[Finding]:
        rundir = Rundir(self._place.state_dir, port)
        paths = [_path(path) for path in (rundir.path, rundir.secret, rundir.lock, rundir.resources, rundir.output)]
        yield from surroundings.rights(port, paths, os.geteuid())
        taken = surroundings.port_taken(port, squatter(rundir, port))
        yield from taken
        if not taken:
            needed = any(record.phase is not Phase.STOPPED for record in self._records.get(port, ()))
            yield from surroundings.daemon(port, needed, _ping(self._place, port), __version__)

    def _of_cluster(self) -> Iterator[Finding]:
        yield from diagnosis.version(self._version(), self._primitives)
        if self._cluster is None:
            cure = "systemctl start pacemaker; until it answers a report waits"
            yield diagnosis.problem("cluster", f"it cannot be asked: {self._no_cluster}", cure)
            return
        for primitive in self._primitives:
            yield from diagnosis.configured(primitive, primitive.promotable, self._remote())
        node = self._node()
        for record in self._all():
            yield from diagnosis.thought(record, self._cluster, record.node or node, self._now)
        yield from diagnosis.unknown(self._primitives, {base_id(r.resource) for r in self._all()}, self._cluster, node)

    def _node(self) -> str:
        named = [record.node for record in self._all() if record.node]
        if named:
            return named[0]
        try:
            return self._run(crm_node.name(self._version() or version.OLDEST).at(self._place.pacemaker_bin))
        except Fault:
            return os.uname().nodename

    def _version(self) -> Version | None:
        try:
            return self._run(version.version().at(self._place.pacemaker_bin))
        except Fault:
            return None

    def _remote(self) -> str:
        """Return the name of this node where it is a Pacemaker Remote node."""
        node = self._cluster.nodes.get(self._node()) if self._cluster else None
        return node.name if node and node.remote else ""

    def _definitions(self) -> set[str]:
        given = [primitive.parameters.get("config", "") for primitive in self._primitives]
        return {path for path in [*given, *(record.config for record in self._all())] if path}


def _kernel() -> tuple[int, ...]:
    parts = platform.release().partition("-")[0].split(".")
    return tuple(int(part) for part in parts if part.isdigit())


def _path(path: str) -> surroundings.Path:
    try:
        found = os.lstat(path)
    except OSError:
        return surroundings.Path(path, 0, None)
    return surroundings.Path(path, found.st_uid, stat.S_IMODE(found.st_mode))


def _ping(place: Place, port: int) -> str:
    try:
        return asked(place, port, "PING", EVERY_RESOURCE)[1]
    except Silent:
        return ""


def _free(path: str) -> int | None:
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _synchronised() -> bool | None:
    """Return whether the kernel holds its clock for synchronised, None where it does not say (adjtimex(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(512)  # a struct timex that changes nothing: modes = 0
    state = libc.adjtimex(buffer)
    return None if state < 0 else state != TIME_ERROR
