"""A promotable clone on three nodes: one is promoted at any moment, and one is again when that one dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import kills
import pytest
from judgement import Span, promoted
from scene import PATIENCE, Scene

QUICK = 15.0
GATE = "/run/lab/gate"
"""While it is there, a promotion on that node goes on for ever."""
ROLE = "/bin/sh -c 'while [ -e {gate} ]; do sleep 0.05; done; exec pkill -{signal} -f witnesse[d].py.db'"


def create(scene: Scene) -> Span:
    """Create the clone, and return the instance that was promoted."""
    words = [
        f"promote_command={ROLE.format(gate=GATE, signal='USR1')}",
        f"demote_command={ROLE.format(gate='/none', signal='USR2')}",
        *["op", "monitor", "interval=59s", "role=Promoted", "meta", "migration-threshold=1"],
    ]
    scene.create("db", *words, "promotable", "notify=true", many=True)
    scene.full("db", 3)
    return leader(scene)


def leader(scene: Scene, *without: Span) -> Span:
    """Wait for the one that is promoted, and is none of these, and until nothing is under way."""
    old = [span.pid for span in without]
    scene.lab.wait(lambda: [s for s in scene.leaders("db") if s.pid not in old], PATIENCE, "a promoted db")
    scene.idle()
    spans = scene.leaders("db")
    assert len(spans) == 1, spans
    return spans[0]


def test_the_promoted_one_dies(scene: Scene) -> None:
    """Another is promoted; its death is reported once, and the rest is not touched."""
    old = create(scene)
    before = scene.instances("db")
    with scene.watched("db", none=QUICK, role=True):
        scene.kill(old)
        new = leader(scene, old)
    assert new.node != old.node
    assert {span.pid for span in scene.instances("db")} >= {span.pid for span in before} - {old.pid}


def test_the_promoted_one_moves(scene: Scene) -> None:
    """In order: it is demoted before the next is promoted."""
    old = create(scene)
    with scene.watched("db", none=QUICK, role=True):
        scene.pcs("node", "standby", old.node)
        new = leader(scene, old)
        scene.pcs("node", "unstandby", old.node)
        scene.full("db", 3)
    assert new.node != old.node
    ended = [span for span in promoted(scene.judge.events, "db") if span.pid == old.pid]
    assert not ended[-1].lasts


def test_an_unpromoted_one_dies(scene: Scene) -> None:
    """The promoted one is not touched."""
    old = create(scene)
    victim = next(span for span in scene.instances("db") if span.pid != old.pid)
    scene.kill(victim)
    scene.lab.wait(lambda: victim.pid not in [s.pid for s in scene.instances("db")], PATIENCE, "its death")
    scene.full("db", 2)  # a cleanup in the middle of a recovery breaks the start that follows
    scene.tidy("db-clone")
    scene.full("db", 3)
    assert leader(scene) == old


@pytest.fixture
def gates(scene: Scene) -> Iterator[list[Path]]:
    """Name the gates of all nodes; afterwards they are open."""
    paths = [node.path(GATE) for node in scene.lab.nodes]
    yield paths
    for path in paths:
        path.unlink(missing_ok=True)


def test_a_death_in_the_middle_of_a_promotion(scene: Scene, gates: list[Path]) -> None:
    """The promotion fails, which is its report; the third node is promoted."""
    old = create(scene)
    for gate in gates:
        gate.touch()
    with scene.watched("db", none=2 * QUICK, role=True):
        scene.kill(old)
        node = scene.lab.wait(lambda: promoting(scene), PATIENCE, "a promotion to begin")
        victim = next(span for span in scene.instances("db") if span.node == node)
        scene.kill(victim)
        for gate in gates:
            gate.unlink()
        new = leader(scene, old, victim)
    assert new.node not in (old.node, victim.node)
    assert sorted(scene.told()) == ["asyncmon", "promote"]


def promoting(scene: Scene) -> str:
    """Return the node on which a promotion is under way, by the daemon there."""
    rows = [row for node in scene.lab.nodes for row in kills.rows(node, check=False)]
    return next((str(row["node"]) for row in rows if row["phase"] == "promoting"), "")


@pytest.mark.parametrize("who", ["daemon", "node"])
def test_what_runs_the_promoted_one_dies(scene: Scene, who: str) -> None:
    """Without its daemon it stays promoted; without its node another is."""
    old = create(scene)
    node = scene.lab.node(old.node)
    with scene.watched("db", none=QUICK + 10, role=True):
        if who == "daemon":
            scene.kill_daemons(node)
            node.run(["crm_resource", "--force-check", "--resource", "db"], check=False, timeout=60)
            assert leader(scene) == old
            os.kill(old.pid, 0)
        else:
            node.kill()
            assert leader(scene, old).node != old.node
            scene.lab.wait_online()
