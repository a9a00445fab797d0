"""
Files of Debian packages that are not installed, and that the nodes see all the same.

pacemaker-remote conflicts with pacemaker itself, and libfaketime is wanted in a node only; so they are downloaded,
unpacked and kept in a cache.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .faults import LabError
from .plan import CLOCK_LIBRARY

_DOWNLOADER = "_apt"
_TIMEOUT = 120


@dataclass(frozen=True)
class Borrowed:
    """A file of a package, where the nodes find it, and an installed package whose version it has to have."""

    package: str
    pattern: str
    place: str
    like: str = ""

    def missing(self) -> list[str]:
        """Say why it cannot be had here; empty if it can."""
        try:
            self.find()
        except LabError as fault:
            return [str(fault)]
        return []

    def find(self) -> dict[str, str]:
        """Return its path and where the nodes want it; nothing where it is installed. LabError says why it is not."""
        if Path(self.place).exists():
            return {}
        version = _said(["dpkg-query", "--show", "--showformat==${Version}", self.like]) if self.like else ""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tocsin-lab"
        file = cache / (self.package + version.replace(":", "_")) / Path(self.place).name
        if not file.exists():
            self._fetch(version, file)
        return {str(file): self.place}

    def _fetch(self, version: str, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="tocsin-package-") as place:
            with contextlib.suppress(LookupError):
                shutil.chown(place, _DOWNLOADER)
            _said(["apt-get", "download", f"{self.package}{version}"], place)
            for package in Path(place).glob("*.deb"):
                _said(["dpkg-deb", "--extract", str(package), place])
            found = next(Path(place).glob(self.pattern), None)
            if found is None:
                raise LabError(f"no {self.pattern} in the package {self.package}{version}")
            new = Path(shutil.copy(found, file.with_name(f"{file.name}.{os.getpid()}")))
            new.replace(file)


REMOTED = Borrowed("pacemaker-remote", "usr/sbin/pacemaker-remoted", "/usr/sbin/pacemaker-remoted", like="pacemaker")
CLOCK = Borrowed("libfaketime", "usr/lib/*/faketime/libfaketimeMT.so.1", CLOCK_LIBRARY)


def borrow(*, remotes: bool, clocks: bool) -> dict[str, str]:
    """Return what a lab needs that is not installed; LabError if it cannot be had."""
    return {**(REMOTED.find() if remotes else {}), **(CLOCK.find() if clocks else {})}


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
