"""Reads a service definition in YAML: all faults at once, each with file, line and key."""

from __future__ import annotations

from typing import Any

import yaml

from tocsin_daemon.environment import read_regular
from tocsin_ocf import definition as definitions
from tocsin_ocf.definition import Definition

MAX_BYTES = 64 * 1024
"""A definition is a page; a larger file is something else."""


def read(path: str) -> tuple[Definition | None, list[str]]:
    """Return the definition in a file, or the faults as FILE:LINE: key: message; OSError where it can't be read."""
    try:
        data = read_regular(path, MAX_BYTES)
    except ValueError as error:
        return None, [f"{path}:1: {error}; a service definition is a short text file"]
    try:
        return parse(path, data.decode())
    except UnicodeDecodeError as error:
        return None, [f"{path}:{_line(data.decode('latin-1'), error.start)}: not UTF-8"]


def parse(path: str, text: str) -> tuple[Definition | None, list[str]]:
    """Return the definition in `text`, or its faults; `path` is only named in them."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        return None, [f"{path}:1: nested too deeply; a service definition is a flat mapping"]
    except yaml.reader.ReaderError as error:
        return None, [f"{path}:{_line(text, error.position)}: not YAML: a control character stands here"]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [f"{path}:{line}: not YAML: {error.problem}"]
    if not isinstance(node, yaml.MappingNode):
        return None, [f"{path}:1: a service definition is a mapping of keys to values, such as `command: ...`"]
    values, lines, faults = _mapping(path, node)
    definition, found = definitions.read(values)
    faults += [f"{path}:{lines.get(fault.key, 1)}: {fault.key}: {fault.message}" for fault in found]
    return (None if faults else definition), faults


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _mapping(path: str, mapping: yaml.MappingNode) -> tuple[dict[str, Any], dict[str, int], list[str]]:
    """Return values and lines by key; a key that stands twice is a fault, for YAML would drop the first."""
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    faults = []
    for key_node, value_node in mapping.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in values:
            faults.append(f"{path}:{line}: {key}: stands here a second time; first in line {lines[key]}")
            continue
        values[key], lines[key] = _value(value_node), line
    return values, lines, faults


def _value(node: yaml.Node) -> object:
    """
    Return a scalar as the text that stands in the file, a sequence of scalars as a list, else something unfit.

    The text, because `stop_signal: 15` and `"15"` mean the same, and YAML would read `user: 0123` as octal.
    """
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return [str(item.value) for item in node.value]
    return {}
