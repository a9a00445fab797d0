"""What `tocsin status --json` shows."""

from __future__ import annotations

from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Failure, Record
from tocsin_daemon.view import as_json
from tocsin_daemon.watch import Row


def test_a_check_is_dated_by_the_clock_on_the_wall() -> None:
    """The clock of the checks begins at boot, which is nobody's date; one that has not been judged has none."""
    rows = [Row("a", "failed", 40.0, "", 0.0, 3, 0), Row("b", "unknown", 0.0, "", 0.0, 0, 0)]
    shown = as_json(Record("web"), 1000.0, rows, 100.0)["checks"]
    assert [check["since"] for check in shown] == [940.0, None]


def test_what_failed_once_is_no_failure_of_what_runs() -> None:
    """A start that was given up may have come to something all the same."""
    record = Record("web", failure=Failure(1, "start: too late"))
    assert as_json(record, 0.0)["failure"] == "start: too late"
    assert as_json(Record("web", phase=Phase.RUNNING, failure=record.failure), 0.0)["failure"] is None
