"""Where the log goes: to the machine's own, and to a file, which two daemons may write to, or standard error."""

from __future__ import annotations

import fcntl
import os
import sys
from typing import IO, cast

from twisted.logger import globalLogPublisher, textFileLogObserver
from twisted.python.logfile import LogFile

from tocsin_daemon.system_log import is_stderr, system_log

LOG_BYTES = 10 * 1024 * 1024
LOG_FILES = 4


class SharedLogFile(LogFile):
    """
    A rotated file whose lines go to its end, wherever another process has put that; Twisted's would overwrite.

    One daemon that finds another in place says so in the same file.
    """

    def _openFile(self) -> None:
        super()._openFile()
        flags = fcntl.fcntl(self._file, fcntl.F_GETFL)
        fcntl.fcntl(self._file, fcntl.F_SETFL, flags | os.O_APPEND)


def observe(log_file: str | None, port: int) -> None:
    """Send the log where it was asked for, and to the machine's own; not twice where standard error is the journal."""
    of_machine = system_log(port)
    if of_machine:
        globalLogPublisher.addObserver(of_machine)
    if log_file:
        directory, name = os.path.split(os.path.abspath(log_file))
        os.makedirs(directory, mode=0o750, exist_ok=True)
        file = SharedLogFile(name, directory, rotateLength=LOG_BYTES, defaultMode=0o640, maxRotatedFiles=LOG_FILES)
        globalLogPublisher.addObserver(textFileLogObserver(cast("IO[str]", file)))
    elif not of_machine or not is_stderr(os.environ.get("JOURNAL_STREAM", "")):
        globalLogPublisher.addObserver(textFileLogObserver(sys.stderr))
