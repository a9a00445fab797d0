"""The report machine: every (stage, news) is a row or a refusal; one report, never after a stop."""

from itertools import product

import pytest

from tocsin_daemon.core.machine import Refused
from tocsin_daemon.core.report import FINAL, LONGEST_RETRY, REPORT, Act, News, Stage, back_off

ANSWERS = {
    Act.CHECK: (News.GO, News.HOLD, News.DROP, News.UNKNOWN),
    Act.SEND: (News.TAKEN, News.REFUSED, News.REHEARSED),
    Act.VERIFY: (News.SEEN, News.UNSEEN),
    Act.BACK_OFF: (News.DUE,),
    Act.WAIT: (News.DUE,),
}
"""What can come back of each act."""
ANY_TIME = (News.MONITOR, News.WITHDRAW, News.RESUMED)
LENGTH = 8


def histories() -> list[list[tuple[Stage, News, Stage, tuple[Act, ...]]]]:
    """Return every history of one incident, cut after `LENGTH` steps or at its end."""
    done, open_ = [], [(Stage.NONE, (News.INCIDENT, News.HEARD), [])]
    for _ in range(LENGTH):
        longer = []
        for stage, expected, steps in open_:
            for news in (*expected, *ANY_TIME) if steps else expected:
                after, acts = REPORT.step(stage, news)
                step = [*steps, (stage, news, after, acts)]
                comes = tuple(n for act in acts for n in ANSWERS.get(act, ())) or (() if after in FINAL else expected)
                (done if after in FINAL else longer).append((after, comes, step))
        open_ = longer
    return [steps for _, _, steps in done + open_]


ALL = histories()


def test_no_possible_news_are_refused() -> None:
    """`histories` would have raised on a missing row."""
    assert len(ALL) > 1000


@pytest.mark.parametrize(("stage", "news"), [pair for pair in product(Stage, News) if pair not in REPORT.rows])
def test_a_missing_row_raises(stage: Stage, news: News) -> None:
    """What the table does not know is refused."""
    with pytest.raises(Refused):
        REPORT.step(stage, news)


def test_each_injection_comes_directly_from_a_look_at_the_cluster() -> None:
    """`crm_resource --fail` is blind: it never runs without a look immediately before."""
    for steps in ALL:
        for stage, news, _, acts in steps:
            if Act.SEND in acts:
                assert (stage, news) == (Stage.CHECKING, News.GO)


def test_a_second_injection_needs_proof_that_the_first_did_not_take() -> None:
    """Between two injections Pacemaker was looked at and had no failure, or refused the first."""
    for steps in ALL:
        open_injection = False
        for _, news, _, acts in steps:
            if news in (News.REFUSED, News.UNSEEN):
                open_injection = False
            if Act.SEND in acts:
                assert not open_injection
                open_injection = True


def test_nothing_is_sent_after_a_stop_or_a_monitor() -> None:
    """Once Pacemaker acts or knows, a report that is not on its way is over, and what runs is cancelled."""
    for steps in ALL:
        for index, (stage, news, after, acts) in enumerate(steps):
            if news is News.WITHDRAW:
                assert after in FINAL
                assert Act.CANCEL in acts or stage in FINAL
                assert not any(Act.SEND in later[3] for later in steps[index + 1 :])
            if news is News.MONITOR and stage is not Stage.SENDING:
                assert after in FINAL


def test_a_restarted_daemon_looks_before_it_sends_again() -> None:
    """Cut anywhere: after a restart the next step is a look, never an injection."""
    for stage in Stage:
        after, acts = REPORT.step(stage, News.RESUMED)
        assert Act.SEND not in acts
        assert after in FINAL or acts in ((Act.CHECK,), (Act.VERIFY,))


def test_a_report_that_is_not_final_has_something_under_way() -> None:
    """No stage waits for nothing: each that is not final was entered with an act."""
    for (stage, news), (after, acts) in REPORT.rows.items():
        if after not in FINAL and after is not stage:
            assert acts, (stage, news)


def test_back_off_doubles_up_to_a_ceiling() -> None:
    """Half a second at first, half a minute at most, also after days."""
    assert [back_off(n) for n in range(1, 5)] == [0.5, 1.0, 2.0, 4.0]
    assert back_off(1000) == LONGEST_RETRY
