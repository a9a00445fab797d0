"""
attrd_updater: transient attributes of nodes, straight from and to the daemon that keeps them.

Its values stand in the arguments, for everybody on the node to read: none of them should be secret.
"""

from __future__ import annotations

from tocsin_ocf.pacemaker.command import TIMEOUT, Reply, Request, argv, options, seconds
from tocsin_ocf.pacemaker.document import AS_XML, document, done

NO_SUCH = (78, 105)
"""What a query for an attribute that nobody has ever set ends with: in 2.1.5, and what it might say instead."""


def query(name: str, node: str = "") -> Request[dict[str, str]]:
    """Ask for an attribute: node to value, of all nodes or of one; a removed one is "" up to 2.1.5."""
    words = ("--query", *options(name=name, node=node), *(() if node else ("--all",)))
    return Request(argv("attrd_updater", AS_XML, *words), TIMEOUT, parse=_values, node=node)


def _values(reply: Reply) -> dict[str, str]:
    found = document(reply, *NO_SUCH).iterfind("attribute")
    return {attribute.get("host", ""): attribute.get("value", "") for attribute in found}


def set_attribute(name: str, value: str, node: str, directory: str = "") -> Request[None]:
    """Set a transient attribute of a node."""
    words = ("--name", name, "--update", value, "--node", node)
    return Request(argv("attrd_updater", *words), TIMEOUT, parse=done, node=node).at(directory)


def delete_attribute(name: str, node: str, directory: str = "") -> Request[None]:
    """Remove a transient attribute of a node; one that is not there is no fault."""
    words = ("--name", name, "--delete", "--node", node)
    return Request(argv("attrd_updater", *words), TIMEOUT, parse=done, node=node).at(directory)


def dampened(name: str, value: str, node: str, delay: float) -> Request[None]:
    """Set an attribute and its dampening: seconds in which further changes are waited for before it is written."""
    words = (f"--name={name}", f"--update-both={value}", f"--node={node}", f"--delay={seconds(delay)}")
    return Request(argv("attrd_updater", *words), TIMEOUT, parse=done, node=node)
