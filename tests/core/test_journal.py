"""Journals read on from where a reader stopped: no line twice, none lost that is still kept."""

from __future__ import annotations

from itertools import product

import pytest

from tocsin_daemon.core.journal import LINE, MOST, Line, after
from tocsin_daemon.core.record import JOURNAL_LENGTH, Record


def written(name: str, count: int, record: Record | None = None) -> Record:
    """Return a record with more lines."""
    record = record or Record(name)
    for _ in range(count):
        record = record.noted(float(record.lines), f"{name}{record.lines}")
    return record


@pytest.mark.parametrize(("first", "more"), list(product([0, 1, 199, 200, 201, 450], [0, 1, 199, 200, 201])))
def test_what_is_kept_and_not_read_is_read_once(first: int, more: int) -> None:
    """Whatever has been forgotten meanwhile."""
    record = written("web", first)
    lines, read = after([record], {})
    assert [line.text for line in lines] == [f"web{n}" for n in range(max(0, first - JOURNAL_LENGTH), first)]
    lines, read = after([written("web", more, record)], read)
    assert [line.text for line in lines] == [
        f"web{n}" for n in range(first + more - min(more, JOURNAL_LENGTH), first + more)
    ]
    assert after([written("web", more, record)], read) == ([], read)


def test_journals_are_merged_by_time() -> None:
    """And each is counted by itself."""
    web, db = Record("web").noted(1.0, "a").noted(3.0, "c"), Record("db").noted(2.0, "b")
    lines, read = after([web, db], {})
    assert lines == [Line(1.0, "web", "a"), Line(2.0, "db", "b"), Line(3.0, "web", "c")]
    assert read == {"web": 2, "db": 1}
    assert after([web, db.noted(0.5, "d")], read)[0] == [Line(0.5, "db", "d")]  # the clock was set back


def test_a_resource_that_began_anew_is_read_from_its_beginning() -> None:
    """Its record was lost."""
    assert [line.text for line in after([written("web", 3)], {"web": 40})[0]] == ["web0", "web1", "web2"]


def test_an_answer_is_bounded() -> None:
    """It has to fit a reply, whatever services print."""
    records = [written(f"r{number}", JOURNAL_LENGTH) for number in range(50)]
    lines, _ = after([record.noted(1e9, "x" * 5000) for record in records], {})
    assert len(lines) == MOST and len(lines[-1].text) == LINE
