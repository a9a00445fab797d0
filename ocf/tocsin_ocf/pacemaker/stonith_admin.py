"""
stonith_admin: fencing.

`fence`, `reboot` and `confirm` are what they say: a node is powered off, or the cluster told that it is. Devices are
part of the configuration, and made there (`pcs stonith create`, `cibadmin.create`), not here.
"""

from __future__ import annotations

from functools import partial

from tocsin_ocf.pacemaker.command import MARGIN, TIMEOUT, Reply, Request, argv
from tocsin_ocf.pacemaker.crm_mon import read_fence_event
from tocsin_ocf.pacemaker.document import AS_XML, document, done, texts
from tocsin_ocf.pacemaker.values import FenceEvent

FENCING = 120.0
"""Seconds that fencing may take unless told otherwise, as the tool itself has it."""


def list_installed() -> Request[tuple[str, ...]]:
    """Ask for the fence agents on this node."""
    return Request(_words("--list-installed"), FENCING, parse=_items)


def list_registered() -> Request[tuple[str, ...]]:
    """Ask for the fence devices that the fencer of this node knows."""
    return Request(_words("--list-registered"), TIMEOUT, parse=_items)


def list_devices(node: str) -> Request[tuple[str, ...]]:
    """Ask which devices can fence a node."""
    return Request(_words(f"--list={node}"), FENCING, parse=_items, node=node)


def list_targets(device: str) -> Request[tuple[str, ...]]:
    """Ask which nodes a device can fence; NoSuchResource where there is no such device."""
    return Request(_words(f"--list-targets={device}"), FENCING, parse=_items, resource=device)


def query(device: str) -> Request[None]:
    """Ask a device for its own status: no answer but success, or a Fault; NoSuchResource for no such device."""
    return Request(_words(f"--query={device}"), FENCING, parse=done, resource=device)


def metadata(agent: str) -> Request[str]:
    """Ask for the meta-data of a fence agent, as XML text."""
    words = _words("--metadata", f"--agent={agent}")
    return Request(words, FENCING, parse=lambda reply: document(reply).findtext("metadata", ""))


def history(node: str = "*") -> Request[tuple[FenceEvent, ...]]:
    """Ask for the fencing operations of a node, or of all, successful, failed and pending."""
    words = _words(f"--history={node}", "--verbose")
    return Request(words, TIMEOUT, parse=_events, node="" if node == "*" else node)


def _events(reply: Reply) -> tuple[FenceEvent, ...]:
    return tuple(read_fence_event(event) for event in document(reply).iter("fence_event"))


def fence(node: str, timeout: float = FENCING, delay: float = 0) -> Request[None]:
    """Power a node off, within `timeout` seconds (whole ones), after `delay`; NoSuchNode where no device can."""
    return _fencing("--fence", node, timeout, delay)


def reboot(node: str, timeout: float = FENCING, delay: float = 0) -> Request[None]:
    """Power a node off and on again, within `timeout` seconds."""
    return _fencing("--reboot", node, timeout, delay)


def unfence(node: str, timeout: float = FENCING, delay: float = 0) -> Request[None]:
    """Give a node back what fencing took from it: power, or the storage."""
    return _fencing("--unfence", node, timeout, delay)


def _fencing(action: str, node: str, timeout: float, delay: float) -> Request[None]:
    words = _words(f"{action}={node}", f"--timeout={round(timeout)}", f"--delay={round(delay)}")
    return Request(words, timeout + delay + MARGIN, parse=done, node=node)


def confirm(node: str) -> Request[None]:
    """Tell the cluster that a node is surely down. If it is not, data will be lost."""
    return Request(_words(f"--confirm={node}"), TIMEOUT, parse=done, node=node)


_words = partial(argv, "stonith_admin", AS_XML)
_items = partial(texts, path="list/item")
