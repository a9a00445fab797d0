"""
crm_resource: what is asked of, and done to, a resource.

Each function returns a `Request`; a runner executes it. Resources are named by id; an instance of a clone by its base
id, of a globally-unique clone as "web:1". Lifetimes are ISO 8601 durations, "PT1H".
"""

from __future__ import annotations

from functools import partial

from tocsin_ocf.pacemaker.cibadmin import Primitive, read_primitive
from tocsin_ocf.pacemaker.command import MARGIN, TIMEOUT, Reply, Request, argv, options, seconds
from tocsin_ocf.pacemaker.crm_mon import read_status
from tocsin_ocf.pacemaker.document import AS_XML, document, done, inner, number, said, seconds_in, texts
from tocsin_ocf.pacemaker.faults import Unreadable, fault_of
from tocsin_ocf.pacemaker.values import HistoryEntry, Resource, parts_of

PATIENCE = 20.0
"""Seconds for what the controller has to answer: it gives up after 60; we do sooner."""


def fail(resource: str, node: str, directory: str = "") -> Request[None]:
    """
    Tell Pacemaker that `resource` failed on `node`; exit 0 means only that the controller answered.

    The node is required by every version since 1.1.10. Nothing happens, and nothing is said, for users of haclient
    other than hacluster, and on a Pacemaker Remote node. There is no dry run of it: with CIB_file set, versions before
    3.0.1 still tell the live controller. NoSuchResource, NoSuchNode; a plain Fault (70) for a group or clone.
    """
    words = ("--fail", "--resource", resource, "--node", node)
    return Request(argv("crm_resource", *words), PATIENCE, parse=done, resource=resource, node=node).at(directory)


def list_resources() -> Request[tuple[Resource, ...]]:
    """Ask for all resources, with their status."""
    return Request(_words("--list"), TIMEOUT, parse=lambda reply: read_status(document(reply)).instances)


def locate(resource: str) -> Request[tuple[str, ...]]:
    """Ask on which nodes a resource is active; none of them is no fault."""
    return Request(_words("--locate", resource=resource), TIMEOUT, parse=_located, resource=resource)


def _located(reply: Reply) -> tuple[str, ...]:
    nodes = document(reply).findall("nodes/node")
    return tuple((node.get("name") or node.text or "").strip() for node in nodes)


def operations(resource: str = "", node: str = "", *, everything: bool = False) -> Request[tuple[HistoryEntry, ...]]:
    """Ask for the operations in the history of the active resources, or of `everything`, by resource and node."""
    which = "--list-all-operations" if everything else "--list-operations"
    words = _words(which, resource=resource, node=node)
    return Request(words, TIMEOUT, parse=_operations, resource=resource, node=node)


def _operations(reply: Reply) -> tuple[HistoryEntry, ...]:
    found = []
    for operation in document(reply).iterfind("operations/operation"):
        resource, task, interval = parts_of(operation.get("op", ""))
        entry = HistoryEntry(
            operation.get("rsc", resource),
            operation.get("node", ""),
            task=task,
            call=number(operation, "call"),
            code=number(operation, "rc"),
            interval=interval,
            duration=seconds_in(f"{operation.get('exec-time', '0')}ms"),
            changed=operation.get("last-rc-change", ""),
        )
        found.append(entry)
    return tuple(found)


def configured(resource: str, *, raw: bool = False) -> Request[Primitive]:
    """Ask how a resource is configured: with what its template adds, or `raw`, as it stands in the configuration."""
    words = _words("--query-xml-raw" if raw else "--query-xml", resource=resource)
    return Request(words, TIMEOUT, parse=_configured, resource=resource)


def _configured(reply: Reply) -> Primitive:
    return read_primitive(inner(document(reply).find("resource_config/xml")))


def get_parameter(resource: str, name: str, level: str = "") -> Request[str | None]:
    """Ask for one instance attribute, or with `level` "meta", "utilization" one of those; None where it is not set."""
    words = _words(*_level(level), resource=resource, get_parameter=name)
    return Request(words, TIMEOUT, parse=_parameter, resource=resource)


def _parameter(reply: Reply) -> str | None:
    item = document(reply).find("list/item")
    return None if item is None else item.text or ""


def set_meta(resource: str, name: str, value: str) -> Request[None]:
    """Set a meta attribute; for a parameter of the agent, which may be secret, see `cibadmin.set_parameter`."""
    words = _words("--meta", resource=resource, set_parameter=name, parameter_value=value)
    return Request(words, TIMEOUT, parse=done, resource=resource)


def delete_parameter(resource: str, name: str, level: str = "") -> Request[None]:
    """Remove an instance attribute, or with `level` a meta or utilization one; one that is not set is no fault."""
    words = _words(*_level(level), resource=resource, delete_parameter=name)
    return Request(words, TIMEOUT, parse=done, resource=resource)


def _level(level: str) -> tuple[str, ...]:
    if level not in ("", "meta", "utilization"):
        raise ValueError(f"no such level of attributes: {level!r}")
    return options(**{level: True}) if level else ()


def move(resource: str, node: str = "", lifetime: str = "", *, promoted: bool = False) -> Request[None]:
    """
    Make a resource run on `node`, or anywhere but where it runs, by a constraint that stays until `clear`.

    AlreadyThere where it runs on that node; `promoted` speaks of the promoted role only.
    """
    words = _words("--move", resource=resource, node=node, lifetime=lifetime, promoted=promoted)
    return Request(words, TIMEOUT, parse=done, resource=resource, node=node)


