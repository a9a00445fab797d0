"""The life machine: every (phase, event) is a row or a refusal, and every history keeps the promises."""

from itertools import product

import pytest

from tocsin_daemon.core.life import LIFE, Effect, Event, Phase
from tocsin_daemon.core.machine import Refused

HISTORY = 5


ASKED = (Event.START, Event.STOP, Event.PROMOTE, Event.DEMOTE)
CHANGING = (Phase.PROMOTING, Phase.DEMOTING)


def possible(phase: Phase, event: Event, alive: bool, promoted: bool) -> bool:
    """Tell whether the world can produce the event now: requests always, the rest only as the shell feeds them."""
    if event in ASKED:
        return True
    phases = {
        Event.SETTLED: (Phase.STARTING, Phase.RETURNING),
        Event.BROKEN: (Phase.STARTING, Phase.RETURNING),
        Event.SPARED: (Phase.RUNNING, Phase.RETURNING),
        Event.JUDGED: (Phase.RUNNING, Phase.PROMOTED),
        Event.DRILLED: (Phase.RUNNING, Phase.PROMOTED),
        Event.HEALED: () if promoted else (Phase.FAILED,),
        Event.PROMOTED: (Phase.PROMOTING, Phase.FAILED) if promoted else (),
        Event.DEMOTED: (Phase.DEMOTING,),
        Event.UNCHANGED: CHANGING,
        Event.DIED: tuple(Phase),
    }
    if event in phases:
        return alive and phase in phases[event]
    if event is Event.CUT_SHORT:
        return phase in (Phase.RESTARTING, Phase.RETURNING)
    return phase in (Phase.CLEARING, Phase.STOPPING, Phase.RESTARTING) and not alive


def histories(length: int) -> list[list[tuple[Phase, Event, Phase, tuple[Effect, ...]]]]:
    """Return every history of the given length that the world can produce."""
    begun: list[tuple[Phase, bool, bool, list]] = [(Phase.STOPPED, False, False, [])]
    for _ in range(length):
        longer = []
        for (phase, alive, promoted, steps), event in product(begun, Event):
            if not possible(phase, event, alive, promoted):
                continue
            after, effects = LIFE.step(phase, event)
            lives = (alive and event not in (Event.DIED, Event.BROKEN)) or Effect.SPAWN in effects
            # What is restarted here has died, or its checks have failed while it lives.
            both = {lives, lives and event is not Event.SPARED}
            role = Effect.PROMOTE in effects or (
                promoted and event is not Event.DEMOTED and Effect.BEGIN not in effects
            )
            longer += [(after, still, role, [*steps, (phase, event, after, effects)]) for still in both]
        begun = longer
    return [steps for *_, steps in begun]


ALL = histories(HISTORY)


def test_no_possible_event_is_refused() -> None:
    """`histories` would have raised on a missing row; it found thousands of histories."""
    assert len(ALL) > 1000


@pytest.mark.parametrize(("phase", "event"), [pair for pair in product(Phase, Event) if pair not in LIFE.rows])
def test_a_missing_row_raises_and_names_both(phase: Phase, event: Event) -> None:
    """What the table does not know is refused, by name."""
    with pytest.raises(Refused, match=phase.value):
        LIFE.step(phase, event)


UNTOLD = {Phase.RUNNING, Phase.PROMOTED, Phase.RESTARTING, Phase.RETURNING}
"""Phases out of which a failure is known to nobody but us."""


def test_an_incident_is_reported_only_on_the_edge_to_failed_that_nobody_else_tells() -> None:
    """A failed start is told by `start` itself, and a death during `stop` is none."""
    for steps in ALL:
        for phase, event, after, effects in steps:
            assert (Effect.REPORT in effects) == (phase in UNTOLD and after is Phase.FAILED)
            if Effect.REPORT in effects:
                assert event in (Event.DIED, Event.BROKEN, Event.JUDGED, Event.DRILLED, Event.CUT_SHORT)


def test_a_spared_death_is_never_reported_and_always_counted() -> None:
    """Local restarts are visible, not silent."""
    for steps in ALL:
        for _, event, after, effects in steps:
            if event is Event.SPARED:
                assert Effect.REPORT not in effects
                assert after is Phase.RESTARTING and Effect.NOTE_RESTART in effects


