"""The journals of several resources read as one, from where a reader has stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tocsin_daemon.core.record import Record

MOST = 5000
"""Lines given at once, the newest: they fit a reply."""
LINE = 500
"""Characters given of a line."""


@dataclass(frozen=True)
class Line:
    """One line of a journal, and whose."""

    at: float
    resource: str
    text: str


def after(records: Iterable[Record], read: Mapping[str, int]) -> tuple[list[Line], dict[str, int]]:
    """
    Return the lines that came after those that were `read`, by time, and how many are read then, of each resource.

    They are counted, not dated: a clock that is set back hides none, and two of the same moment are two.
    """
    lines, counts = [], {}
    for record in records:
        counts[record.resource] = record.lines
        missed = record.lines - read.get(record.resource, 0)
        if missed < 0:  # another journal than the one that was read: its resource has begun anew
            missed = record.lines
        new = record.journal[-missed:] if missed else ()
        lines += [Line(entry.at, record.resource, entry.text[:LINE]) for entry in new]
    return sorted(lines, key=lambda line: line.at)[-MOST:], counts
