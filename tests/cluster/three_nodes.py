"""What tests of three nodes with a resource ask and wait for."""

from __future__ import annotations

from lab import Lab, Node

NAME = "dummy"


def prepare(lab: Lab) -> None:
    """Have the resource run."""
    if lab.nodes[0].run(["crm_resource", "--query-xml", "--resource", NAME], check=False).returncode != 0:
        lab.nodes[0].run(["pcs", "resource", "create", NAME, "ocf:pacemaker:Dummy"], timeout=60)
    where(lab)


def mend(lab: Lab) -> None:
    """Leave nothing to the next test."""
    lab.mend()
    lab.dc().run(["stonith_admin", "--cleanup", "--history=*"], timeout=60)


def where(lab: Lab, *, among: list[Node] | None = None) -> Node:
    """Wait until the resource runs, and return its node."""
    nodes = among or lab.nodes
    return lab.wait(lambda: next((n for n in nodes if n.is_active(NAME)), None), 90, f"{NAME} to run")


def rest(lab: Lab, *without: Node) -> list[Node]:
    """Return the other nodes."""
    return [node for node in lab.nodes if node not in without]


def fenced(lab: Lab, node: Node, before: int) -> None:
    """Wait until another node says that this one was fenced, and the power switch that it was asked once for that."""
    witness = rest(lab, node)[0]
    history = ["stonith_admin", f"--history={node.name}"]
    lab.wait(lambda: f"reboot of {node.name} successful" in witness.run(history).stdout, 90, f"{node.name} fenced")
    assert len(lab.fencings(node)) == before + 1


def other_than_controller(lab: Lab) -> Node:
    """Return a node whose loss moves no controller."""
    return rest(lab, lab.dc())[0]


def runs(node: Node, command: str) -> bool:
    """Tell whether there is a process of that command line in the node."""
    return command in node.run(["ps", "-eo", "args"]).stdout
