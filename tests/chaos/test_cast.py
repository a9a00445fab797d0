"""The role that the actions lead to, and a monitor that says another one."""

from __future__ import annotations

import pytest

from tests.chaos.cast import Cast


def done(cast: Cast, what: str, code: int | None = 0) -> str:
    """Call an action, and return how it contradicts."""
    return cast.end(what, code, cast.begin(what))


@pytest.mark.parametrize(
    ("actions", "right", "wrong"),
    [
        (["start"], 0, 8),
        (["start", "promote"], 8, 0),
        (["start", "promote"], 191, 190),
        (["start", "promote", "demote"], 0, 191),
        (["start", "promote", "start"], 190, 8),
    ],
)
def test_a_monitor_says_the_role_that_the_actions_led_to(actions: list[str], right: int, wrong: int) -> None:
    """By hand or not: what was started is unpromoted."""
    cast = Cast()
    for what in actions:
        done(cast, what)
    assert done(cast, "monitor", right) == ""
    assert "it is" in done(cast, "monitor", wrong)
    assert done(cast, "monitor", 7) == ""  # that it does not run is another book's


@pytest.mark.parametrize("code", [1, None])
def test_after_an_action_that_failed_or_was_cut_off_nobody_can_tell(code: int | None) -> None:
    """It may have been done all the same."""
    cast = Cast()
    done(cast, "start")
    done(cast, "promote", code)
    assert done(cast, "monitor", 0) == done(cast, "monitor", 8) == ""


def test_a_monitor_beside_a_change_may_say_either() -> None:
    """It was asked before, and answered after."""
    cast = Cast()
    done(cast, "start")
    monitor = cast.begin("monitor")
    done(cast, "promote")
    assert cast.end("monitor", 0, monitor) == ""
    change = cast.begin("demote")
    assert done(cast, "monitor", 0) == ""
    cast.end("demote", 0, change)
