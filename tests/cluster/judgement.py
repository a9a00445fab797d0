"""
What the judge decides from its log: how many instances were active when. Values in, values out.

An instance is active as long as its process is there: that of a frozen node is, that of a node without power is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

SLACK = 1.0
"""Seconds by which a starving judge may see a death too late. Two in less than that are told by the kernel's lock."""
FOREVER = float("inf")


@dataclass(frozen=True, order=True)
class Event:
    """What was seen: seconds since boot, born|promoted|demoted|died|crowded, of which instance."""

    at: float
    what: str
    name: str
    node: str
    pid: int
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Span:
    """One instance, or its time as the promoted one; `pid` is that of the machine, `end` FOREVER while it lasts."""

    name: str
    node: str
    pid: int
    begin: float
    end: float = FOREVER
    words: tuple[str, ...] = ()

    @property
    def lasts(self) -> bool:
        """Tell whether it had not ended when the log was read."""
        return self.end == FOREVER


def active(events: Iterable[Event], name: str) -> list[Span]:
    """Return the instances of a service, the first born first."""
    return _spans(events, name, "born", ("died",))


def promoted(events: Iterable[Event], name: str) -> list[Span]:
    """Return when which instance was the promoted one."""
    return _spans(events, name, "promoted", ("demoted", "died"))


def _spans(events: Iterable[Event], name: str, begin: str, ends: Sequence[str]) -> list[Span]:
    done: list[Span] = []
    going: dict[tuple[str, int], Event] = {}
    for event in sorted(events):
        key = (event.node, event.pid)
        if event.name == name and event.what == begin:
            going[key] = event
        elif event.name == name and event.what in ends and key in going:
            done.append(_span(going.pop(key), event.at))
    return sorted([*done, *(_span(event, FOREVER) for event in going.values())], key=lambda span: span.begin)


def _span(event: Event, end: float) -> Span:
    return Span(event.name, event.node, event.pid, event.at, end, event.words)


def crowds(events: Sequence[Event], name: str, *, begin: float = 0.0, role: bool = False) -> list[str]:
    """Say when after `begin` two instances were active (`role`: promoted) at once; both the lock and the log tell."""
    told = [event for event in events if event.name == name and event.what == "crowded" and event.at >= begin]
    word = "promoted" if role else "born"
    by_lock = [
        f"{event.at:.3f} {event.node} {event.pid}: another had the lock" for event in told if word in event.words
    ]
    spans = promoted(events, name) if role else active(events, name)
    pairs = [(one, other) for one, other in combinations(spans, 2) if min(one.end, other.end) >= begin]
    by_log = [f"{one} and {other}" for one, other in pairs if _common(one, other) > SLACK]
    return by_lock + by_log


def _common(one: Span, other: Span) -> float:
    return min(one.end, other.end) - max(one.begin, other.begin)


def longest_none(spans: Iterable[Span], begin: float, end: float) -> float:
    """Return the longest time in seconds between these two moments in which none of the spans was going on."""
    longest, covered = 0.0, begin
    for span in sorted(spans, key=lambda span: span.begin):
        longest = max(longest, min(span.begin, end) - covered)
        covered = max(covered, min(span.end, end))
    return max(longest, end - covered)
