"""
Where the run-time state of one daemon lies, and how its secrets are read.

    STATE_DIR/PORT/            0700 root
        secret                 0600: TOKEN and PROOF of the daemon's life, one a line
        lock                   held (flock) by the daemon while it lives; its pid inside
        resources/ID.json      what is known of a resource (see tocsin_daemon.core.record)
        output/ID              what the service wrote last
        tocsind.out            stdout and stderr of the daemon's start

Only what a monitor needs is here: no `os`, which alone would cost a third of its budget.
"""

import posix
from fcntl import LOCK_NB, LOCK_SH, flock

PORT = 9909
STATE_DIR = "/run/tocsin"
DAEMON = "/usr/bin/tocsind"
LOG_DIR = "/var/log/tocsin"

KIND, REGULAR, OTHERS = 0o170000, 0o100000, 0o077
"""S_IFMT and S_IFREG of stat(2), and the rights of group and others; `stat` would cost a monitor half a millisecond."""


class Rundir:
    """The paths of the daemon that listens on `port`."""

    __slots__ = ("lock", "out", "output", "path", "resources", "secret")

    def __init__(self, state_dir: str, port: int) -> None:
        """Name the paths; nothing is created or looked at."""
        self.path = f"{state_dir}/{port}"
        self.secret = f"{self.path}/secret"
        self.lock = f"{self.path}/lock"
        self.out = f"{self.path}/tocsind.out"
        self.resources = f"{self.path}/resources"
        self.output = f"{self.path}/output"

    def record(self, resource: str) -> str:
        """Return the path of a resource's record."""
        return f"{self.resources}/{resource}.json"

    def has_record(self, resource: str) -> bool:
        """Tell whether a daemon ever kept state of this resource here."""
        try:
            posix.stat(self.record(resource))
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def secrets(self) -> "tuple[str, str] | None":
        """
        Return (TOKEN, PROOF), or None where no daemon left any.

        PermissionError where the caller may not read them, or where somebody else wrote them: then the directory is
        not ours to trust. Rights that somebody gave away (chmod -R) are taken back, for a stop must not fail by them.
        """
        try:
            fd = posix.open(self.secret, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW | posix.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise PermissionError(f"{self.secret} cannot be read: {error.strerror}") from None
        try:
            found = posix.fstat(fd)
            if found.st_uid != posix.geteuid() or found.st_mode & KIND != REGULAR:
                raise PermissionError(f"{self.secret} is not a file of this user")
            if found.st_mode & OTHERS:
                posix.chmod(self.path, 0o700)
                posix.fchmod(fd, 0o600)
            words = posix.read(fd, 1024).decode("ascii", "replace").split()
        finally:
            posix.close(fd)
        return (words[0], words[1]) if len(words) == 2 else None

    def held(self) -> bool:
        """Tell whether our daemon lives: it holds the lock from before it listens until its very end."""
        try:
            fd = posix.open(self.lock, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
        except OSError:
            return False
        try:
            flock(fd, LOCK_SH | LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            posix.close(fd)
        return False
