"""
pcs: what it tells in a form for machines, `--output-format json`. It has no public API besides.

Values stand in the answers as they are configured, secrets too. pcs says only 0 or 1: a Fault with its words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from tocsin_ocf.pacemaker.cibadmin import Operation, Primitive, Setting, by_name
from tocsin_ocf.pacemaker.command import Reply, Request, argv
from tocsin_ocf.pacemaker.document import seconds_in, text, whole
from tocsin_ocf.pacemaker.faults import Unreadable

PATIENCE = 60.0
"""Seconds: it is slow to start, and more so on a busy machine."""
SINCE = {
    "resource": "0.11.3",
    "stonith": "0.11.3",
    "cluster": "0.11.3",
    "constraint": "0.11.6",
    "property": "0.11.6",
    "tag": "0.12.0b1",
    "alert": "0.12.1",
}
"""What `config` can be asked for, and the version of pcs that first answers in JSON; BadVersion before."""


def config(subject: str) -> Request[Mapping[str, Any]]:
    """Ask for a part of the configuration as pcs writes it in JSON: "resource", "constraint"... (SINCE)."""
    if subject not in SINCE:
        raise ValueError(f"pcs tells nothing of {subject!r} in JSON")
    return Request(_words(subject), PATIENCE, parse=_json)


def resources() -> Request[tuple[Primitive, ...]]:
    """Ask for all resources but fence devices."""
    return Request(_words("resource"), PATIENCE, parse=_resources)


def fence_devices() -> Request[tuple[Primitive, ...]]:
    """Ask for the fence devices."""
    return Request(_words("stonith"), PATIENCE, parse=_resources)


def _words(subject: str) -> tuple[str, ...]:
    return argv("pcs", subject, "config", "--output-format", "json")


def _json(reply: Reply) -> Mapping[str, Any]:
    try:
        found = json.loads(text(reply))
    except ValueError as error:
        raise Unreadable(f"unreadable JSON: {error}") from None
    if not isinstance(found, dict):
        raise Unreadable("unreadable JSON: no object")
    return cast("Mapping[str, Any]", found)


def _resources(reply: Reply) -> tuple[Primitive, ...]:
    found = _json(reply)
    try:
        plain = [_primitive(each) for each in found["primitives"]]
        around = {"group": found["groups"], "clone": found["clones"], "bundle": found["bundles"]}
        return (*plain, *(_container(each, kind) for kind, group in around.items() for each in group))
    except (AttributeError, KeyError, TypeError) as error:
        raise Unreadable(f"another JSON than pcs is known to write: {error!r}") from None


def _primitive(found: Mapping[str, Any]) -> Primitive:
    agent = found["agent_name"]
    words = [agent["standard"], agent["provider"], agent["type"]]
    return Primitive(
        id=found["id"],
        agent=":".join(filter(None, words)),
        settings=_settings(found["instance_attributes"]),
        meta=by_name(_settings(found["meta_attributes"])),
        operations=tuple(map(_operation, found["operations"])),
        sets=tuple(each["id"] for each in _plain(found["instance_attributes"])),
    )


def _container(found: Mapping[str, Any], kind: str) -> Primitive:
    return Primitive(found["id"], kind, meta=by_name(_settings(found["meta_attributes"])))


def _plain(sets: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the sets that always apply, the one that counts first: by score."""
    found = [each for each in sets if not each["rule"]]
    return sorted(found, key=lambda each: -whole(each["options"].get("score", "")))


def _settings(sets: Sequence[Mapping[str, Any]]) -> tuple[Setting, ...]:
    pairs = [(pair, each["id"]) for each in _plain(sets) for pair in each["nvpairs"]]
    return tuple(Setting(pair["name"], pair["value"], pair["id"], set_id) for pair, set_id in pairs)


def _operation(found: Mapping[str, Any]) -> Operation:
    return Operation(
        name=found["name"],
        on_fail=found["on_fail"] or "",
        id=found["id"],
        interval=seconds_in(found["interval"] or "0"),
        timeout=seconds_in(found["timeout"] or "0"),
        role=found["role"] or "",
    )
