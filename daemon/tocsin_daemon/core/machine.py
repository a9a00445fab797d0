"""
What a machine is here: a table of (state, event) to (next state, effects), and one lookup.

Everything that a machine decides stands in its table. A missing row raises and changes nothing, so that an
event which nobody thought of is seen instead of guessed at. Effects are names; the shell carries them out
and feeds what comes of them back as events.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

State = TypeVar("State", bound=Enum)
Event = TypeVar("Event", bound=Enum)
Effect = TypeVar("Effect", bound=Enum)


class Refused(Exception):
    """The table has no row for this event in this state; the state stays as it was."""

    def __init__(self, state: Enum, event: Enum) -> None:
        """Name both, as they stand in the table."""
        super().__init__(f"no row for {event.value!r} while {state.value!r}")


class Table(Generic[State, Event, Effect]):
    """A machine as a literal table, looked up and rendered, never interpreted."""

    def __init__(self, rows: Mapping[tuple[State, Event], tuple[State, tuple[Effect, ...]]]) -> None:
        """Keep the rows."""
        self.rows = rows

    def step(self, state: State, event: Event) -> tuple[State, tuple[Effect, ...]]:
        """Return the next state and the effects to carry out, in order; Refused without a row."""
        try:
            return self.rows[state, event]
        except KeyError:
            raise Refused(state, event) from None

    def markdown(self) -> str:
        """Return the table as Markdown, a row per (state, event), in the order of the source."""
        head = ["| in phase | on | becomes | and does |", "|---|---|---|---|"]
        rows = [
            f"| {state.value} | {event.value} | {after.value} | {', '.join(e.value for e in effects) or '-'} |"
            for (state, event), (after, effects) in self.rows.items()
        ]
        return "\n".join(head + rows)
