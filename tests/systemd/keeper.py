"""
Keeps a private machine whose pid 1 is the real systemd: `python -m tests.systemd.keeper OVERLAY UNITS`.

It has namespaces of its own, /run, /tmp, /dev and /var/log of its own, and a cgroup (version 2) below ours as its
whole hierarchy, so that nothing it does reaches this machine's own pid 1. Of units it knows those in the directory
UNITS and no others; over /usr lies the tree OVERLAY. The keeper prints the pid of that pid 1, and ends everything
when its stdin ends, however its caller went.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from tests.cluster.lab import kernel

NEW_CGROUP = 0x02000000
NAME = "tocsin-systemd-"
SYSTEMD = "/usr/lib/systemd/systemd"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "container": "tocsin-test"}
PATIENCE = 10.0

CHECKOUT = Path(__file__).resolve().parents[2]


def main(overlay: str, units: str) -> None:
    """Bring the machine up, wait for the end of stdin, and take it down."""
    parent = own_cgroup()
    for old in parent.glob(f"{NAME}[0-9]*"):  # of a keeper that was killed itself
        if not is_alive(old.name[len(NAME) :]):
            remove(old)
    cgroup = parent / f"{NAME}{os.getpid()}"
    cgroup.mkdir()
    stub, init = fork_machine(cgroup, overlay, units)
    try:
        print(init, flush=True)
        sys.stdin.read()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(init, signal.SIGKILL)
        os.waitpid(stub, 0)
        remove(cgroup)


def can_make_cgroups() -> bool:
    """Tell whether we may make a cgroup below ours, and end it as a whole."""
    try:
        probe = own_cgroup() / f"{NAME}probe-{os.getpid()}"
        probe.mkdir()
    except (LookupError, OSError):
        return False
    can_kill = (probe / "cgroup.kill").exists()
    probe.rmdir()
    return can_kill


def is_alive(pid: str) -> bool:
    """Tell whether a process lives; of a zombie the command line is empty."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def own_cgroup() -> Path:
    """Return the directory of the cgroup (version 2) that we are in; LookupError where there is none."""
    mounts = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
    place = next((fields[4] for fields in mounts if fields[fields.index("-") + 1] == "cgroup2"), None)
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    path = next((line[3:] for line in lines if line.startswith("0::")), None)
    if place is None or path is None:
        raise LookupError("no cgroup of version 2")
    return Path(place + path)


def remove(cgroup: Path) -> None:
    """Remove a tree of cgroups, with whatever still lives in it."""
    (cgroup / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + PATIENCE
    while cgroup.exists() and time.monotonic() < deadline:
        for directory, _, _ in os.walk(cgroup, topdown=False):
            with contextlib.suppress(OSError):  # its processes are not gone yet
                os.rmdir(directory)
        time.sleep(0.01)


def fork_machine(cgroup: Path, overlay: str, units: str) -> tuple[int, int]:
    """Return the pids of the stub, which owns the namespaces, and of the machine's pid 1 below it."""
    reading, writing = os.pipe()
    stub = os.fork()
    if stub == 0:
        try:
            kernel.signal_at_parent_death(signal.SIGKILL)
            kernel.unshare(kernel.NEW_MOUNT | kernel.NEW_UTS | kernel.NEW_IPC | kernel.NEW_NET | kernel.NEW_PID)
            init = os.fork()
            if init == 0:
                become_systemd(cgroup, overlay, units)
            os.write(writing, str(init).encode())
            os.waitpid(init, 0)
        finally:
            os._exit(0)
    os.close(writing)
    return stub, int(os.read(reading, 32))


def become_systemd(cgroup: Path, overlay: str, units: str) -> NoReturn:
    """Build the machine around this process, and execute systemd."""
    try:
        kernel.signal_at_parent_death(signal.SIGKILL)
        os.setsid()
        os.umask(0)  # as the kernel starts a pid 1
        (cgroup / "cgroup.procs").write_text("0")
        kernel.unshare(NEW_CGROUP)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the watchdog's SIGABRT would leave one in / of this machine
        socket.sethostname("systemd-test")
        mount_all(overlay, units)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True, env=ENVIRONMENT)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.closerange(3, 1024)
        words = ["--system", "--log-target=null", "--show-status=0", "--default-standard-output=null"]
        os.execve(SYSTEMD, [SYSTEMD, *words], ENVIRONMENT)  # noqa: S606 no shell is the point
    finally:
        os._exit(1)


def mount_all(overlay: str, units: str) -> None:
    """
    Mount what is this machine's alone: /run, its cgroups, its units, and the overlay over /usr.

    Without generators, for those make units of /etc/fstab, /etc/init.d and the kernel's command line.
    """
    kernel.stop_mount_propagation()
    kernel.mount("proc", "/proc")
    kernel.mount("sysfs", "/sys", kernel.READ_ONLY)
    kernel.mount("cgroup2", "/sys/fs/cgroup")
    if Path("/proc/sysrq-trigger").exists():
        kernel.bind("/proc/sysrq-trigger", "/proc/sysrq-trigger", kernel.READ_ONLY)
    kernel.mount("tmpfs", "/mnt", options="mode=755")
    for name in ("usr", "units", "checkout"):
        Path("/mnt", name).mkdir()
    kernel.bind(CHECKOUT, "/mnt/checkout")
    kernel.bind(f"{overlay}/usr", "/mnt/usr")  # a path of ours: the caller's may contain ":" or ","
    kernel.bind(units, "/mnt/units")
    kernel.mount("overlay", "/usr", kernel.READ_ONLY, "lowerdir=/mnt/usr:/usr")
    kernel.bind("/mnt/units", "/usr/lib/systemd/system")
    generators = "/usr/lib/systemd/system-generators"
    for place in (generators, "/etc/systemd", "/var/log", "/run", "/dev"):
        kernel.mount("tmpfs", place, options="mode=755")
    kernel.mount("tmpfs", "/tmp", options="mode=1777")
    if not CHECKOUT.exists():  # it was in /tmp
        CHECKOUT.mkdir(parents=True)
        kernel.bind("/mnt/checkout", CHECKOUT)
    Path("/etc/systemd/system").mkdir()
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        os.mknod(f"/dev/{name}", stat.S_IFCHR | 0o666, os.makedev(1, minor))


if __name__ == "__main__":
    main(*sys.argv[1:])
