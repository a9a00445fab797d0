"""The keys of a service definition as its JSON Schema has them: of them the manual page and the example are made."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ocf"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "daemon"))

from tocsin_daemon.definition_schema import example, schema
from tocsin_ocf.kinds import COMMON

Schema = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """One key: what it is called, means and costs; `default` "" where there is none, `example` one line of YAML."""

    name: str
    title: str
    text: str
    default: str
    example: str
    inner: "tuple[Key, ...]" = ()

    @property
    def value(self) -> str:
        """Return what to write: the default, or else an example."""
        return self.default or self.example

    @property
    def meaning(self) -> str:
        """Return title, text and default as sentences."""
        default = f" Default: {self.default}." if self.default else ""
        return f"{self.title}. {self.text}{default}" if self.text else f"{self.title}.{default}"


def top() -> "list[Key]":
    """Return the keys of a definition."""
    return list(keys(schema()))


def resolved(part: Schema) -> Schema:
    """Return a schema with what it refers to."""
    if "$ref" not in part:
        return part
    return {**resolved(schema()["$defs"][part["$ref"].rpartition("/")[2]]), **part}


def key(name: str, part: Schema) -> Key:
    """Return one key."""
    full = resolved(part)
    default = example(full["default"]) if "default" in full else ""
    examples = full.get("examples") or full.get("enum") or [""]
    inner = tuple(keys(full)) if _is_mapping(full) else ()
    return Key(name, full.get("title", ""), full.get("description", ""), default, example(examples[0]), inner)


def _is_mapping(part: Schema) -> bool:
    """Tell whether a mapping is what to write, whatever shorter forms there are."""
    kind = part.get("type")
    return (kind[0] if isinstance(kind, list) else kind) == "object"


def keys(part: Schema) -> Iterator[Key]:
    """Yield the keys of a mapping."""
    yield from (key(name, inner) for name, inner in part.get("properties", {}).items())


def kinds() -> "Iterator[tuple[str, str, Key, list[Key]]]":
    """Yield title, description, the key with the target, and the options of its own, of each kind of check."""
    for option in schema()["properties"]["checks"]["items"]["oneOf"]:
        kind = resolved(option)
        target, *options = keys(kind)
        yield kind["title"], kind["description"], target, [one for one in options if one.name not in COMMON]


def common() -> "list[Key]":
    """Return the options of every check."""
    return [key(name, schema()["$defs"][name]) for name in COMMON]
