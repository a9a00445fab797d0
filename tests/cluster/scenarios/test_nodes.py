"""Whole nodes go: powered off, cut off, frozen, starved; the service is elsewhere soon, and never in two places."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from judgement import Span
from lab import Node
from scene import PATIENCE, Scene

FENCED = 20.0
"""Seconds until a node that is lost was noticed and fenced, and its service started elsewhere, on a busy machine."""
QUICK = 10.0
HUNGRY = 20.0
SLICE, SHARE = 0.1, 0.15
HOGS = 4


@pytest.fixture
def db(scene: Scene) -> Span:
    """Run a service."""
    return scene.single("db", monitor=("interval=10s", "timeout=40s"))


def test_a_node_is_powered_off(scene: Scene, db: Span) -> None:
    """It is fenced, its service starts elsewhere, and when it is back it is not moved again."""
    node = scene.lab.node(db.node)
    with scene.watched("db", none=FENCED):
        node.kill()
        new = scene.another(db)
        assert new.node != node.name
        scene.lab.wait_online()
        assert scene.calm("db") == new


def test_a_node_is_cut_off_and_rejoins(scene: Scene, db: Span) -> None:
    """The service that nobody sees is dead before the next one lives."""
    node = scene.lab.node(db.node)
    with scene.watched("db", none=FENCED):
        scene.lab.partition(node.name)
        new = scene.another(db)
        assert new.node != node.name
        assert db.pid not in [span.pid for span in scene.instances("db")]
        scene.lab.heal()
        scene.lab.wait_online()
        assert scene.calm("db") == new


def test_a_node_freezes(scene: Scene, db: Span) -> None:
    """Its service counts as active until the node is fenced."""
    node = scene.lab.node(db.node)
    with scene.watched("db", none=FENCED):
        node.freeze()
        assert scene.another(db).node != node.name
        scene.lab.wait_online()
        scene.calm("db")


def test_a_node_freezes_for_a_moment(scene: Scene, db: Span) -> None:
    """Shorter than the token: nothing happens, and the next death is reported as ever."""
    node = scene.lab.node(db.node)
    for _ in range(3):
        node.freeze()
        time.sleep(0.4)
        node.thaw()
        time.sleep(0.4)
    assert scene.calm("db") == db
    with scene.watched("db", none=QUICK):
        scene.kill(db)
        assert scene.another(db).node != db.node
        scene.calm("db")


def test_a_fencing_that_fails_starts_nothing(scene: Scene, db: Span) -> None:
    """Nobody knows that the service is dead there; it starts as soon as that is known."""
    node = scene.lab.node(db.node)
    scene.lab.fence_mode(node, "fail")
    node.kill()
    time.sleep(5)
    assert scene.instances("db") == []
    scene.lab.fence_mode(node, "ok")
    assert scene.another(db).node != node.name


def test_a_node_starves(scene: Scene, db: Span) -> None:
    """A healthy service is not touched; one that dies there is reported, and moves, while the node goes on starving."""
    node = scene.lab.node(db.node)
    init, end = node.init, time.monotonic() + HUNGRY
    with starving(node):
        while time.monotonic() < end:
            assert scene.one("db") == db
            time.sleep(0.2)
        assert node.init == init
        with scene.watched("db", none=QUICK + FENCED):
            scene.kill(db)
            assert scene.another(db).node != db.node
    scene.calm("db")
    assert node.init == init


@contextmanager
def starving(node: Node) -> Iterator[None]:
    """Give a node a share of the machine's time, for which greedy processes compete in it."""
    ended = threading.Event()
    hogs = [node.popen(["sh", "-c", "while :; do :; done"]) for _ in range(HOGS)]

    def starve() -> None:
        while not ended.wait(SLICE * SHARE):
            node.freeze()
            ended.wait(SLICE * (1 - SHARE))
            node.thaw()

    thread = threading.Thread(target=starve)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for hog in hogs:
            hog.kill()
            hog.communicate(timeout=PATIENCE)
