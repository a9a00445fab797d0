"""
The state on disk: the run directory, its lock, the secrets of this daemon's life, and a record per resource.

Files are replaced by rename, so a reader finds the old or the new one. They are not synced: after a power
loss the boot is another one, and no record of an earlier boot means anything.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator

from twisted.logger import Logger

from tocsin_daemon.core.record import BadRecord, Record, dump, load
from tocsin_ocf.rundir import Rundir

log = Logger()


class Unusable(Exception):
    """The run directory cannot be used; the text says why and what to do."""


class Locked(Exception):
    """Another daemon holds this run directory."""


class Store:
    """The run directory of this daemon."""

    def __init__(self, state_dir: str, port: int) -> None:
        """Name the directory; `open` makes it ours."""
        self.rundir = Rundir(state_dir, port)
        self._lock = -1
        self._secrets = ""
        self._fault = ""

    def open(self) -> None:
        """Create the directories and take the lock; Unusable, Locked."""
        os.makedirs(os.path.dirname(self.rundir.path), mode=0o755, exist_ok=True)
        for path in (self.rundir.path, self.rundir.resources, self.rundir.output):
            _private(path)
        self._lock = os.open(self.rundir.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(f"another tocsind holds {self.rundir.lock}") from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def new_secrets(self) -> tuple[str, str]:
        """Make TOKEN and PROOF of this daemon's life, and leave them where only root can read them."""
        token, proof = secrets.token_hex(16), secrets.token_hex(16)
        self._secrets = f"{token}\n{proof}\n"
        _replace(self.rundir.secret, self._secrets)
        return token, proof

    def keep_secrets(self) -> None:
        """Write the secrets again where somebody has damaged them: no agent could talk to us, nor replace us."""
        if not self._is_ours() or _text(self.rundir.secret) == self._secrets:
            self._fault = ""
            return
        try:
            _replace(self.rundir.secret, self._secrets)
            fault = "was damaged, and is written again"
        except OSError as error:
            fault = f"was damaged, and cannot be written: {error.strerror}"
        if fault != self._fault:  # which may last: a full disk must not fill the log
            log.error("{path} {fault}", path=self.rundir.secret, fault=fault)
        self._fault = fault

    def _is_ours(self) -> bool:
        """Tell whether the run directory is still the one that we hold the lock of, and not a successor's."""
        try:
            found = os.lstat(self.rundir.lock)
        except OSError:
            return False
        return os.path.samestat(found, os.fstat(self._lock))

    def forget_secrets(self) -> None:
        """Take the secrets away: nobody listens any more."""
        if os.path.lexists(self.rundir.secret):
            os.unlink(self.rundir.secret)

    def save(self, record: Record) -> None:
        """Replace the record of a resource; OSError where the file system refuses."""
        _replace(self.rundir.record(record.resource), dump(record))

    def forget(self, resource: str) -> None:
        """Remove what is kept of a resource."""
        for path in (self.rundir.record(resource), f"{self.rundir.output}/{resource}"):
            if os.path.lexists(path):
                os.unlink(path)

    def known(self, resource: str) -> Record:
        """Return what is kept of a resource; an empty record where that is nothing, or cannot be read."""
        try:
            return read_record(self.rundir.record(resource))
        except BadRecord:
            return Record(resource)

    def records(self) -> Iterator[Record | tuple[str, str]]:
        """Yield every record; for one that cannot be read, its resource and why, after it was put aside as .bad."""
        for name in sorted(os.listdir(self.rundir.resources)):
            path = f"{self.rundir.resources}/{name}"
            if not name.endswith(".json"):
                continue
            try:
                yield read_record(path)
            except BadRecord as error:
                os.replace(path, f"{path}.bad")
                yield name.removesuffix(".json"), str(error)


def read_record(path: str) -> Record:
    """Return the record in a file; BadRecord."""
    try:
        with open(path, encoding="utf-8") as file:
            return load(file.read())
    except (OSError, UnicodeDecodeError) as error:
        raise BadRecord(str(error)) from None


def _text(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        return os.read(fd, 1024).decode("ascii", "replace")
    except OSError:
        return ""
    finally:
        os.close(fd)


def _private(path: str) -> None:
    """Create a directory for root alone, or make sure that an existing one is just that."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        found = os.lstat(path)
        private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not private:
            raise Unusable(
                f"{path} is not a directory of our own alone: chmod 0700 it, if nobody else wrote there"
            ) from None
    except OSError as error:
        raise Unusable(f"cannot create {path}: {error.strerror}") from None


def _replace(path: str, text: str) -> None:
    fresh = f"{path}.new"
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(fd, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(fresh, path)
