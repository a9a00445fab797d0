"""
The state directory of a lab: made, held, and removed when its owner is provably dead.

A lab's directory is flocked by the process that wanted it, by its hub and by every pid 1, all through one
open file: the lock is free exactly when none of them lives. The name carries the maker's pid for the moment
between mkdir and flock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Fixed and short: unix socket paths end at 108 bytes, and TMPDIR may be anything.
BASE = Path("/tmp")
PREFIX = "tocsin-lab."


def make() -> tuple[Path, int]:
    """Make a state directory and return it with the descriptor that holds it."""
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}.", dir=BASE))
    descriptor = _open(path)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return path, descriptor


def sweep() -> list[Path]:
    """Remove and return the directories of dead labs; never one whose owner may live."""
    return [path for path in BASE.glob(PREFIX + "*") if _remove_if_dead(path)]


def _remove_if_dead(path: Path) -> bool:
    if _maker_lives(path):
        return False
    with contextlib.suppress(OSError), _opened(path) as descriptor:
        if os.fstat(descriptor).st_uid != os.geteuid():
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
        return True
    return False


def _maker_lives(path: Path) -> bool:
    pid = path.name[len(PREFIX) :].split(".")[0]
    return not pid.isdigit() or Path("/proc", pid).exists()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = _open(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    # Not through a symbolic link: /tmp is everybody's, and what is swept gets removed by root.
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
