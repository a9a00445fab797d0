"""What the requests of `tocsin_ocf.pacemaker` are tested on: some resources, and a power switch."""

from __future__ import annotations

from pathlib import Path

from api_replies import NodeRunner
from lab import Lab, Node

from tocsin_ocf.pacemaker import cibadmin, crm_mon, crmadmin

RESOURCES = """<resources>
  <primitive id="web" class="ocf" provider="pacemaker" type="Dummy">
    <instance_attributes id="web-params"><nvpair id="web-fake" name="fake" value="one"/></instance_attributes>
    <operations><op id="web-monitor" name="monitor" interval="10s" timeout="20s" on-fail="restart"/></operations>
  </primitive>
  <clone id="db-clone">
    <meta_attributes id="db-meta"><nvpair id="db-promotable" name="promotable" value="true"/></meta_attributes>
    <primitive id="db" class="ocf" provider="pacemaker" type="Stateful"/>
  </clone>
  <group id="stack">
    <primitive id="first" class="ocf" provider="pacemaker" type="Dummy"/>
    <primitive id="second" class="ocf" provider="pacemaker" type="Dummy"/>
  </group>
  <primitive id="power" class="stonith" type="fence_test"/>
</resources>"""
FENCE_AGENT = """#!/bin/sh
# A power switch that obeys at once; it knows the node "ghost".
action=$(sed -n 's/^action=//p')
case "${action:-$2}" in
metadata) cat <<'END'
<resource-agent name="fence_test" shortdesc="test"><longdesc>A test.</longdesc>
<parameters><parameter name="plug"><content type="string"/><shortdesc>Node</shortdesc></parameter></parameters>
<actions><action name="on"/><action name="off"/><action name="reboot"/><action name="monitor"/><action name="list"/>
<action name="metadata"/></actions></resource-agent>
END
;;
list) echo ghost, ;;
esac
"""


def overlay(root: Path) -> Path:
    """Make a tree that puts the fence agent where the fencer looks, open to the users of the nodes."""
    agent = root / "usr/sbin/fence_test"
    agent.parent.mkdir(parents=True)
    agent.write_text(FENCE_AGENT)
    agent.chmod(0o755)
    for directory in (root, *root.parents[:2], root / "usr", agent.parent):
        directory.chmod(0o755)
    return root


def started(lab: Lab, node: Node) -> NodeRunner:
    """Return how to execute requests in a node, when everything is configured, started and monitored."""
    runner = NodeRunner(node)
    if not runner.ask(crm_mon.status()).instances:
        runner.ask(cibadmin.replace(RESOURCES, "resources"))
    lab.wait(lambda: settled(runner), 60, "everything started")
    return runner


def settled(runner: NodeRunner) -> bool:
    """Tell whether all of RESOURCES run, monitored, and the cluster is idle."""
    status = runner.ask(crm_mon.status())
    monitored = {entry.resource for entry in status.history if entry.interval}
    running = all(instance.active and not instance.pending for instance in status.instances)
    idle = runner.ask(crmadmin.controller_state("n1")) == "S_IDLE"
    return running and len(status.instances) == 5 and "web" in monitored and idle
