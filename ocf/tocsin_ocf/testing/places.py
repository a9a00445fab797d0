"""
Places of its own for an agent that nobody trusts: everything read-only but empty /run, /tmp and /var.

Only for a process in a mount namespace of its own, as `unshare --mount` makes it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct

RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
OWN = ("/run", "/tmp", "/var", "/dev")  # noqa: S108 in a namespace where they are ours alone
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
KERNEL = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus")
ABSENT = ("/run/systemd",)
"""systemd and its bus cannot be reached from here; an agent may not believe that they can."""
DEPTH = 2
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
PR_CAPBSET_DROP = 24
SYS_MODULE, SYS_RAWIO, SYS_ADMIN, SYS_BOOT, SYS_TIME, MKNOD = 16, 17, 21, 22, 25, 27
HARMFUL = (SYS_MODULE, SYS_RAWIO, SYS_BOOT, SYS_TIME, MKNOD)
"""Capabilities that reach through namespaces to the kernel, the clock and the disks."""
_libc = ctypes.CDLL(None, use_errno=True)


def isolate(visible: list[str]) -> socket.socket:
    """Hide the machine, but let the files and directories `visible` be seen; return the socket behind /dev/log."""
    mount("none", "/", 0, REC | PRIVATE)
    kept = [(path, os.path.isdir(path), os.open(path, os.O_PATH)) for path in visible]
    devices = [(f"/dev/{name}", False, os.open(f"/dev/{name}", os.O_PATH)) for name in DEVICES]
    trees = {place: skeleton(place, DEPTH) for place in ("/run", "/var")}
    for place in mountpoints():
        read_only(place)
    for place in (*OWN, "/dev/shm"):  # noqa: S108 the same
        os.makedirs(place, exist_ok=True)
        mount("tmpfs", place, "tmpfs", 0)
    for tree in trees.values():
        plant(tree)
    for place in ("/tmp", "/var/tmp", "/dev/shm", "/run/lock"):  # noqa: S108 the same
        os.makedirs(place, exist_ok=True)
        os.chmod(place, 0o1777)  # noqa: S103 as they are everywhere
    for path, directory, descriptor in [*kept, *devices]:
        show(path, descriptor, directory=directory)
    for name, target in LINKS.items():
        os.symlink(target, f"/dev/{name}")
    for place in filter(os.path.exists, KERNEL):
        mount(place, place, 0, BIND)
        mount("none", place, 0, BIND | REMOUNT | RDONLY)
    _loopback()
    return _log()


def mount(source: str, target: str, kind: str | int, flags: int = 0) -> None:
    """Mount by the system call of that name; OSError where it fails."""
    words = (source.encode(), target.encode(), kind.encode() if isinstance(kind, str) else None)
    if _libc.mount(*words, ctypes.c_ulong(flags), None):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def renounce(*, mounting: bool) -> None:
    """Let no program that is executed from now on reach out of here; without `mounting` none mounts, or undoes ours."""
    for capability in HARMFUL if mounting else (*HARMFUL, SYS_ADMIN):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def mountpoints() -> list[str]:
    """Return where something is mounted, each once."""
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        return list(dict.fromkeys(line.split()[4].encode().decode("unicode_escape") for line in file))


def read_only(place: str) -> None:
    """Let nobody write below a mount point; one that is hidden by another, or gone, cannot be written to anyway."""
    if place == "/proc" or place.startswith("/proc/"):
        return
    try:
        flags = os.statvfs(place).f_flag & (NOSUID | NODEV | NOEXEC)
        mount("none", place, 0, BIND | REMOUNT | RDONLY | flags)
    except OSError:
        if place == "/" or (os.path.exists(place) and os.access(place, os.W_OK)):
            raise


def skeleton(place: str, depth: int) -> list[tuple[str, os.stat_result, str]]:
    """Return the directories and links below a place, each with its owner, and where a link points."""
    found: list[tuple[str, os.stat_result, str]] = []
    with os.scandir(place) as entries:
        for one in entries:
            if one.path in ABSENT:
                continue
            if one.is_symlink():
                found.append((one.path, one.stat(follow_symlinks=False), os.readlink(one.path)))
            elif one.is_dir():
                found.append((one.path, one.stat(), ""))
                found += skeleton(one.path, depth - 1) if depth > 1 else []
    return found


def plant(tree: list[tuple[str, os.stat_result, str]]) -> None:
    """Make those directories and links, empty."""
    for path, status, target in tree:
        if target:
            os.symlink(target, path)
            continue
        os.mkdir(path)
        os.chown(path, status.st_uid, status.st_gid)
        os.chmod(path, status.st_mode & 0o7777)


def show(path: str, descriptor: int, *, directory: bool) -> None:
    """Let a file or directory be seen where it was, though something was mounted over it; a directory read-only."""
    if not os.path.lexists(path):
        os.makedirs(path if directory else os.path.dirname(path), exist_ok=True)
        if not directory:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    mount(f"/proc/self/fd/{descriptor}", path, 0, BIND)
    if not path.startswith("/dev/"):
        mount("none", path, 0, BIND | REMOUNT | RDONLY)
    os.close(descriptor)


def _loopback() -> None:
    """Bring up the one interface of a new network namespace; a service on 127.0.0.1 is nothing strange."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(one, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(one, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def _log() -> socket.socket:
    """Return a socket that takes what is logged: without it logger(1) complains, on the agent's stderr."""
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    log.bind("/dev/log")
    os.chmod("/dev/log", 0o666)  # noqa: S103 as syslog's is
    return log
