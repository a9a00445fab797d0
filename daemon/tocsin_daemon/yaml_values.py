"""
From nodes of YAML to the values that a schema asks for, with the line of each.

A scalar becomes what the schema says it is, not what YAML 1.1 guesses: `user: 0123` is the text 0123 and not 83,
`umask: 027` is 027, and a key `on` is not true. Only where the schema leaves it open (settings of a driver) a plain
scalar is a number or truth value, as YAML 1.2 and JSON have them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Union

from tocsin_daemon.yaml_text import Node, pairs

Schema = Mapping[str, Any]
Json = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]

NOTHING = ("", "~", "null", "Null", "NULL")
TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
NUMBER = re.compile(r"[-+]?([0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18}|[0-9]{1,18})([eE][-+]?[0-9]{1,2})?\Z")


class Reader:
    """Reads one file: `lines` are by path, such as checks[2].timeout, and `faults` are path and message."""

    def __init__(self, schema: Schema) -> None:
        """Read by this schema."""
        self.lines: dict[str, int] = {"": 1}
        self.faults: list[tuple[str, str]] = []
        self._root = schema

    def read(self, node: Node, schema: Schema | None = None, path: str = "") -> Json:
        """Return the value of a node."""
        wanted = self.resolve(self._root if schema is None else schema)
        if node.id == "scalar":
            return scalar(node, _types(wanted))
        if node.id == "sequence":
            return self._list(node, wanted, path)
        return self._dict(node, wanted, path)

    def resolve(self, schema: object) -> Schema:
        """Return a schema with what it refers to; its own words win. True and false say nothing of a type."""
        if not isinstance(schema, Mapping):
            return {}
        target = schema.get("$ref")
        if not target:
            return schema
        found: Any = self._root
        for step in target.removeprefix("#/").split("/"):
            found = found[step]
        return {**self.resolve(found), **schema}

    def _list(self, node: Node, schema: Schema, path: str) -> Json:
        found = []
        for number, item in enumerate(node.value):
            place = f"{path}[{number}]"
            self.lines[place] = item.start_mark.line + 1
            found.append(self.read(item, schema.get("items", {}), place))
        return found

    def _dict(self, node: Node, schema: Schema, path: str) -> Json:
        items = list(pairs(node))
        wanted = self._chosen(schema, {key for key, _, _ in items})
        known: Mapping[str, Any] = wanted.get("properties", {})
        found: dict[str, Json] = {}
        for (key, line, value), (key_node, _) in zip(items, node.value):
            place = f"{path}.{key}" if path else key
            if key_node.id != "scalar":
                self._fault(path, line, "a list or mapping stands where a key is wanted; write KEY: VALUE")
            elif key in found:
                self._fault(place, line, f"stands here a second time; first in line {self.lines[place]}")
            else:
                self.lines[place] = line
                found[key] = self.read(value, known.get(key, wanted.get("additionalProperties", {})), place)
                if key in known and key not in wanted.get("required", ()) and _is_nothing(value):
                    del found[key]
        return found

    def _fault(self, path: str, line: int, message: str) -> None:
        """Note a fault at a line of its own, which no path names."""
        place = f"{path}\0{line}"
        self.lines[place] = line
        self.faults.append((place, message))

    def _chosen(self, schema: Schema, keys: set[str]) -> Schema:
        """Return the alternative whose required key is there; the schema itself where it has none."""
        options = [self.resolve(option) for option in schema.get("oneOf", ())]
        return next((option for option in options if set(option["required"]) & keys), schema)

    def line(self, path: str) -> int:
        """Return the line of a path, or of what it is in."""
        while path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines[path]


def scalar(node: Node, types: frozenset[str] | None) -> Json:
    """Return a scalar as one of these types, as text where it is none of them; by what it looks like for None."""
    text = str(node.value)
    if types is None:
        return text if node.style else _guessed(text)
    if "string" in types:
        return text
    if _is_nothing(node):
        return None
    if "boolean" in types:
        return TRUTH.get(text.lower(), text)
    return _number(text) if types & {"integer", "number"} else text


def _types(schema: Schema) -> frozenset[str] | None:
    """Return which types a schema allows, None where it leaves that open."""
    if "type" in schema:
        types = schema["type"]
        return frozenset([types] if isinstance(types, str) else types)
    return frozenset(["string"]) if "enum" in schema else None


def _is_nothing(node: Node) -> bool:
    return node.id == "scalar" and node.style is None and node.value in NOTHING


def _guessed(text: str) -> Json:
    if text in NOTHING:
        return None
    return {"true": True, "false": False}.get(text.lower(), _number(text))


def _number(text: str) -> Json:
    """Return a number, or the text where it is none: 0123 is not."""
    if WHOLE.match(text):
        return int(text)
    return float(text) if NUMBER.match(text) and not re.match(r"[-+]?0[0-9]", text) else text
