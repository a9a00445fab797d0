"""The bookkeeper at the end of a night on a real cluster: all that was witnessed, in order, into the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from chaos_log import Event

from tests.chaos.books import Action, Book

CLOCKS = 0.005
"""Seconds by which Pacemaker's stamp of a line may be too early: it takes the kernel's coarse clock."""
LATE = 1.0
"""Seconds after its death at which a busy machine may let the witness see that a process has ended."""
MOMENT = 1e-5
RESULTS = ("start", "stop", "monitor", "asyncmon")


def _seen_in_time(events: list[Event]) -> list[Event]:
    """Return the events with a death that was seen just after the stop of its incarnation put before its end."""
    return [_before_its_stop(event, events) if event.what == "died" else event for event in events]


def _before_its_stop(death: Event, events: list[Event]) -> Event:
    own = [e for e in events if e.name == death.name and e.at <= death.at]
    born = max((e.at for e in own if e.what == "born" and e.number == death.number), default=death.at)
    stops = [e.at for e in own if e.what == "stop" and e.at > max(born, death.at - LATE)]
    return Event(stops[0] - MOMENT, death.what, death.name, death.number) if stops else death


class Night:
    """All resources of one node."""

    def __init__(self, names: Iterable[str]) -> None:
        """Open a book each."""
        self.books = {name: Book(name) for name in names}
        self._actions: dict[tuple[str, str], Action] = {}

    def read(self, events: Iterable[Event]) -> None:
        """Enter what happened; what a result tells of happened before it, whatever the stamp says."""
        ordered = [Event(e.at + CLOCKS * (e.what in RESULTS), e.what, e.name, e.number) for e in events]
        for event in sorted(_seen_in_time(sorted(ordered))):
            if event.name in self.books:
                self._enter(self.books[event.name], event)

    def _enter(self, book: Book, event: Event) -> None:
        at, what = event.at, event.what
        if what == "born":
            book.born(at, event.number, [])
        elif what == "died":
            book.died(at, event.number)
        elif what == "aimed":
            book.aimed(at)
        elif what in ("maintenance", "managed"):
            book.maintain(what == "maintenance")
        elif what == "asyncmon":
            book.injection(at, str(at))
            book.injected(at, str(at))
        elif what.endswith(" begun"):
            self._actions[book.resource, what.partition(" ")[0]] = book.begin(at, what.partition(" ")[0])
        else:
            action = self._actions.pop((book.resource, what), None) or book.begin(at, what)
            book.end(at, action, event.number, [])

    def close(self) -> tuple[Counter[str], list[str], list[float]]:
        """Return the counts, the violations, and the seconds from each death to its report."""
        for book in self.books.values():
            book.close()
        count = sum((book.count for book in self.books.values()), Counter[str]())
        texts = [text for book in self.books.values() for _, text in book.violations]
        return count, texts, sorted(delay for book in self.books.values() for delay in book.delays)
