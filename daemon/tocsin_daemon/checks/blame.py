"""Whose fault a failed system call of a check is: the service's, or ours, which says nothing of the service."""

from __future__ import annotations

import errno
import os

from tocsin_daemon.core.check import Outcome, Result

OURS = frozenset(
    {
        *(errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EAGAIN),
        # No port of ours is free; the protocol or address family is none that this machine has; a firewall of ours.
        *(errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EPERM),
        errno.ENETDOWN,
    }
)
"""
What the machine or the daemon lacks.

EAGAIN of a connect(2) means no free port, of a fork(2) no free process; of a Unix socket it is the service's full
backlog, which its check tells apart.
"""


def outcome_of(error: OSError, what: str = "") -> Outcome:
    """Return the outcome of a look that ended in this error; `what` was being done, such as "connect"."""
    number = error.errno or 0
    words = os.strerror(number).lower() if number else str(error)
    text = f"{what}: {words}" if what else words
    return Outcome(Result.ERROR if number in OURS else Result.BAD, text)
