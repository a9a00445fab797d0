"""What Pacemaker's own log says it asked, and was told: read as it grows, in the words of the bookkeeper."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

BEGUN = re.compile(r"executing - rsc:(\S+) action:(start|stop) ")
ENDED = re.compile(r"Result of (start|stop|monitor|asyncmon) operation for (\S+) on .*\brc=(\d+)")
PROBE = re.compile(r"key=\S+_monitor_0 ")
STAMP = "%Y %b %d %H:%M:%S.%f"


@dataclass(frozen=True, order=True)
class Event:
    """Something that happened: wall-clock seconds, what, to which resource, and a number (pid, exit status)."""

    at: float
    what: str
    name: str
    number: int = 0


class PacemakerLog:
    """The log of one node, read from where it ended when this was made."""

    def __init__(self, path: Path) -> None:
        """Begin at the end."""
        self._path = path
        self._position = path.stat().st_size

    def news(self) -> list[Event]:
        """Return what was written since the last call, whole lines only."""
        with self._path.open("rb") as file:
            file.seek(self._position)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._position += len(whole)
        return [event for line in whole.decode(errors="replace").splitlines() for event in parse(line)]


def parse(line: str) -> Iterator[Event]:
    """Yield the event in a line, if there is one."""
    begun, ended = BEGUN.search(line), ENDED.search(line)
    if begun:
        yield Event(stamp(line), f"{begun[2]} begun", begun[1])
    elif ended and not PROBE.search(line):
        yield Event(stamp(line), ended[1], ended[2], int(ended[3]))


def stamp(line: str) -> float:
    """Return the wall-clock seconds at which a line was written; it lacks the year."""
    text = " ".join(line.split(" ", 3)[:3])
    return datetime.strptime(f"{time.strftime('%Y')} {text}", STAMP).astimezone().timestamp()
