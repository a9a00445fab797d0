"""What a test waits for where no reactor runs."""

from __future__ import annotations

import time

from tocsin_ocf.processes import look


def ended(pid: int, seconds: float = 5.0) -> bool:
    """Wait until a process has ended, whether or not its parent has read that; tell whether it has."""
    deadline = time.monotonic() + seconds
    while (process := look(pid)) and process.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    return process is None or not process.alive
