"""Two minutes on a starving machine: no false alarm, and nothing missed. `./dev stress` does it for thirty."""

from __future__ import annotations

import random

import pytest

from tests.requirements import require_program, require_root
from tests.stress.run import Wish, run

SECONDS, FAULTS, SERVICES = 120.0, 12, 20


def test_a_starving_machine_causes_no_false_alarm_and_hides_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Services die, break and hang at random moments; whatever else the checks say is false."""
    require_root()
    require_program("stress-ng")
    seed = random.SystemRandom().randrange(10**6)
    found = run(Wish(seed, SECONDS, FAULTS, SERVICES))
    with capsys.disabled():
        print(f"\nstress, seed {seed}: {found.figures()}")
    assert (found.false_alarms, found.missed, found.trouble) == ([], [], [])
