"""The guard: each situation in which an injection does harm or nothing is answered as it must be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tocsin_daemon.core.guard import judge
from tocsin_daemon.core.report import News
from tocsin_ocf.pacemaker import Cluster, HistoryEntry, Instance, Node

N1 = Node("n1", online=True, maintenance=False, standby=False, shutdown=False, remote=False)
N2 = replace(N1, name="n2")
WEB = Instance("web", managed=True, maintenance=False, nodes=("n1",))
STARTED = HistoryEntry("web", "n1", "start", call=1, code=0)
WELL = Cluster(
    maintenance=False,
    nodes={"n1": N1, "n2": N2},
    instances=(WEB,),
    history=(STARTED,),
)


def with_node(**changes: bool) -> Cluster:
    """Return the well cluster with n1 changed."""
    return replace(WELL, nodes={"n1": replace(N1, **changes), "n2": N2})


def with_web(**changes: object) -> Cluster:
    """Return the well cluster with the resource changed."""
    return replace(WELL, instances=(replace(WEB, **changes),))


SITUATIONS = [
    ("well", WELL, News.GO),
    ("node unknown", replace(WELL, nodes={"n2": N2}), News.UNKNOWN),
    ("node offline", with_node(online=False), News.UNKNOWN),
    ("remote node", with_node(remote=True), News.DROP),
    ("cluster in maintenance", replace(WELL, maintenance=True), News.HOLD),
    ("node in maintenance", with_node(maintenance=True), News.HOLD),
    ("node in standby", with_node(standby=True), News.HOLD),
    ("node shutting down", with_node(shutdown=True), News.HOLD),
    ("resource in maintenance", with_web(maintenance=True), News.HOLD),
    ("unmanaged", with_web(managed=False), News.HOLD),
    ("active elsewhere", with_web(nodes=("n2",)), News.DROP),
    ("active twice", with_web(nodes=("n1", "n2")), News.HOLD),
    ("active nowhere", with_web(nodes=()), News.HOLD),
    ("not configured", replace(WELL, instances=()), News.HOLD),
    ("only a probe in its history", replace(WELL, history=(replace(STARTED, task="monitor"),)), News.HOLD),
    ("started only elsewhere", replace(WELL, history=(replace(STARTED, node="n2"),)), News.HOLD),
]


@pytest.mark.parametrize(("cluster", "expected"), [row[1:] for row in SITUATIONS], ids=[row[0] for row in SITUATIONS])
def test_situation(cluster: Cluster, expected: News) -> None:
    """Each row of the table; whatever is not GO says why."""
    verdict = judge(cluster, "web", "n1")
    assert verdict.news is expected
    assert bool(verdict.why) == (expected is not News.GO)


def test_an_anonymous_clone_means_the_instance_on_this_node() -> None:
    """Other instances run elsewhere, and that is right so."""
    cluster = replace(WELL, instances=(WEB, replace(WEB, nodes=("n2",))))
    assert judge(cluster, "web", "n1").news is News.GO
    assert judge(replace(cluster, instances=cluster.instances[1:]), "web", "n1").news is News.DROP


def test_an_anonymous_clone_is_found_by_its_numbered_instances() -> None:
    """crm_mon names them web:0, web:1 in some versions, OCF_RESOURCE_INSTANCE is web."""
    cluster = replace(WELL, instances=(replace(WEB, id="web:0"), replace(WEB, id="web:1", nodes=("n2",))))
    assert judge(cluster, "web", "n1").news is News.GO


def test_a_globally_unique_instance_is_itself_alone() -> None:
    """web:1 on another node says nothing about web:0 here."""
    instances = (replace(WEB, id="web:0"), replace(WEB, id="web:1", nodes=("n2",)))
    cluster = replace(WELL, instances=instances, history=(replace(STARTED, resource="web:0"),))
    assert judge(cluster, "web:0", "n1").news is News.GO
    assert judge(cluster, "web:1", "n1").news is News.DROP
