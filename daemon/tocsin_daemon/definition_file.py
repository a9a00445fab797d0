"""
Reads a service definition in YAML: all faults at once, each as FILE:LINE: key: what is wrong, what would be right.

The schema judges the form, which editors check too; `tocsin_ocf.definition` judges what no schema can say (does a
pattern compile, do two keys go together), with the code that reads the agent's parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

from tocsin_daemon import definition_schema
from tocsin_daemon.environment import Untrusted, read_regular
from tocsin_daemon.yaml_text import Unreadable, compose, decode
from tocsin_daemon.yaml_values import Reader
from tocsin_ocf import definition as definitions
from tocsin_ocf.definition import Definition
from tocsin_ocf.local import local_faults

MAX_BYTES = 64 * 1024
"""A definition is a page; a larger file is something else."""
WHAT = "a service definition is a mapping of keys to values, such as `command: ...`"


def read(path: str, *, here: bool = False) -> tuple[Definition | None, list[str]]:
    """
    Return the definition in a file, or the faults as FILE:LINE: key: message; OSError where it can't be read.

    With `here` what this machine lacks is a fault too: programs, accounts, files.
    """
    try:
        return parse(path, decode(read_regular(path, MAX_BYTES, trusted=True)), here=here)
    except Unreadable as error:
        return None, [f"{path}:{error.line}: {error.why}"]
    except Untrusted as error:
        return None, [f"{path}:1: {error}"]
    except ValueError as error:
        return None, [f"{path}:1: {error}; a service definition is a short text file"]


def parse(path: str, text: str, *, here: bool = False) -> tuple[Definition | None, list[str]]:
    """Return the definition in `text`, or its faults; `path` is only named in them."""
    try:
        node, strange = compose(text)
    except Unreadable as error:
        return None, [f"{path}:{error.line}: {error.why}"]
    found = [(line, "", why) for line, why in strange]
    if node is None or node.id != "mapping":
        why = f"empty; {WHAT}" if node is None else WHAT
        return None, _told(path, [*found, (node.start_mark.line + 1 if node else 1, "", why)])
    reader = Reader(definition_schema.schema())
    value = reader.read(node)
    assert isinstance(value, dict), "a mapping was read"
    definition, faults = _judged(value)
    if here and definition:
        faults += [(key, why) for key, _, why in local_faults(definition)]
    found += [(reader.line(key), key.partition("\0")[0], why) for key, why in [*reader.faults, *faults]]
    return (None, _told(path, found)) if found else (definition, [])


def _judged(value: Mapping[str, object]) -> tuple[Definition | None, list[tuple[str, str]]]:
    """Return the definition and the faults of form and meaning; the same place is told once."""
    formal = definition_schema.faults(value)
    definition, found = definitions.read(value)
    said = {key for key, why in formal if why}
    meant = [(fault.key, fault.message) for fault in found if not any(_same(fault.key, key) for key in said)]
    told = [(key, why) for key, why in formal if why] + meant
    if formal and not told:
        told = [(key, "not what the schema of service definitions allows") for key, _ in formal]
    return definition, told


def _same(one: str, other: str) -> bool:
    """Tell whether two paths are one place, or one is in the other."""
    short, long = sorted((one, other), key=len)
    return long == short or (long.startswith(short) and long[len(short)] in ".[")


def _told(path: str, faults: list[tuple[int, str, str]]) -> list[str]:
    """Return the faults in the order of their lines; what came out of the file is printed so that it stays one line."""
    lines = [f"{path}:{line}: {key and f'{key}: '}{why}" for line, key, why in sorted(faults)]
    return ["".join(letter if letter.isprintable() else "?" for letter in line) for line in dict.fromkeys(lines)]
