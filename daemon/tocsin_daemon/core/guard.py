"""
May this failure be injected now? Decided from what the cluster says immediately before.

Each rule answers a situation in which `crm_resource --fail` was measured to do harm or nothing at all.
"""

from __future__ import annotations

from tocsin_daemon.core.report import News, Verdict
from tocsin_ocf.pacemaker import Cluster, Instance, base_id


def judge(cluster: Cluster, resource: str, node: str) -> Verdict:
    """Return whether the failure of `resource` on `node` may be injected now."""
    return _judge_node(cluster, node) or _judge_resource(cluster, resource, node) or Verdict(News.GO)


def _judge_node(cluster: Cluster, name: str) -> Verdict | None:
    node = cluster.nodes.get(name)
    if node is None or not node.online:
        return Verdict(News.UNKNOWN, f"the cluster does not see node {name} online")
    if node.remote:
        return Verdict(News.DROP, f"{name} is a remote node: crm_resource --fail does nothing there")
    if cluster.maintenance:
        return Verdict(News.HOLD, "the cluster is in maintenance mode")
    if node.maintenance:
        return Verdict(News.HOLD, f"node {name} is in maintenance mode")
    if node.standby or node.shutdown:
        return Verdict(News.HOLD, f"node {name} is in standby or shutting down: a stop is due")
    return None


def _judge_resource(cluster: Cluster, resource: str, node: str) -> Verdict | None:
    instances = instances_of(cluster, resource, node)
    if not instances:
        return Verdict(News.HOLD, f"{resource} is not in the configuration")
    if any(instance.maintenance for instance in instances):
        return Verdict(News.HOLD, f"{resource} is in maintenance mode")
    if not all(instance.managed for instance in instances):
        return Verdict(News.HOLD, f"{resource} is unmanaged")
    leaving = [instance.leaving for instance in instances if instance.leaving]
    if leaving:
        return Verdict(News.HOLD, f"{resource} is {leaving[0]} in the cluster's configuration")
    active = sorted({name for instance in instances for name in instance.nodes})
    if active and node not in active and len(instances) == 1:
        return Verdict(News.DROP, f"{resource} is active on {', '.join(active)}, not here")
    if active != [node]:
        return Verdict(News.HOLD, f"{resource} is active on {', '.join(active) or 'no node'}")
    if not cluster.histories & {(resource, node), (base_id(resource), node)}:
        return Verdict(News.HOLD, f"{resource} has only a probe in its history on {node}")
    return None


def instances_of(cluster: Cluster, resource: str, node: str) -> list[Instance]:
    """
    Return the instances that the id names: one primitive, or of a clone only what is active here.

    An anonymous clone gives every instance the primitive's id, and `--fail` always means the one on the node.
    """
    same = [i for i in cluster.instances if i.id == resource] or [
        i for i in cluster.instances if base_id(i.id) == resource
    ]
    here = [i for i in same if node in i.nodes]
    return here if len(same) > 1 and here else same
