"""What an operator does to a running service with pcs: it is where it shall be, once, and no failure is made up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judge import command
from judgement import Span
from lab import Lab
from scene import PATIENCE, Scene

SWITCH = 10.0
"""Seconds without a service while it is stopped on one node and started on another, on a busy machine."""


@pytest.fixture
def db(scene: Scene) -> Iterator[Span]:
    """Run a service; whatever the operator does with it, nobody hears of a failure."""
    yield scene.single("db")
    assert scene.told() == []


def test_standby_and_unstandby(scene: Scene, db: Span) -> None:
    """It leaves, and nothing is failed on its way out."""
    with scene.watched("db", none=SWITCH):
        scene.pcs("node", "standby", db.node)
        new = scene.another(db)
        assert new.node != db.node
        scene.pcs("node", "unstandby", db.node)
        scene.calm("db")


def test_move_ban_and_clear(scene: Scene, db: Span) -> None:
    """One stop and one start each."""
    target = scene.elsewhere(db)[0].name
    with scene.watched("db", none=SWITCH):
        scene.pcs("resource", "move", "db", target)
        moved = scene.calm("db")
        assert moved.node == target
        scene.pcs("resource", "ban", "db", target)
        banned = scene.another(moved)
        assert banned.node != target
        scene.pcs("resource", "clear", "db")
        scene.calm("db")
    assert len(scene.history("db")) <= 4


def test_restart(scene: Scene, db: Span) -> None:
    """One new instance, on the same node."""
    with scene.watched("db", none=SWITCH):
        scene.pcs("resource", "restart", "db")
        assert scene.calm("db").begin > db.begin
    assert len(scene.history("db")) == 2


@pytest.mark.parametrize("what", ["cleanup", "refresh"])
def test_cleanup_and_refresh_touch_nothing(scene: Scene, db: Span, what: str) -> None:
    """The probe finds it, and it is taken up as it is; the next failure is reported all the same."""
    for _ in range(2):
        scene.pcs("resource", what, "db")
        assert scene.calm("db") == db


def test_disable_and_enable(scene: Scene, db: Span) -> None:
    """Stopped is stopped: nobody starts it until it is enabled."""
    scene.pcs("resource", "disable", "db", "--wait=60")
    assert scene.instances("db") == []
    scene.idle()
    assert scene.instances("db") == []
    scene.pcs("resource", "enable", "db", "--wait=60")
    assert scene.calm("db").begin > db.begin
    assert len(scene.history("db")) == 2


def test_a_resource_is_deleted_while_it_runs(scene: Scene, db: Span) -> None:
    """From the configuration, at once: Pacemaker stops what it does not know any more, and the daemon forgets it."""
    scene.desk.run(["cibadmin", "--delete", "--xml-text", '<primitive id="db"/>'])
    scene.lab.wait(lambda: not scene.instances("db"), PATIENCE, "the orphan to be stopped")
    scene.idle()
    assert scene.instances("db") == []


def test_a_reloadable_parameter_changes(scene: Scene, db: Span) -> None:
    """reload-agent tells the daemon, and the service is not touched."""
    node = scene.lab.node(db.node)
    scene.pcs("resource", "update", "db", "stop_timeout=7s")
    log = node.pacemaker_log
    scene.lab.wait(lambda: "action:reload-agent" in log.read_text(errors="replace"), PATIENCE, "the reload")
    assert scene.calm("db") == db
    journal = node.run(["tocsin", "explain", "db"]).stdout
    assert "stop_timeout" in journal, journal


def test_a_parameter_changes_that_is_not_reloadable(scene: Scene, db: Span) -> None:
    """It is stopped, and started as it is defined now."""
    with scene.watched("db", none=SWITCH):
        scene.pcs("resource", "update", "db", f"command={command('db', 'changed')}")
        assert scene.another(db).words == ("changed",)
        scene.calm("db")
    assert len(scene.history("db")) == 2


def test_pacemaker_is_restarted_in_maintenance(scene: Scene, db: Span) -> None:
    """On the service's node: it is found, and not touched; afterwards it is managed as before."""
    node = scene.lab.node(db.node)
    scene.pcs("node", "maintenance", node.name)
    scene.idle()
    node.restart_pacemaker()
    scene.idle()
    assert scene.calm("db") == db
    scene.pcs("node", "unmaintenance", node.name)
    scene.idle()
    assert scene.calm("db") == db


def test_the_cluster_is_stopped_and_started_on_its_node(scene: Scene, db: Span) -> None:
    """The service moves in order, before Pacemaker ends; and stays when the node is back."""
    node = scene.lab.node(db.node)
    with scene.watched("db", none=SWITCH):
        node.stop_cluster()
        assert scene.another(db).node != node.name
        node.start_cluster()
        scene.calm("db")


def test_the_whole_cluster_is_stopped_and_started(scene: Scene, db: Span) -> None:
    """Nothing of the service is left in between."""
    everywhere(scene.lab, "stop", "corosync")
    assert scene.instances("db") == []
    everywhere(scene.lab, "start", "corosync", "pacemaker")
    scene.lab.wait_online()
    assert scene.calm("db").begin > db.begin
    assert len(scene.history("db")) <= 1 + len(scene.lab.nodes)


def everywhere(lab: Lab, *words: str) -> None:
    """Run systemctl on all nodes at once."""
    for process in [node.popen(["systemctl", *words]) for node in lab.nodes]:
        process.communicate(timeout=120)
