"""The shared process table: one look for all who need one of about the same time, never an older one."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from tocsin_daemon.table import ProcessTable
from tocsin_ocf import processes


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the looks at the real table."""
    made: list[int] = []

    def snapshot() -> list[processes.Process]:
        made.append(1)
        return []

    monkeypatch.setattr(processes, "snapshot", snapshot)
    return made


def test_a_hundred_services_that_ended_share_one_look(looks: list[int]) -> None:
    """Each needs one that was begun after its own end."""
    clock = Clock()
    clock.advance(10)
    table = ProcessTable(clock)
    for ended in range(100):
        table.since(9 + ended / 100)
    assert len(looks) == 1


def test_nobody_gets_a_look_from_before_what_he_asks_about(looks: list[int]) -> None:
    """What ended at 11 may still be in the table of 10."""
    clock = Clock()
    clock.advance(10)
    table = ProcessTable(clock)
    table.since(10)
    clock.advance(2)
    table.since(11)
    assert len(looks) == 2
