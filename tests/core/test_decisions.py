"""Answers, causes, the plan of a stop, and what becomes of a resource when the daemon is restarted."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from tocsin_daemon.core.answers import Answer, to_demote, to_monitor, to_promote, to_start, to_stop, too_late
from tocsin_daemon.core.cause import LINE, ended, with_output
from tocsin_daemon.core.holding import hold
from tocsin_daemon.core.life import LIFE, Event, Phase
from tocsin_daemon.core.on_fail import mismatch, warnings
from tocsin_daemon.core.record import Failure, Record
from tocsin_daemon.core.restarts import allowed
from tocsin_daemon.core.resume import RESUME
from tocsin_daemon.core.stopping import LONGEST_LOOK, pause, plan
from tocsin_ocf.pacemaker import Operation

FAILED = Failure(7, "main process 1 was killed by signal 9 (KILL)")
MONITOR = {Phase.RUNNING: 0, Phase.PROMOTED: 8, Phase.STOPPED: 7, Phase.FAILED: 7}
START = {Phase.RUNNING: 0, Phase.STOPPED: 1, Phase.FAILED: 7, Phase.STOPPING: 1}
STOP = dict.fromkeys(Phase, 1) | {Phase.STOPPED: 0, Phase.STOPPING: None}
PROMOTE = dict.fromkeys(Phase, 1) | {Phase.PROMOTED: 0, Phase.PROMOTING: None, Phase.STOPPED: 7}
DEMOTE = dict.fromkeys(Phase, 0) | {
    Phase.DEMOTING: None,
    Phase.STOPPING: None,
    Phase.FAILED: 1,
    Phase.PROMOTING: 1,
    Phase.PROMOTED: 1,
}


@pytest.mark.parametrize("phase", list(Phase))
def test_each_verb_in_each_phase(phase: Phase) -> None:
    """A code, or None for: not yet."""
    record = Record("web", phase=phase, failure=FAILED)
    monitor, start, stop = to_monitor(record, []), to_start(record), to_stop(record)
    assert (monitor.code if monitor else None) == MONITOR.get(phase)
    assert (start.code if start else None) == START.get(phase)
    assert (stop.code if stop else None) == STOP.get(phase)
    promote, demote = to_promote(record), to_demote(record)
    assert (promote.code if promote else None) == PROMOTE[phase]
    assert (demote.code if demote else None) == DEMOTE[phase]


def test_a_monitor_of_the_stopped_is_silent_and_of_the_failed_says_why() -> None:
    """7 in both cases, for nothing runs."""
    stopped, failed = Record("web"), Record("web", phase=Phase.FAILED, failure=FAILED)
    assert to_monitor(stopped, []).text == ""
    assert to_monitor(failed, []).text == FAILED.text


def test_a_failed_service_with_remains_is_never_called_not_running() -> None:
    """7 would let it be started elsewhere beside what is left; the remains are named."""
    answer = to_monitor(Record("web", phase=Phase.FAILED, failure=FAILED), ["worker[12] S"])
    assert answer.code == 1
    assert "worker[12]" in answer.text


def test_what_was_promoted_says_so_when_it_is_degraded_or_has_failed() -> None:
    """191 and 9, as OCF 1.1 has it; where nothing runs any more it is 7 all the same."""
    promoted = Record("web", phase=Phase.PROMOTED, role="promoted", degraded="slow")
    assert to_monitor(promoted, []) == Answer(191, "slow")
    failed = replace(promoted, phase=Phase.FAILED, failure=FAILED)
    assert to_monitor(failed, ["worker[12] S"]).code == 9
    assert to_monitor(replace(failed, failure=replace(FAILED, lives=True)), []).code == 9
    assert to_monitor(failed, []).code == 7


@pytest.mark.parametrize("verb", ["START", "STOP", "MONITOR"])
def test_a_request_whose_time_is_over_names_what_it_waits_for(verb: str) -> None:
    """An honest error, never 0, never 7."""
    answer = too_late(verb, Record("web", phase=Phase.STOPPING), 18.0, ["db[7] D"])
    assert answer.code == 1
    assert "db[7] D" in answer.text
    assert "18 s" in answer.text


@pytest.mark.parametrize(
    ("status", "said"),
    [(0, "exited with status 0"), (3, "exited with status 3"), (-9, "signal 9 (KILL)"), (-40, "killed by signal 40")],
)
def test_the_cause_names_status_or_signal(status: int, said: str) -> None:
    """An administrator reads it in the middle of the night."""
    assert ended(12, status).endswith(said)


def test_an_unknown_status_is_called_unknown() -> None:
    """Nobody but a parent learns it."""
    assert "not known" in ended(12, None)


def test_the_last_line_of_output_goes_with_the_cause() -> None:
    """As a rule it is the service's own explanation; it is cut, and empty lines do not count."""
    assert with_output("gone", 3, ("a", "bad port", " ")) == "gone: bad port"
    assert with_output("gone", 0, ()) == "gone"
    assert len(with_output("gone", 1, ("x" * 500,))) == len("gone: ") + LINE


