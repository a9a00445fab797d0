"""A service dies on three real nodes: it moves, and every death is reported once, whatever dies with it."""

from __future__ import annotations

import random
import time

import pytest
from scene import Scene

QUICK = 10.0
"""Seconds in which a machine that is busy moves a service; the benchmark says how long one takes that is not."""
POLLED = 5.0
MOMENTS = (0.0, 0.01, 0.02, 0.04, 0.08, 0.16)
"""Seconds after which a daemon dies that has a death to report, or a service to start."""
SEED = 20261121


def test_a_killed_service_moves(scene: Scene) -> None:
    """To another node, twice; it is never in two places."""
    old = scene.single("db")
    for _ in range(2):
        with scene.watched("db", none=QUICK):
            scene.kill(old)
            assert scene.another(old).node != old.node
            old = scene.calm("db")
        scene.tidy("db")


def test_a_killed_service_moves_when_a_monitor_is_held(scene: Scene) -> None:
    """The monitor that waits tells it, with the true code."""
    held = ("interval=1s", "timeout=60s")
    old = scene.single("db", "monitor_hold=45", monitor=held)
    time.sleep(1.5)  # the first monitor after a start is answered at once
    with scene.watched("db", none=QUICK):
        scene.kill(old)
        assert scene.another(old).node != old.node
        scene.calm("db")
    assert scene.told() == ["monitor"]


@pytest.mark.parametrize("victims", [("old",), ("new",), ("old", "new")], ids=" and ".join)
def test_the_daemon_is_killed_during_failover(scene: Scene, victims: tuple[str, ...]) -> None:
    """At random moments; what nobody was there to tell, the next monitor tells."""
    dice = random.Random(f"{SEED}{victims}")  # noqa: S311 - repeatable is the point
    old = scene.single("db", monitor=(f"interval={POLLED:g}s", "timeout=30s"))
    for _ in range(2):
        with scene.watched("db", none=QUICK + 2 * POLLED):
            scene.kill(old)
            for node in scene.lab.nodes:
                if ("old" if node.name == old.node else "new") in victims:
                    time.sleep(dice.choice(MOMENTS))
                    scene.kill_daemons(node)
            assert scene.another(old).node != old.node
            old = scene.calm("db")
        scene.tidy("db")


def test_two_resources_that_share_a_daemon_and_two_that_do_not(scene: Scene) -> None:
    """They all die at once, and each is reported once; who is told that its daemon died has not lost it."""
    names = {"one": (), "two": (), "alone": ("port=9911",), "apart": ("port=9912",)}
    old = {name: scene.single(name, *words, monitor=("interval=5s",)) for name, words in names.items()}
    scene.kill_daemons(scene.lab.node(old["alone"].node), port=9911)
    for span in old.values():
        scene.kill(span)
    for name, span in old.items():
        assert scene.another(span).node != span.node
        scene.calm(name)
