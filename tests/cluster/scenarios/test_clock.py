"""The clock of a node jumps, by libfaketime: the service is not touched, and its death is reported as ever."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from judge import sitting
from lab import Lab
from scene import Scene

from tests.requirements import require

QUICK = 15.0
HOUR = 3600.0


@pytest.fixture
def jumping(cluster_possible: None, installed: Path, show: Callable[[Scene], None]) -> Iterator[Scene]:
    """Run two nodes of their own clocks."""
    missing = Lab.missing_for_clocks()
    require(not missing, "; ".join(missing))
    with Lab(2, installed, timeout=120, fencing=True, clocks=True) as lab, sitting(lab) as judge:
        scene = Scene(lab, judge)
        scene.open("the_clock_jumps")
        yield scene
        scene.accounts()
        show(scene)


def test_the_clock_jumps(jumping: Scene) -> None:
    """Forth and back, by more than any interval, timeout and back-off, before a death and in the middle of one."""
    scene = jumping
    span = scene.single("db", "check=exec:/bin/true", monitor=("interval=5s", "timeout=30s"))
    node = scene.lab.node(span.node)
    for ahead in (HOUR, -HOUR, 0.0):
        node.set_clock(ahead)
        time.sleep(3)
        assert scene.calm("db") == span
    for ahead in (HOUR, -HOUR):
        with scene.watched("db", none=QUICK):
            scene.kill(span)
            scene.lab.node(span.node).set_clock(ahead)
            new = scene.another(span)
            assert new.node != span.node
        scene.lab.node(span.node).set_clock(0.0)
        scene.tidy("db")
        span = scene.calm("db")
    os.kill(span.pid, 0)