@pytest.mark.parametrize("status", [-9, None])
def test_who_was_killed_had_no_last_word(status: int | None) -> None:
    """What it said before, "Ready to accept connections", would explain nothing."""
    assert with_output("gone", status, ("Ready to accept connections",)) == "gone"


@pytest.mark.parametrize(
    ("operation", "wanted"), list(product([0.1, 5.0, 20.0, 600.0], [None, 0.0, 1.0, 10.0, 1000.0]))
)
def test_kill_always_comes_inside_the_operation(operation: float, wanted: float | None) -> None:
    """Whatever stop_timeout says: there is time left to see whether it worked."""
    assert 0 <= plan(operation, wanted).kill_after <= 0.9 * operation


def test_stop_timeout_is_kept_where_it_fits() -> None:
    """And two thirds of the operation without one."""
    assert plan(20.0, 5.0).kill_after == 5.0
    assert plan(30.0, None).kill_after == pytest.approx(20.0)


def test_looks_become_rarer() -> None:
    """10 ms at first, a quarter of a second at last, also after an hour."""
    waits = [pause(n) for n in range(10_000)]
    assert waits[0] == 0.01
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_LOOK


@pytest.mark.parametrize("phase", list(Phase))
def test_a_restarted_daemon_knows_what_to_do_in_every_phase(phase: Phase) -> None:
    """Whatever it feeds has a row, and it never starts a service by itself."""
    for runs in (False, True):
        for event in RESUME.get((phase, runs), (Event.STOP,)):
            assert event is not Event.START
            LIFE.step(phase, event)


def test_a_service_that_died_while_no_daemon_was_there_is_an_incident() -> None:
    """RUNNING on disk, gone in fact: the same row as a death under watch."""
    assert RESUME[Phase.RUNNING, False] == (Event.DIED,)
    assert RESUME[Phase.RUNNING, True] == ()


@pytest.mark.parametrize(("recurring", "settled"), list(product([False, True], repeat=2)))
def test_a_monitor_is_held_only_when_pacemaker_does_not_wait_for_it(recurring: bool, settled: bool) -> None:
    """And well inside the operation's time."""
    expected = 30.0 if recurring and settled else 0.0
    assert hold(30.0, 60.0, recurring=recurring, settled=settled) == expected
    assert hold(1000.0, 60.0, recurring=recurring, settled=settled) <= 45.0


@pytest.mark.parametrize(
    ("past", "attempts", "expected"),
    [
        ((), 0, False),
        ((), 1, True),
        ((95.0,), 1, False),
        ((39.0,), 1, True),
        ((95.0, 39.0), 2, True),
        ((200.0,), 1, False),
    ],
)
def test_the_restart_budget_counts_what_lies_within_the_window(
    past: tuple[float, ...], attempts: int, expected: bool
) -> None:
    """Sixty seconds before 100; a clock that was set back does not enlarge it."""
    assert allowed(past, 100.0, attempts, 60.0) == expected


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ((), ""),
        ((Operation("monitor", interval=60),), ""),
        ((Operation("monitor", "restart", interval=60),), ""),
        ((Operation("monitor", "standby", interval=60), Operation("asyncmon", "standby")), ""),
        ((Operation("monitor", "standby", interval=60),), "standby"),
        ((Operation("monitor", interval=60), Operation("asyncmon", "block")), "block"),
        ((Operation("monitor", "standby"),), ""),
    ],
)
def test_on_fail_of_monitor_and_asyncmon_are_compared(operations: tuple[Operation, ...], expected: str) -> None:
    """Both unset, or both the same: nothing to say."""
    assert (expected in mismatch(operations)) if expected else mismatch(operations) == ""


@pytest.mark.parametrize(
    ("role", "promotable", "warned"),
    [("", True, True), ("Promoted", True, False), ("Master", True, False), ("", False, False)],
)
def test_a_promotable_service_needs_a_monitor_of_the_promoted_one(role: str, promotable: bool, warned: bool) -> None:
    """Without one a reported failure stops it without a demote."""
    operations = (Operation("monitor", interval=60), Operation("monitor", role=role, interval=60))
    assert ("role=Promoted" in warnings(operations, promotable=promotable, remote="", deaf=False)) == warned


def test_all_that_keeps_a_failure_from_being_told_is_said() -> None:
    """On one line, for it stands in exit reasons too."""
    said = warnings((Operation("monitor", "fence", interval=60),), promotable=True, remote="r1", deaf=True)
    assert [part.partition(" ")[0] for part in said.split("; ")] == ["on-fail", "no", "r1", "notify_command"]