def ban(resource: str, node: str = "", lifetime: str = "", *, promoted: bool = False) -> Request[None]:
    """Keep a resource off `node`, or off the one where it runs, by a constraint that stays until `clear`."""
    words = _words("--ban", resource=resource, node=node, lifetime=lifetime, promoted=promoted)
    return Request(words, TIMEOUT, parse=done, resource=resource, node=node)


def clear(resource: str, node: str = "", *, promoted: bool = False, expired: bool = False) -> Request[None]:
    """Remove the constraints that `move` and `ban` made, all or those for `node`, or only the expired ones."""
    words = _words("--clear", resource=resource, node=node, promoted=promoted, expired=expired)
    return Request(words, TIMEOUT, parse=done, resource=resource, node=node)


def cleanup(resource: str = "", node: str = "", operation: str = "", interval: float | None = None) -> Request[None]:
    """
    Forget failures, and with them the history of what failed, so that its state is looked at again.

    All, or those of one resource, node, operation and its interval in seconds. Up to 2.1.5, one that arrives while a
    start waits for meta-data makes that start fail.
    """
    every = None if interval is None else seconds(interval)
    words = _words("--cleanup", resource=resource, node=node, operation=operation, interval=every)
    return Request(words, PATIENCE, parse=done, resource=resource, node=node)


def refresh(resource: str = "", node: str = "") -> Request[None]:
    """Forget the whole history, failures and fail counts too, so that everything is probed again."""
    words = _words("--refresh", resource=resource, node=node)
    return Request(words, PATIENCE, parse=done, resource=resource, node=node)


def restart(resource: str, timeout: float, node: str = "") -> Request[None]:
    """Stop and start a resource and what depends on it, within `timeout` seconds: TimedOut, and it may be stopped."""
    words = _words("--restart", resource=resource, node=node, timeout=seconds(timeout))
    return Request(words, timeout + MARGIN, parse=done, resource=resource, node=node)


def wait(timeout: float) -> Request[None]:
    """Wait until nothing is left to do for the cluster, at most `timeout` seconds: TimedOut. It looks every 2 s."""
    return Request(_words("--wait", timeout=seconds(timeout)), timeout + MARGIN, parse=done)


def force_check(resource: str, timeout: float = PATIENCE) -> Request[tuple[int, str]]:
    """Run the agent's monitor here, outside the cluster; return its OCF exit code and exit reason."""
    words = _words("--force-check", resource=resource, timeout=seconds(timeout))
    return Request(words, timeout + MARGIN, parse=_agent_said, resource=resource)


def validate(resource: str, level: int | None = None) -> Request[tuple[int, str]]:
    """Run the agent's validate-all on the configured parameters; `level` is its OCF_CHECK_LEVEL."""
    words = _words(f"--validate={level}" if level is not None else "--validate", resource=resource)
    return Request(words, PATIENCE + MARGIN, parse=_agent_said, resource=resource)


def _agent_said(reply: Reply) -> tuple[int, str]:
    # The tool's exit status is the agent's: 1 to 9 and the degraded ones are an answer here.
    root = document(reply, *range(1, 10), 190, 191)
    status = root.find("resource-agent-action/agent-status")
    if status is None:
        raise fault_of(said(reply, root), reply.code) if reply.code else Unreadable("no result of the agent")
    return number(status, "code"), status.get("reason", "")


def digests(resource: str, node: str) -> Request[dict[str, str]]:
    """Ask for the hashes by which Pacemaker notices a changed configuration: type ("all", "reload"...) to hash."""
    words = _words("--digests", resource=resource, node=node)
    return Request(words, TIMEOUT, parse=_digests, resource=resource, node=node)


def _digests(reply: Reply) -> dict[str, str]:
    return {e.get("type", ""): e.get("hash", "") for e in document(reply).iterfind("digests/digest")}


def list_agents(standard: str, provider: str = "") -> Request[tuple[str, ...]]:
    """Ask for the agents of a standard ("ocf", "systemd", "stonith") and, for ocf, a provider."""
    spec = f"{standard}:{provider}" if provider else standard
    return Request(_words(f"--list-agents={spec}"), PATIENCE, parse=partial(texts, path="agents/agent"))


def list_standards() -> Request[tuple[str, ...]]:
    """Ask which standards of agents this node supports."""
    return Request(_words("--list-standards"), TIMEOUT, parse=partial(texts, path="list/item"))


def list_providers() -> Request[tuple[str, ...]]:
    """Ask for the providers of OCF agents on this node."""
    return Request(_words("--list-ocf-providers"), TIMEOUT, parse=partial(texts, path="providers/provider"))


def show_metadata(agent: str) -> Request[str]:
    """Ask for the meta-data of an agent, "ocf:pacemaker:Dummy", as XML text."""
    return Request(_words(f"--show-metadata={agent}"), PATIENCE, parse=_metadata)


def _metadata(reply: Reply) -> str:
    return document(reply).findtext("metadata", "")


def _words(*words: str, **given: str | float | bool | None) -> tuple[str, ...]:
    return argv("crm_resource", AS_XML, *words, *options(**given))
