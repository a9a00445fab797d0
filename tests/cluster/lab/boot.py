"""Pid 1 of a node: mounts its private files, starts corosync and pacemakerd, then reaps."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn

from . import kernel
from .configuration import corosync_conf, first_cib, hosts
from .plan import DISK, ENVIRONMENT, RUN, Member, Plan, create

_PATIENCE = 30.0
# A node uses 33 to 48 MiB of /dev/shm; with less than that, daemons refuse their clients.
_SHM_SIZE = "256M"
_NOTIFY = "/run/lab/notify"


def boot(plan: Plan, member: Member, *, grouped: bool) -> None:
    """Turn this process, already in its own namespaces, into the running node."""
    os.setsid()
    os.umask(0o022)
    socket.sethostname(member.name)
    _mount_all(plan, member)
    if grouped:
        kernel.mount("cgroup2", "/sys/fs/cgroup")
    _write_configuration(plan.members)
    _network_up(member)
    with member.boot_log.open("ab") as log:
        _start_corosync(log)
        _start(["pacemakerd", "--foreground"], log, PCMK_logfacility="none")


def reap() -> NoReturn:
    """Bury the orphans of the node, for ever; a daemon that dies stays dead."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            time.sleep(0.2)


def _mount_all(plan: Plan, member: Member) -> None:
    kernel.stop_mount_propagation()
    kernel.mount("tmpfs", member.memory, options="mode=755")
    kernel.mount("proc", "/proc")
    kernel.mount("sysfs", "/sys", kernel.READ_ONLY)
    # A Pacemaker daemon that panics writes "b" here, which would reboot the real machine.
    if Path("/proc/sysrq-trigger").exists():
        kernel.bind("/proc/sysrq-trigger", "/proc/sysrq-trigger", kernel.READ_ONLY)
    _merge("/usr", plan.overlay, member.memory, writable=False)
    _merge("/etc", plan.overlay, member.memory, writable=True)
    _merge("/var", plan.overlay, member.memory, writable=True)
    _mount_disk(member.disk)
    kernel.mount("tmpfs", "/dev/shm", options=f"size={_SHM_SIZE},mode=1777")
    kernel.mount("tmpfs", "/run", options="mode=755")
    for directory in RUN:
        create(directory)


def _merge(target: str, overlay: Path | None, memory: Path, *, writable: bool) -> None:
    """Cover a tree of the machine with the same tree of the overlay; writes stay in the node's memory."""
    place = memory / target.lstrip("/")
    layers = [place / name for name in ("over", "upper", "work")]
    for layer in layers:
        layer.mkdir(parents=True)
    over, upper, work = layers
    source = None if overlay is None else overlay / target.lstrip("/")
    if source is not None and source.is_dir():
        kernel.bind(source, over)  # a path of ours: the caller's may contain ":" or ","
    options = f"lowerdir={over}:{target}"
    if writable:
        options += f",upperdir={upper},workdir={work}"
    kernel.mount("overlay", target, 0 if writable else kernel.READ_ONLY, options)


def _mount_disk(disk: Path) -> None:
    for directory in DISK:
        if Path(directory.path).parent.name == "pacemaker":
            continue  # comes with its parent
        Path(directory.path).mkdir(parents=True, exist_ok=True)
        kernel.bind(disk / directory.path.lstrip("/"), directory.path)


def _write_configuration(members: Sequence[Member]) -> None:
    Path("/etc/hosts").write_text(hosts(members))
    Path("/etc/hostname").write_text(socket.gethostname() + "\n")
    Path("/etc/corosync/corosync.conf").write_text(corosync_conf(members))
    cib = Path("/var/lib/pacemaker/cib/cib.xml")
    if not cib.exists():
        empty = subprocess.run(["cibadmin", "--empty"], check=True, stdout=subprocess.PIPE, env=ENVIRONMENT)
        cib.write_bytes(first_cib(empty.stdout))
        cib.chmod(0o600)
        owner = cib.parent.stat()
        os.chown(cib, owner.st_uid, owner.st_gid)


def _network_up(member: Member) -> None:
    commands = f"link set lo up\naddr add {member.address}/24 dev eth0\nlink set eth0 up\n"
    subprocess.run(["ip", "-batch", "-"], input=commands, check=True, text=True, env=ENVIRONMENT)


def _start_corosync(log: BinaryIO) -> None:
    """Start corosync and wait for its sd_notify: a pacemakerd that comes too early sleeps for seconds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(_NOTIFY)
        ear.settimeout(0.2)
        daemon = _start(["corosync", "-f"], log, NOTIFY_SOCKET=_NOTIFY)
        deadline = time.monotonic() + _PATIENCE
        while b"READY=1" not in _hear(ear):
            if daemon.poll() is not None:
                raise RuntimeError(f"corosync ended with {daemon.returncode}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"corosync was not ready after {_PATIENCE:g} s")


def _hear(ear: socket.socket) -> bytes:
    try:
        return ear.recv(4096)
    except socket.timeout:
        return b""


def _start(argv: Sequence[str], log: BinaryIO, **extra: str) -> subprocess.Popen[bytes]:
    environment = {**ENVIRONMENT, **extra}
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd="/")
