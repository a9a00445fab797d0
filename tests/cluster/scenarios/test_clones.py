"""Clones and groups on three nodes: the instance that died is recovered, by its own id, and no other is touched."""

from __future__ import annotations

import pytest
from judgement import Span
from scene import Scene

QUICK = 10.0


def on(spans: list[Span], node: str) -> list[Span]:
    """Return those on a node."""
    return [span for span in spans if span.node == node]


def others(spans: list[Span], *without: Span) -> set[Span]:
    """Return the rest."""
    return set(spans) - set(without)


def test_an_instance_of_an_anonymous_clone(scene: Scene) -> None:
    """It alone is recovered, on its node; its report names the primitive."""
    scene.create("web", "clone", many=True)
    before = scene.full("web", 3)
    for victim in before:
        now = scene.full("web", 3)
        scene.kill(victim, "web")
        scene.replaced(victim)
        assert others(scene.full("web", 3)) > others(now, victim)
    assert {span.node for span in scene.full("web", 3)} == {"n1", "n2", "n3"}


def test_instances_of_a_globally_unique_clone(scene: Scene) -> None:
    """Two on each node; each is reported by its own id, also when both die at once."""
    scene.create("shard", "clone", "globally-unique=true", "clone-max=6", "clone-node-max=2", many=True)
    before = scene.full("shard", 6)
    victim = before[0]
    scene.kill(victim, scene.resource(victim))
    scene.replaced(victim)
    after = scene.full("shard", 6)
    assert others(after) > others(before, victim)
    pair = on(after, victim.node)
    ids = [scene.resource(span) for span in pair]
    assert len(set(ids)) == 2
    for span, resource in zip(pair, ids):
        scene.kill(span, resource)
    scene.lab.wait(
        lambda: not {span.pid for span in pair} & {span.pid for span in scene.instances("shard")}, 30, "both"
    )
    assert {scene.resource(span) for span in on(scene.full("shard", 6), victim.node)} == set(ids)


def test_a_member_of_a_group(scene: Scene) -> None:
    """Those after it are restarted by Pacemaker, which is no failure of theirs; those before it are not touched."""
    names = ("first", "middle", "last")
    for name in names:
        scene.create(name, "--group", "team")
    first, middle, last = (scene.calm(name) for name in names)
    with scene.watched("middle", none=QUICK), scene.watched("last", none=QUICK):
        scene.kill(middle)
        scene.another(last)
        after = [scene.calm(name) for name in names]
    assert after[0] == first
    assert after[1].begin > middle.begin
    assert {span.node for span in after} == {first.node}


def test_a_group_moves_together(scene: Scene) -> None:
    """With migration-threshold=1 the death of one moves all."""
    for name in ("lead", "follower"):
        scene.create(name, "meta", "migration-threshold=1", "--group", "pair")
    lead, follower = scene.calm("lead"), scene.calm("follower")
    with scene.watched("lead", none=QUICK), scene.watched("follower", none=QUICK):
        scene.kill(follower)
        assert scene.another(lead).node == scene.another(follower).node != lead.node
        scene.calm("follower")


def test_a_cloned_group(scene: Scene) -> None:
    """What is restarted is restarted on that node alone."""
    for name in ("base", "top"):
        scene.create(name, "--group", "stack", many=True)
    scene.pcs("resource", "clone", "stack")
    base, top = scene.full("base", 3), scene.full("top", 3)
    scene.kill(base[0], "base")
    mine = on(top, base[0].node)[0]
    scene.replaced(base[0])
    scene.replaced(mine)
    assert others(scene.full("base", 3)) > others(base, base[0])
    assert others(scene.full("top", 3)) > others(top, mine)


@pytest.mark.parametrize("count", [2, 3])
def test_several_instances_die_at_once(scene: Scene, count: int) -> None:
    """On as many nodes; each node's daemon reports its own, once."""
    scene.create("web", "clone", many=True)
    for span in scene.full("web", 3)[:count]:
        scene.kill(span, "web")
    scene.lab.wait(lambda: len(scene.history("web")) == 3 + count, 30, "others")
    scene.full("web", 3)
