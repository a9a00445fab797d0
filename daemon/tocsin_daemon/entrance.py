"""
What the process of a service does between fork and exec: it takes off whatever is the daemon's.

Session, directory, umask and descriptors are subprocess's doing. Here is what must be done while the process
still is root's (a cgroup may not be entered by another user before Linux 5.16), and what would be too late
once the program runs: its first child would have what it should not. Python code after fork(2) is sound as
long as the daemon has one thread, and it has.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

ORDINARY = b"0"
"""For oom_score_adj (proc(5)): the daemon may be spared, and must not hand that on to a service that eats memory."""
MYSELF = b"0"
"""For cgroup.procs: whoever writes it."""


class Identity(Protocol):
    """Who to become; None each for the daemon's own."""

    @property
    def user(self) -> int | None:
        """The user's number."""

    @property
    def group(self) -> int | None:
        """The group's number."""

    @property
    def groups(self) -> Sequence[int] | None:
        """The supplementary groups' numbers."""


def entrance(identity: Identity, cgroup_procs: int | None) -> Callable[[], None]:
    """Return what to call in the new process; `cgroup_procs` is open for writing. It raises what setuid(2) does."""

    def enter() -> None:
        if cgroup_procs is not None:
            with suppress(OSError):  # the parent looks whether it worked: a service starts without, too
                os.write(cgroup_procs, MYSELF)
        _be_ordinary()
        _hear_all_signals()
        if identity.groups is not None:
            os.setgroups(identity.groups)
        if identity.group is not None:
            os.setregid(identity.group, identity.group)
        if identity.user is not None:
            os.setreuid(identity.user, identity.user)

    return enter


def _be_ordinary() -> None:
    with suppress(OSError):
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, ORDINARY)
        finally:
            os.close(fd)


def _hear_all_signals() -> None:
    """Ignore and block nothing: exec(2) resets handlers alone, and nohup or a shell's & may have ignored some."""
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
