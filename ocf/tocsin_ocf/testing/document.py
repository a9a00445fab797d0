"""Meta-data as values, with nothing assumed: what is not there is None or empty, and a rule says what that means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "usec": 1e-6}
UNITS.update({"m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0})
TIME = re.compile(r"\s*([0-9]+)\s*([a-zA-Z]*)\s*")


class NotMetadata(Exception):
    """What was printed is no meta-data; the text says why."""


@dataclass(frozen=True)
class Parameter:
    """One parameter as declared; each text with its language, None where none is given."""

    name: str
    kind: str | None = None
    default: str | None = None
    options: tuple[str, ...] = ()
    longs: tuple[tuple[str | None, str], ...] = ()
    shorts: tuple[tuple[str | None, str], ...] = ()
    unique: bool = False
    group: str | None = None
    required: bool = False
    reloadable: bool = False
    replaced_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class Action:
    """One action as advertised."""

    name: str
    timeout: str | None = None
    interval: str | None = None
    depth: str | None = None
    role: str | None = None


@dataclass(frozen=True)
class Document:
    """The meta-data of an agent; `order` names the elements below the root as they come."""

    name: str | None
    version: str | None
    order: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    actions: tuple[Action, ...]
    doctype: bool

    @property
    def newer(self) -> bool:
        """Tell whether it declares OCF 1.1; what declares nothing is read as 1.0, as pcs and Pacemaker do."""
        return self.version == "1.1"

    def advertised(self, name: str) -> bool:
        """Tell whether it has an action."""
        return any(action.name == name for action in self.actions)


def parse(text: str) -> Document:
    """Return the document; NotMetadata where it is none."""
    try:
        root = ElementTree.fromstring(text.encode("utf-8", "surrogateescape"))
    except ElementTree.ParseError as error:
        raise NotMetadata(f"not well-formed: {error}") from None
    if root.tag != "resource-agent":
        raise NotMetadata(f"its root is <{root.tag}>, not <resource-agent>")
    version = root.findtext("version")
    return Document(
        root.get("name"),
        None if version is None else version.strip(),
        tuple(child.tag for child in root),
        tuple(_parameter(one) for one in root.iterfind("parameters/parameter")),
        tuple(_action(one) for one in root.iterfind("actions/action")),
        "<!DOCTYPE" in text,
    )


def _parameter(one: ElementTree.Element) -> Parameter:
    content = one.find("content")
    return Parameter(
        one.get("name", ""),
        content.get("type", "") if content is not None else None,
        content.get("default") if content is not None else None,
        tuple(option.get("value", "") for option in content.iterfind("option")) if content is not None else (),
        _texts(one, "longdesc"),
        _texts(one, "shortdesc"),
        one.get("unique") == "1",
        one.get("unique-group"),
        one.get("required") == "1",
        one.get("reloadable") == "1",
        tuple(other.get("name", "") for other in one.iterfind("deprecated/replaced-with")),
    )


def _texts(one: ElementTree.Element, tag: str) -> tuple[tuple[str | None, str], ...]:
    return tuple((text.get("lang"), "".join(text.itertext()).strip()) for text in one.iterfind(tag))


def _action(one: ElementTree.Element) -> Action:
    return Action(one.get("name", ""), *(one.get(name) for name in ("timeout", "interval", "depth", "role")))


def seconds(text: str) -> float | None:
    """Return a time as Pacemaker reads it, in seconds; None where it would not."""
    found = TIME.fullmatch(text)
    unit = UNITS.get(found[2].lower()) if found else None
    return None if not found or unit is None else int(found[1]) * unit
