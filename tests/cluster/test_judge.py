"""The judge and the bookkeeper are judged: on logs that are made up, and on two real processes."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import judge
import pytest
import witnessed
from judgement import FOREVER, Event, Span, active, crowds, longest_none, promoted
from lab import Lab
from ledger import Ledger, Report, incidents, reports


def log(*rows: tuple[float, str, str, int]) -> list[Event]:
    """Return the log of a service called db."""
    return [Event(at, what, "db", node, pid) for at, what, node, pid in rows]


MOVE = log((1, "born", "n1", 7), (5, "died", "n1", 7), (6, "born", "n2", 7), (9, "died", "n2", 7))


def test_who_was_active_when() -> None:
    """A pid may come again on another node; what has not died lasts."""
    assert active(MOVE, "db") == [Span("db", "n1", 7, 1, 5), Span("db", "n2", 7, 6, 9)]
    assert active(MOVE[:3], "db")[1].end == FOREVER
    assert active(MOVE, "other") == []


@pytest.mark.parametrize(
    ("begin", "end", "none"), [(1, 9, 1), (0, 9, 1), (0, 12, 3), (2, 4, 0), (5.5, 5.75, 0.25), (10, 12, 2), (-4, 5, 5)]
)
def test_the_longest_time_with_none(begin: float, end: float, none: float) -> None:
    """At the ends too, and only within them."""
    assert longest_none(active(MOVE, "db"), begin, end) == none


def test_overlapping_instances_leave_no_gap() -> None:
    """The one that ends first does not end the other."""
    events = log((1, "born", "n1", 1), (2, "born", "n2", 2), (3, "died", "n2", 2), (8, "died", "n1", 1))
    assert longest_none(active(events, "db"), 1, 8) == 0


def test_without_any_there_is_none_all_the_time() -> None:
    """Not even one that never lived is forgotten."""
    assert longest_none([], 3, 5) == 2


@pytest.mark.parametrize(
    ("events", "count"),
    [
        (MOVE, 0),
        (log((1, "born", "n1", 1), (2, "born", "n2", 2)), 1),
        (log((1, "born", "n1", 1), (4, "died", "n1", 1), (3.9, "born", "n2", 2)), 0),  # seen a little late
        (log((1, "born", "n1", 1), (9, "died", "n1", 1), (3, "born", "n2", 2), (9, "died", "n2", 2)), 1),
        (log((1, "born", "n1", 1), (2, "born", "n1", 2), (3, "born", "n2", 3)), 3),
    ],
)
def test_two_at_once_are_seen_in_the_log(events: list[Event], count: int) -> None:
    """On one node as on two."""
    assert len(crowds(events, "db")) == count
    assert crowds(events, "other") == []


def test_two_at_once_are_told_by_the_lock_however_short() -> None:
    """Of the role too, and not of what was before."""
    told = [Event(3, "crowded", "db", "n1", 1, ("born",)), Event(4, "crowded", "db", "n1", 1, ("promoted",))]
    assert len(crowds(told, "db")) == 1
    assert len(crowds(told, "db", role=True)) == 1
    assert crowds(told, "db", begin=3.5) == []


def test_who_was_promoted_when() -> None:
    """Until it is demoted, or dies."""
    events = log((1, "born", "n1", 1), (2, "promoted", "n1", 1), (4, "demoted", "n1", 1), (5, "promoted", "n2", 2))
    events += log((7, "died", "n2", 2))
    assert promoted(events, "db") == [Span("db", "n1", 1, 2, 4), Span("db", "n2", 2, 5, 7)]
    twice = log((1, "promoted", "n1", 1), (3, "promoted", "n2", 2))
    assert len(crowds(twice, "db", role=True)) == 1


LINE = "Nov 21 14:58:16.094 n2 pacemaker-controld [12] (log_executor_event) notice: Result of {} | CIB update; {}"


@pytest.mark.parametrize(
    ("result", "key", "told"),
    [
        ("asyncmon operation for db on n2: error (Simulated failure)", "key=db_asyncmon_0 rc=1", True),
        ("monitor operation for web:1 on n2: not running (killed)", "key=web:1_monitor_5000 rc=7", True),
        ("promote operation for db on n2: error", "key=db_promote_0 rc=1", True),
        ("monitor operation for db on n2: ok", "key=db_monitor_5000 rc=0", False),
        ("monitor operation for db on n2: promoted", "key=db_monitor_5000 rc=8", False),
        ("monitor operation for db on n2: degraded", "key=db_monitor_5000 rc=190", False),
        ("monitor operation for db on n2: Cancelled", "key=db_monitor_5000", False),
        ("probe operation for db on n2: not running", "key=db_monitor_0 rc=7", False),
        ("monitor operation for db on n2: not running", "key=db_monitor_0 rc=7", False),
        ("stop operation for db on n2: ok", "key=db_stop_0 rc=0", False),
    ],
)
def test_what_pacemakers_log_calls_a_failure(result: str, key: str, told: bool) -> None:
    """Each is one report, under the id that the controller has."""
    found = list(reports([LINE.format(result, key)]))
    words = result.split()
    assert found == ([Report(("n2", words[3]), words[0])] if told else [])


def test_what_the_daemons_log_calls_an_incident() -> None:
    """The death of what ran; neither one that was ordered nor a failed start."""
    prefix = "2026-11-21T14:58:16+0000 [tocsin_daemon.resource#info] web:0: "
    said = [
        "service ended: running -> failed",
        "service ended: promoted -> failed",
        "nothing is left: stopping -> stopped",
    ]
    assert list(incidents(prefix + line for line in [*said, "service ended: starting -> failed"])) == ["web:0"] * 2


class Books:
    """One node's two logs, and its ledger."""

    def __init__(self, place: Path) -> None:
        """Begin with empty logs."""
        (place / "tocsin").mkdir()
        self.pacemaker, self.daemon = place / "pacemaker.log", place / "tocsin/tocsind-9909.log"
        node = SimpleNamespace(name="n2", pacemaker_log=self.pacemaker, log_directory=place)
        self.ledger = Ledger(cast("Lab", SimpleNamespace(nodes=[node])))

    def happen(self, deaths: int, seen: int, told: int) -> None:
        """Let a service die, and be told of, so many times."""
        for _ in range(deaths):
            self.ledger.died("n2", "db")
        line = LINE.format("asyncmon operation for db on n2: error", "key=db_asyncmon_0 rc=1")
        with self.pacemaker.open("a") as log, self.daemon.open("a") as other:
            log.write(f"{line}\n" * told)
            other.write("2026 [tocsin_daemon.resource#info] db: service ended: running -> failed\n" * seen)


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """Keep the books of one node."""
    return Books(tmp_path)


