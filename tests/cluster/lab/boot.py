"""Pid 1 of a node: mounts its private files, starts corosync and pacemakerd, and then is its service manager."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from . import kernel
from .configuration import corosync_conf, first_cib, hosts
from .plan import CLOCK_FILE, CLOCK_LIBRARY, DISK, ENVIRONMENT, RUN, Member, Plan, create
from .services import Services

# A node uses 33 to 48 MiB of /dev/shm; with less than that, daemons refuse their clients.
_SHM_SIZE = "256M"
_SWITCH = "/run/lab/switch"


def run(plan: Plan, member: Member, wire: socket.socket, *, grouped: bool) -> NoReturn:
    """
    Turn this process, pid 1 in its own namespaces, into the running node.

    All nodes that boot together wait for each other between corosync and Pacemaker: who is not in the membership
    when the first controller looks for its peers would be fenced.
    """
    os.setsid()
    os.umask(0o022)
    socket.sethostname(member.name)
    _mount_all(plan, member)
    if grouped:
        kernel.mount("cgroup2", "/sys/fs/cgroup")
    _write_configuration(plan, member)
    _network_up(member)
    with member.boot_log.open("ab") as log:
        services = Services(log, plan.environment)
        if not member.is_remote:
            services.start("corosync")
        _meet(wire)
        services.start("pacemaker_remote" if member.is_remote else "pacemaker")
        wire.sendall(b"ready\n")
        wire.close()
        services.serve()


def _meet(wire: socket.socket) -> None:
    wire.sendall(b"corosync\n")
    if wire.recv(8) != b"go\n":
        raise RuntimeError("the hub has gone")


def _mount_all(plan: Plan, member: Member) -> None:
    kernel.stop_mount_propagation()
    kernel.mount("proc", "/proc")
    kernel.mount("sysfs", "/sys", kernel.READ_ONLY)
    # A Pacemaker daemon that panics writes "b" here, which would reboot the real machine.
    if Path("/proc/sysrq-trigger").exists():
        kernel.bind("/proc/sysrq-trigger", "/proc/sysrq-trigger", kernel.READ_ONLY)
    _merge("/usr", [plan.overlay, plan.tools], member.memory, writable=False)
    _merge("/etc", [plan.overlay], member.memory, writable=True)
    _merge("/var", [plan.overlay], member.memory, writable=True)
    _mount_disk(member.disk)
    kernel.mount("tmpfs", "/dev/shm", options=f"size={_SHM_SIZE},mode=1777")
    kernel.mount("tmpfs", "/run", options="mode=755")
    for directory in RUN:
        create(directory)
    Path(_SWITCH).touch()
    kernel.bind(member.switch, _SWITCH)  # out of band, like a management board: no network is between


def _merge(target: str, trees: Sequence[Path | None], memory: Path, *, writable: bool) -> None:
    """Cover a tree of the machine with the same tree of the others, the first on top; writes stay in the memory."""
    place = memory / target.lstrip("/")
    upper, work = place / "upper", place / "work"
    layers = [place / f"over{number}" for number in range(len(trees))]
    for directory in (upper, work, *layers):
        directory.mkdir(parents=True, exist_ok=True)
    for layer, tree in zip(layers, trees):
        source = None if tree is None else tree / target.lstrip("/")
        if source is not None and source.is_dir():
            kernel.bind(source, layer)  # a path of ours: the caller's may contain ":" or ","
    options = f"lowerdir={':'.join(map(str, layers))}:{target}"
    if writable:
        options += f",upperdir={upper},workdir={work}"
    kernel.mount("overlay", target, 0 if writable else kernel.READ_ONLY, options)


def _mount_disk(disk: Path) -> None:
    for directory in DISK:
        if Path(directory.path).parent.name == "pacemaker":
            continue  # comes with its parent
        Path(directory.path).mkdir(parents=True, exist_ok=True)
        kernel.bind(disk / directory.path.lstrip("/"), directory.path)


def _write_configuration(plan: Plan, member: Member) -> None:
    members = plan.members
    Path("/etc/hosts").write_text(hosts(members))
    Path("/etc/hostname").write_text(socket.gethostname() + "\n")
    if plan.clocks:
        Path("/etc/ld.so.preload").write_text(f"{CLOCK_LIBRARY}\n")
        if not Path(CLOCK_FILE).exists():
            Path(CLOCK_FILE).write_text("+0\n")
    if member.is_remote:
        return
    corosync = Path("/etc/corosync/corosync.conf")
    if not corosync.exists():
        corosync.write_text(corosync_conf(members))
    cib = Path("/var/lib/pacemaker/cib/cib.xml")
    if not cib.exists():
        empty = subprocess.run(["cibadmin", "--empty"], check=True, stdout=subprocess.PIPE, env=ENVIRONMENT)
        cib.write_bytes(first_cib(empty.stdout, members, fencing=plan.fencing))
        cib.chmod(0o600)
        owner = cib.parent.stat()
        os.chown(cib, owner.st_uid, owner.st_gid)


def _network_up(member: Member) -> None:
    commands = f"link set lo up\naddr add {member.address}/24 dev eth0\nlink set eth0 up\n"
    subprocess.run(["ip", "-batch", "-"], input=commands, check=True, text=True, env=ENVIRONMENT)
