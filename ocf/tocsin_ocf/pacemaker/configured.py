"""The primitives of one provider, with what they inherit: where `cibadmin` has them in groups and clones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tocsin_ocf.pacemaker.cibadmin import Operation, Primitive, read_cib, read_primitive
from tocsin_ocf.pacemaker.command import TIMEOUT, Reply, Request, argv

if TYPE_CHECKING:
    from xml.etree import ElementTree

TRUE = ("true", "yes", "on", "1", "y")
"""What Pacemaker takes for true (crm_str_to_boolean)."""


@dataclass(frozen=True)
class Configured:
    """A primitive with the `meta` attributes that count for it; `promotable`: a clone around it says so."""

    primitive: Primitive
    meta: Mapping[str, str] = field(default_factory=dict)
    promotable: bool = False

    @property
    def id(self) -> str:
        """Return its id."""
        return self.primitive.id

    @property
    def parameters(self) -> dict[str, str]:
        """Return the agent's parameters."""
        return self.primitive.parameters

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Return its operations."""
        return self.primitive.operations


def primitives(provider: str, directory: str = "") -> Request[tuple[Configured, ...]]:
    """Ask for the primitives of a provider, at any depth."""
    words = argv("cibadmin", "--query", "--scope=configuration")
    return Request(words, TIMEOUT, parse=partial(parse_primitives, provider=provider)).at(directory)


def parse_primitives(reply: Reply, provider: str) -> tuple[Configured, ...]:
    """Return the primitives in the reply to `primitives`; Fault where there is none."""
    root = read_cib(reply)
    defaults, resources = root.find("rsc_defaults"), root.find("resources")
    meta = read_primitive(defaults).meta if defaults is not None else {}
    return tuple(_inside(resources, meta, provider, promotable=False)) if resources is not None else ()


def _inside(
    parent: ElementTree.Element, meta: Mapping[str, str], provider: str, *, promotable: bool
) -> list[Configured]:
    found: list[Configured] = []
    for element in parent:
        read = read_primitive(element)
        own = {**meta, **read.meta}
        told = promotable or element.tag == "master" or own.get("promotable", "").lower() in TRUE
        if element.tag == "primitive" and element.get("provider") == provider:
            found.append(Configured(read, own, told))
        elif element.tag in ("group", "clone", "master"):
            found += _inside(element, own, provider, promotable=told)
    return found
