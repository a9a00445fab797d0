"""
Inside the new namespaces: private /run, log, product and loopback; a pid 1 that reaps, and the world as its child.

When pid 1 ends, however it ends, the kernel ends everything in here, and the files are memory: nothing is left.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

from lab import groups

PRODUCT = Path("/run/product")
NEW_CGROUP = 0x02000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)


def mount(kind: str, target: str, options: str = "") -> None:
    """Mount a file system."""
    if _libc.mount(kind.encode(), target.encode(), kind.encode(), 0, options.encode()):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"mount {kind} {target} {options}")


def loopback_up() -> None:
    """Bring the loopback device up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def install() -> None:
    """Put the working tree where it belongs on a node; the daemon on the Python, hence the Twisted, of the tests."""
    import install as packaging

    PRODUCT.mkdir()
    packaging.install(PRODUCT)
    for program in (PRODUCT / "usr/bin").iterdir():
        text = program.read_text()
        program.write_text(text.replace("#!/usr/bin/python3 -I", f"#!{sys.executable} -I", 1))
    mount("overlay", "/usr", f"lowerdir={PRODUCT}/usr:/usr")


def grouped(name: str) -> bool:
    """Move into a cgroup that looks like the root from inside; False where there are none."""
    return groups.enter(name, "world") and not _libc.unshare(NEW_CGROUP)


def main(arguments: str, out: int, group: str) -> None:
    """Become pid 1 of a world, and end with it."""
    os.umask(0o022)
    mount("cgroup2" if grouped(group) else "tmpfs", "/sys/fs/cgroup")
    for place in ("/run", "/var/log"):
        mount("tmpfs", place, "mode=755")
    loopback_up()
    install()
    child = os.fork()
    if child == 0:
        from tests.chaos import world

        world.main(arguments, out)
        os._exit(0)
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
