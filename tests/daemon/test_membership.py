"""What is seen of services that die together: the process table is read once, and none of the dead is shown."""

from __future__ import annotations

import os
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.task import Clock

from tocsin_daemon.core.record import Main
from tocsin_daemon.drivers.membership import BURST, Membership
from tocsin_daemon.table import ProcessTable
from tocsin_ocf import processes


def test_services_that_die_together_are_seen_by_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand looks at a table of a thousand would keep the daemon from every report meanwhile."""
    clock = Clock()
    clock.advance(1000)
    means: Any = SimpleNamespace(reactor=clock, table=ProcessTable(clock), children=SimpleNamespace(heirs={}))
    looks: list[float] = []
    snapshot = processes.snapshot

    def counted() -> list[processes.Process]:
        looks.append(clock.seconds())
        return snapshot()

    monkeypatch.setattr(processes, "snapshot", counted)
    child = subprocess.Popen(["/bin/sleep", "60"])
    try:
        found = processes.look(child.pid)
        assert found
        services = [Membership(f"web{number}", means) for number in range(3)]
        for service in services:
            service.main = Main(child.pid, found.start, "boot", "")
        assert any(f"[{child.pid}]" in line for line in services[0].evidence())
        clock.advance(BURST / 2)
        services[1].evidence()
        assert len(looks) == 1
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert services[2].evidence() == ()  # it stands in the table that is shared
        clock.advance(BURST)
        services[2].evidence()
        assert len(looks) == 2
    finally:
        child.kill()
        child.wait()
