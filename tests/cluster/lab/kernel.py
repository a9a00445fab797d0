"""The few system calls of the lab that Python 3.9 does not offer."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

NEW_MOUNT = 0x00020000
NEW_CGROUP = 0x02000000
NEW_UTS = 0x04000000
NEW_IPC = 0x08000000
NEW_PID = 0x20000000
NEW_NET = 0x40000000

READ_ONLY = 0x1
_REMOUNT = 0x20
_BIND = 0x1000
_RECURSIVE = 0x4000
_PRIVATE = 0x40000
_DETACH = 0x2
_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)


def unshare(namespaces: int) -> None:
    """Move this process (for NEW_PID: its next child) into new namespaces."""
    _check(_libc.unshare(namespaces), "unshare")


def signal_at_parent_death(number: int) -> None:
    """
    Have the kernel send this signal when the parent is gone; 0 takes that back.

    The parent is the *thread* that forked, so only a process whose parent forked in its main thread may ask.
    """
    _check(_libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl")


def mount(kind: str, target: Path | str, flags: int = 0, options: str = "") -> None:
    """Mount a new file system of this kind."""
    _mount(kind, target, kind, flags, options)


def bind(source: Path | str, target: Path | str, flags: int = 0) -> None:
    """Let the source appear at the target too."""
    _mount(source, target, "", _BIND, "")
    if flags:  # the kernel ignores all other flags in the call that makes a bind mount
        _mount("", target, "", _BIND | _REMOUNT | flags, "")


def unmount(target: Path | str) -> None:
    """Take away what is mounted there, at once for the eye, and for good when nobody uses it any more."""
    _check(_libc.umount2(os.fsencode(target), _DETACH), f"unmount {target}")


def stop_mount_propagation() -> None:
    """Keep this mount namespace's mounts out of the namespace that it was copied from."""
    _mount("", "/", "", _RECURSIVE | _PRIVATE, "")


def _mount(source: Path | str, target: Path | str, kind: str, flags: int, options: str) -> None:
    result = _libc.mount(os.fsencode(source), os.fsencode(target), kind.encode(), flags, options.encode())
    _check(result, f"mount {kind} {source} on {target} {options}".strip())


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), call)
