"""The check `systemd`: what it says of a unit, and when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from tests.fakes.systemd import DOWN, FAILED, ME, UP, FakeSystemd
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.checks.systemd import SystemdUnit, outcome_of
from tocsin_daemon.core.check import Outcome, Result, Spec
from tocsin_daemon.core.unit import Unit

CHECKED = [
    (UP, Result.WELL, "web.service is active (running)"),
    (replace(UP, active="reloading", sub="reload"), Result.WELL, "web.service is reloading (reload)"),
    (replace(DOWN, job_type="restart"), Result.SOFT, "web.service is inactive (dead), on its way up"),
    (DOWN, Result.BAD, "web.service is inactive (dead)"),
    (FAILED, Result.BAD, f"web.service failed: main process {ME} was killed by signal 9 (KILL)"),
    (replace(DOWN, load="not-found"), Result.ERROR, "systemd does not know a unit web.service"),
    (None, Result.ERROR, "systemd cannot be asked: no bus"),
]


@pytest.mark.parametrize(("unit", "result", "text"), CHECKED, ids=[text[:20] for _, _, text in CHECKED])
def test_a_check_says_what_a_unit_is(unit: Unit | None, result: Result, text: str) -> None:
    """What cannot be asked is no failure."""
    assert outcome_of(unit, "no bus") == Outcome(result, text)


def test_a_check_tells_what_is_new(tmp_path: Path) -> None:
    """Until it has ended; its target may lack the type."""
    systemd, told = FakeSystemd(str(tmp_path)), list[Outcome]()
    outside = Outside(None, "web", run=lambda _: Deferred(), bus=lambda: systemd)
    check = SystemdUnit(Spec("systemd", "web", "web"), outside)
    check.begin(told.append)
    for unit in (UP, UP, FAILED):
        systemd.tell(unit)
    following = systemd.following
    check.end()
    assert following and following.over and [outcome.result for outcome in told] == [Result.WELL, Result.BAD]
    with pytest.raises(ValueError, match="is not a unit"):
        SystemdUnit(Spec("systemd", "a b", "x"), outside)
