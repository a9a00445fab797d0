"""What a lab needs of the machine, and of an overlay."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Union

from .plan import ENVIRONMENT

Overlay = Union[Path, Callable[[Path], object]]
_COMMANDS = (
    "corosync",
    "pacemakerd",
    "cibadmin",
    "crm_mon",
    "crmadmin",
    "ip",
    "nsenter",
    "setpriv",
    "unshare",
)
# Everything that a node will do to the kernel, tried once in namespaces that end with the shell.
_PROBE = """set -e
mount -t tmpfs none /run; mkdir /run/l /run/m /run/u /run/w
mount -t overlay overlay -o lowerdir=/run/l,upperdir=/run/u,workdir=/run/w /run/m
mount -t proc proc /proc
ip link add br0 type bridge
ip link add veth0 type veth peer name veth1"""


def missing() -> list[str]:
    """Say why no lab can run here; empty if one can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return ["not root on Linux"]
    search = ENVIRONMENT["PATH"]
    faults = [f"{name} is not installed" for name in _COMMANDS if shutil.which(name, path=search) is None]
    return faults or _kernel_faults()


def _kernel_faults() -> list[str]:
    flags = ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork"]
    probe = subprocess.run(
        ["unshare", *flags, "sh", "-c", _PROBE], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    return [] if probe.returncode == 0 else [f"no right or no support for namespaces: {probe.stderr.strip()}"]


def filled_overlay(overlay: Overlay | None, place: Path) -> Path | None:
    """Return the overlay's tree: where it is a function, the place, which it has filled."""
    if overlay is None or isinstance(overlay, Path):
        return overlay
    place.mkdir()
    place.chmod(0o755)
    overlay(place)
    return checked_overlay(place)


def checked_overlay(overlay: Path) -> Path:
    """Refuse a tree that would close the machine's directories: merged ones take the overlay's mode."""
    overlay = overlay.resolve(strict=True)
    directories = [Path(place) for name in ("usr", "etc", "var") for place, _, _ in os.walk(overlay / name)]
    closed = [str(place) for place in directories if place.stat().st_mode & 0o005 != 0o005]
    if not directories:
        raise ValueError(f"overlay {overlay} has no usr, etc or var")
    if closed:
        raise ValueError(f"overlay {overlay} has directories that are not open to all: {closed}")
    return overlay
