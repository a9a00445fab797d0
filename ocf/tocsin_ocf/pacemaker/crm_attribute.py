"""
crm_attribute: cluster options, attributes of nodes, promotion scores.

Its values stand in the arguments, for everybody on the node to read: none of them should be secret.
"""

from __future__ import annotations

from functools import partial
from xml.etree import ElementTree

from tocsin_ocf.pacemaker.command import TIMEOUT, Reply, Request, argv, options
from tocsin_ocf.pacemaker.document import AS_XML, document, done, number, said
from tocsin_ocf.pacemaker.faults import NoSuchNode, names

NO_SUCH = 105
"""What a query for something that is not set ends with."""
OPTIONS = "crm_config"
"""The section of cluster options; the defaults of resources and operations are "rsc_defaults", "op_defaults"."""


def get_options(section: str = OPTIONS) -> Request[dict[str, str]]:
    """Ask for all options of a section that are set."""
    return Request(_words("--query", type=section), TIMEOUT, parse=_attributes)


def set_option(name: str, value: str, section: str = OPTIONS) -> Request[None]:
    """Set an option of the cluster."""
    return Request((*_words(type=section, name=name), f"--update={value}"), TIMEOUT, parse=done)


def delete_option(name: str, section: str = OPTIONS) -> Request[None]:
    """Let an option be its default; one that is not set is no fault."""
    return Request(_words("--delete", type=section, name=name), TIMEOUT, parse=done)


def get_attributes(node: str, *, transient: bool = False) -> Request[dict[str, str]]:
    """Ask for the attributes of a node: those of the configuration, or the `transient` ones, which a reboot ends."""
    words = _words("--query", node=node, lifetime=_lifetime(transient=transient))
    return Request(words, TIMEOUT, parse=partial(_attributes, node=node), node=node)


def set_attribute(node: str, name: str, value: str, *, transient: bool = False) -> Request[None]:
    """Set an attribute of a node; "standby", "maintenance" and "#health-..." mean something to Pacemaker."""
    words = (*_words(node=node, name=name), f"--update={value}", f"--lifetime={_lifetime(transient=transient)}")
    return Request(words, TIMEOUT, parse=done, node=node)


def delete_attribute(node: str, name: str, *, transient: bool = False) -> Request[None]:
    """Remove an attribute of a node; one that is not set is no fault."""
    words = _words("--delete", node=node, name=name, lifetime=_lifetime(transient=transient))
    return Request(words, TIMEOUT, parse=done, node=node)


def get_promotion(resource: str, node: str) -> Request[int | None]:
    """Ask for a promotion score; None where there is none, 1000000 for INFINITY; NoSuchNode."""
    words = _words("--query", promotion=resource, node=node)
    return Request(words, TIMEOUT, parse=partial(_score, node=node), resource=resource, node=node)


def _score(reply: Reply, node: str) -> int | None:
    attribute = _found(reply, node).find("attribute")
    return None if attribute is None else number(attribute, "value")


def promotion_score(resource: str, node: str, score: int | None, directory: str = "") -> Request[None]:
    """Set the promotion score of an instance on a node until that reboots; None removes it."""
    change = ("--delete",) if score is None else ("--update", str(score))
    words = (f"--promotion={resource}", "--lifetime", "reboot", "--node", node, *change)
    return Request(argv("crm_attribute", *words), TIMEOUT, parse=done, resource=resource, node=node).at(directory)


def _attributes(reply: Reply, node: str = "") -> dict[str, str]:
    return {each.get("name", ""): each.get("value", "") for each in _found(reply, node).iterfind("attribute")}


def _found(reply: Reply, node: str) -> ElementTree.Element:
    """Return the reply to a query; NoSuchNode, which ends as one that finds nothing does, but names the node."""
    root = document(reply, NO_SUCH)
    words = said(reply, root)
    if reply.code == NO_SUCH and names(words, node):
        raise NoSuchNode(words, NO_SUCH)
    return root


def _lifetime(*, transient: bool) -> str:
    return "reboot" if transient else "forever"


def _words(*words: str, **given: str | float | bool) -> tuple[str, ...]:
    return argv("crm_attribute", AS_XML, *words, *options(**given))
