"""The log file, which two daemons may write to: one that finds another in place says so in the same file."""

from __future__ import annotations

import fcntl
import os

from twisted.python.logfile import LogFile


class SharedLogFile(LogFile):
    """A rotated file whose lines go to its end, wherever another process has put that; Twisted's would overwrite."""

    def _openFile(self) -> None:
        super()._openFile()
        flags = fcntl.fcntl(self._file, fcntl.F_GETFL)
        fcntl.fcntl(self._file, fcntl.F_SETFL, flags | os.O_APPEND)