@pytest.mark.parametrize("counts", [(d, s, t) for d in range(3) for s in range(3) for t in range(3)])
def test_the_books_agree_only_when_each_death_is_told_once(books: Books, counts: tuple[int, int, int]) -> None:
    """All of these counts must be the same."""
    books.happen(*counts)
    assert bool(books.ledger.faults()) is (len(set(counts)) > 1)


def test_a_report_that_comes_late_is_a_fault_of_the_next_page(books: Books) -> None:
    """Nothing is forgotten at the end of a scenario."""
    books.happen(1, 1, 1)
    assert books.ledger.close() == []
    books.happen(0, 0, 1)
    assert books.ledger.close() == ["db on n2: 0 deaths, 0 incidents, 1 reports"]
    assert books.ledger.total == 1 and len(books.ledger.reports) == 2


def test_what_a_daemon_calls_critical_is_a_fault(books: Books) -> None:
    """An unhandled error above all."""
    books.daemon.write_text("2026-11-21T14:49:17+0000 [tocsin_daemon.control#critical] a request broke off\n")
    assert "critical" in books.ledger.faults()[0]


@pytest.fixture
def court(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[judge.Judge]:
    """Have a judge on two made-up nodes of this machine."""
    nodes = [SimpleNamespace(name=name, init=os.getpid(), is_running=lambda: True) for name in ("n1", "n2")]
    for node in nodes:
        (tmp_path / node.name).mkdir()
    monkeypatch.setattr(judge, "outside", lambda node, inside: tmp_path / node.name / Path(inside).name)
    with judge.sitting(cast("Any", SimpleNamespace(nodes=nodes, state=tmp_path))) as sits:
        yield sits


def run(place: Path, *words: str) -> subprocess.Popen[bytes]:
    """Run a service that finds its judge in a directory of ours."""
    code = f"import witnessed as w; w.PLACE = {str(place)!r}; w.EAR = w.PLACE + '/judge'; w.main(*{words!r})"
    return subprocess.Popen(["/usr/bin/python3", "-c", code], cwd=Path(witnessed.__file__).parent)


def until(court: judge.Judge, **wanted: int) -> None:
    """Wait until the judge has seen so many of each."""
    deadline = time.monotonic() + 20
    while Counter(event.what for event in court.events) != Counter(wanted):
        assert time.monotonic() < deadline, court.events
        time.sleep(0.01)


def test_the_judge_sees_births_deaths_and_crowds(court: judge.Judge, tmp_path: Path) -> None:
    """Of real processes: the second finds the lock of the first, until that is dead."""
    court.only("db")
    first = run(tmp_path / "n1", "db")
    until(court, born=1)
    second = run(tmp_path / "n2", "db")
    until(court, born=2, crowded=1)
    for process in (first, second):
        process.kill()
        process.wait()
    until(court, born=2, crowded=1, died=2)
    third = run(tmp_path / "n2", "db", "other words")
    until(court, born=3, crowded=1, died=2)
    third.terminate()
    assert third.wait(20) == 0
    until(court, born=3, crowded=1, died=3)
    spans = active(court.events, "db")
    assert [(span.node, span.pid) for span in spans] == [("n1", first.pid), ("n2", second.pid), ("n2", third.pid)]
    assert spans[2].words == ("other", "words")


def test_the_judge_hears_of_roles(court: judge.Judge, tmp_path: Path) -> None:
    """Of many instances one at a time may be promoted."""
    court.only("db.promoted")
    both = [run(tmp_path / node, "db", "--many") for node in ("n1", "n2")]
    until(court, born=2)
    both[0].send_signal(10)
    until(court, born=2, promoted=1)
    both[1].send_signal(10)
    until(court, born=2, promoted=2, crowded=1)
    both[0].send_signal(12)
    until(court, born=2, promoted=2, crowded=1, demoted=1)
    for process in both:
        process.kill()
        process.wait()
    until(court, born=2, promoted=2, crowded=1, demoted=1, died=2)
    assert [span.end == FOREVER for span in promoted(court.events, "db")] == [False, False]
