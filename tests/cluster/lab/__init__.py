"""
A private, real Pacemaker cluster in namespaces, for tests, demonstrations and measurements.

Theory of operation. `Lab.up` makes one state directory in /tmp and starts the *hub*, a process in a
network namespace of its own that holds the switch (two bridges: a partition has two sides), forks the nodes, and
is their power switch. A node is a stub, which owns the new namespaces, and its child, pid 1 of the node, which
mounts the private files, starts corosync and pacemakerd, and then is their service manager. Everything hangs on
one thread: the hub's stdin ends when the process that holds the lab ends, however it ends; the hub then kills the
nodes and removes the directory. Below the hub each process asks the kernel for SIGKILL at its parent's death, and
the death of a node's pid 1 is the death of all in it.

A node that loses its power loses /run, /dev/shm and its processes; /etc and /var it finds again. With fencing the
fence agent `fence_lab` in the nodes asks the hub, through a socket that no partition cuts, to do that.

    with Lab(nodes=1, overlay=None) as lab:
        lab.nodes[0].run(["pcs", "status"])
"""

from .cluster import Lab
from .faults import CommandFailed, LabError
from .node import Node

__all__ = ["CommandFailed", "Lab", "LabError", "Node"]
