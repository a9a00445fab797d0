"""
The pacemaker-remoted of remote nodes.

As a Debian package it conflicts with Pacemaker itself, so it is downloaded, unpacked and kept in a cache, in the
version of the Pacemaker that is installed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .faults import LabError
from .plan import ENVIRONMENT

_NAME = "pacemaker-remoted"
_DOWNLOADER = "_apt"
_TIMEOUT = 120


def missing() -> list[str]:
    """Say why no remote node can run here; empty if one can."""
    try:
        find()
    except LabError as fault:
        return [str(fault)]
    return []


def find() -> str:
    """Return the path of a pacemaker-remoted to be added to the nodes; "" where it is installed. LabError if none."""
    if shutil.which(_NAME, path=ENVIRONMENT["PATH"]) is not None:
        return ""
    version = _said(["dpkg-query", "--show", "--showformat=${Version}", "pacemaker"])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tocsin-lab"
    file = cache / version.replace(":", "_") / _NAME
    if not file.exists():
        _fetch(version, file)
    return str(file)


def _fetch(version: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tocsin-remoted-") as place:
        with contextlib.suppress(LookupError):
            shutil.chown(place, _DOWNLOADER)
        _said(["apt-get", "download", f"pacemaker-remote={version}"], place)
        for package in Path(place).glob("*.deb"):
            _said(["dpkg-deb", "--extract", str(package), place])
        found = Path(place, "usr/sbin", _NAME)
        if not found.is_file():
            raise LabError(f"no {_NAME} in the package pacemaker-remote {version}")
        new = Path(shutil.copy(found, file.with_name(f"{_NAME}.{os.getpid()}")))
        with contextlib.suppress(FileNotFoundError):
            new.replace(file)


def _said(argv: list[str], place: str = "/") -> str:
    try:
        done = subprocess.run(
            argv,
            cwd=place,
            env={**os.environ, "LC_ALL": "C"},  # with the caller's proxies
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=True,
        )
    except subprocess.CalledProcessError as fault:
        raise LabError(f"{' '.join(argv)}: {fault.stderr.strip()}") from None
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise LabError(f"{' '.join(argv)}: {fault}") from None
    return done.stdout