def test_a_report_is_withdrawn_before_the_service_is_touched() -> None:
    """On stop and on a new start: DISARM stands before CLEAR, wherever a report could be under way."""
    for steps in ALL:
        for phase, event, _, effects in steps:
            if event in ASKED and phase in (Phase.RUNNING, Phase.PROMOTED, Phase.FAILED) and Effect.CLEAR in effects:
                assert effects.index(Effect.DISARM) < effects.index(Effect.CLEAR)


def test_two_generations_never_overlap() -> None:
    """Between an end of the main process and the next spawn, everything of the former one was cleared."""
    for steps in ALL:
        clean = True
        for _, event, _, effects in steps:
            if event is Event.CLEARED:
                clean = True
            if Effect.SPAWN in effects:
                assert clean
                clean = False


def test_one_report_per_failure() -> None:
    """Before the next report there is a new incarnation, or the service was well again."""
    for steps in ALL:
        reports = 0
        for _, _, _, effects in steps:
            reports = 0 if {Effect.BEGIN, Effect.RELIEVE} & set(effects) else reports + (Effect.REPORT in effects)
            assert reports <= 1


def test_stopped_is_reached_only_when_nothing_is_left() -> None:
    """A `stop` is answered 0 in STOPPED; nothing but a look that found nothing leads there."""
    for steps in ALL:
        for phase, event, after, _ in steps:
            if after is Phase.STOPPED and phase is not Phase.STOPPED:
                assert event is Event.CLEARED


def test_only_a_promotion_promotes_and_only_a_demotion_or_an_end_undoes_it() -> None:
    """Two promoted ones are worse than none: nothing else leads into PROMOTED, or out of it to RUNNING."""
    for steps in ALL:
        promoted = False
        for _, event, after, effects in steps:
            promoted = promoted or Effect.PROMOTE in effects
            if event is Event.DEMOTED or Effect.BEGIN in effects:
                promoted = False
            assert promoted or after not in (Phase.PROMOTING, Phase.PROMOTED)
            assert not (promoted and after is Phase.RUNNING)


def test_a_role_is_changed_only_of_what_is_up() -> None:
    """The commands need a service that answers."""
    for steps in ALL:
        for phase, _, after, effects in steps:
            if {Effect.PROMOTE, Effect.DEMOTE} & set(effects):
                assert phase in (Phase.RUNNING, Phase.PROMOTED, *CHANGING)
                assert after in CHANGING


def test_demote_of_what_has_failed_ends_it_and_withdraws_its_report() -> None:
    """What does not work cannot be trusted to hand over."""
    assert LIFE.step(Phase.FAILED, Event.DEMOTE) == (Phase.STOPPING, (Effect.DISARM, Effect.CLEAR))


def test_what_was_started_is_unpromoted() -> None:
    """OCF 1.1, "start": a resource agent that supports roles starts in the unpromoted one."""
    for phase in (Phase.PROMOTED, *CHANGING):
        assert LIFE.step(phase, Event.START)[0] is Phase.DEMOTING


@pytest.mark.parametrize("phase", list(Phase))
def test_what_pacemaker_asks_is_understood_in_every_phase(phase: Phase) -> None:
    """Pacemaker may ask at any time, and twice."""
    for event in ASKED:
        LIFE.step(phase, event)


def test_repeated_requests_change_nothing() -> None:
    """Start of the started and stop of the stopped are idempotent."""
    assert LIFE.step(Phase.RUNNING, Event.START) == (Phase.RUNNING, ())
    assert LIFE.step(Phase.STOPPED, Event.STOP) == (Phase.STOPPED, ())
    assert LIFE.step(Phase.PROMOTED, Event.PROMOTE) == (Phase.PROMOTED, ())
    assert LIFE.step(Phase.RUNNING, Event.DEMOTE) == (Phase.RUNNING, ())


def test_the_rendered_table_has_a_line_per_row() -> None:
    """docs/life.md shows this one."""
    assert len(LIFE.markdown().splitlines()) == len(LIFE.rows) + 2
