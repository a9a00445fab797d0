"""
cibadmin: the configuration itself, as XML; it has no `--output-as=xml` before 3.0.2, and prints XML anyway.

What is written goes to its standard input, never into its arguments: a parameter may be a password. The cluster's
own log may show changes of the configuration all the same, and every user of the group haclient can read it; what has
to stay secret from them belongs into cibsecret(8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

from tocsin_ocf.pacemaker.command import TIMEOUT, Reply, Request, argv, options
from tocsin_ocf.pacemaker.document import document, done, inner, number, seconds_in
from tocsin_ocf.pacemaker.values import base_id


@dataclass(frozen=True)
class Operation:
    """An operation as it is configured; `on_fail` "" is Pacemaker's default, `timeout` 0 too (20 s), `role` "" any."""

    name: str
    on_fail: str = ""
    role: str = ""
    id: str = ""
    interval: float = 0.0
    timeout: float = 0.0

    @property
    def recurring(self) -> bool:
        """Tell whether Pacemaker runs it again and again."""
        return self.interval > 0


@dataclass(frozen=True)
class Setting:
    """One name and value, with the ids of the element and of the set that hold it."""

    name: str
    value: str = field(repr=False)
    id: str = ""
    set_id: str = ""


@dataclass(frozen=True)
class Primitive:
    """
    A resource as it is configured; `kind` is the element, "primitive", "clone" and so on.

    Values that a rule makes conditional, or that are another resource's by `id-ref`, are not among them.
    """

    id: str
    kind: str = "primitive"
    agent: str = ""
    settings: tuple[Setting, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    sets: tuple[str, ...] = ()
    """Ids of its sets of parameters without a rule, also empty ones."""

    @property
    def parameters(self) -> dict[str, str]:
        """Return the agent's parameters; the first of a name counts."""
        return by_name(self.settings)


def by_name(settings: Iterable[Setting]) -> dict[str, str]:
    """Return the values by name; the first of a name counts."""
    return {setting.name: setting.value for setting in reversed(tuple(settings))}


def query(xpath: str = "", scope: str = "") -> Request[ElementTree.Element]:
    """
    Ask for the configuration and status: all of it, one section, or what an XPath finds (NoSuchObject: nothing).

    Several finds come in one `<xpath-query>`.
    """
    return Request(argv("cibadmin", "--query", *options(xpath=xpath, scope=scope)), TIMEOUT, parse=read_cib)


def read_cib(reply: Reply) -> ElementTree.Element:
    """Return the document in the reply to a query: bare, or in the envelope of 3.0.2 and later."""
    root = document(reply)
    return inner(root.find("output")) if root.tag == "pacemaker-result" else root


def configuration(resource: str, directory: str = "") -> Request[tuple[Operation, ...]]:
    """Ask for the operations of a primitive; a resource id may name an instance of a clone."""
    words = ("--query", "--xpath", f"//primitive[@id='{base_id(resource)}']")
    return Request(argv("cibadmin", *words), TIMEOUT, parse=parse_operations, resource=resource).at(directory)


def parse_operations(reply: Reply) -> tuple[Operation, ...]:
    """Return the operations in the reply to `configuration`; Fault where there is none."""
    return tuple(_operation(op) for op in read_cib(reply).iter("op"))


def _operation(op: ElementTree.Element) -> Operation:
    return Operation(
        name=op.get("name", ""),
        on_fail=op.get("on-fail", ""),
        id=op.get("id", ""),
        interval=seconds_in(op.get("interval", "0")),
        timeout=seconds_in(op.get("timeout", "0")),
        role=op.get("role", ""),
    )


def read_primitive(element: ElementTree.Element) -> Primitive:
    """Return a resource from its element in the configuration."""
    words = [element.get(name, "") for name in ("class", "provider", "type")]
    return Primitive(
        id=element.get("id", ""),
        kind=element.tag,
        agent=":".join(filter(None, words)),
        settings=tuple(_settings(element, "instance_attributes")),
        meta=by_name(_settings(element, "meta_attributes")),
        operations=tuple(_operation(op) for op in element.iterfind("operations/op")),
        sets=tuple(each.get("id", "") for each in _plain_sets(element, "instance_attributes")),
    )


def _plain_sets(element: ElementTree.Element, section: str) -> list[ElementTree.Element]:
    """Return the sets that are the resource's own and always apply, the one that counts first: by score."""
    found = [each for each in element.findall(section) if "id" in each.attrib and each.find("rule") is None]
    return sorted(found, key=lambda each: -number(each, "score"))


def _settings(element: ElementTree.Element, section: str) -> Iterator[Setting]:
    for each in _plain_sets(element, section):
        for pair in each.findall("nvpair[@id]"):
            yield Setting(pair.get("name", ""), pair.get("value", ""), pair.get("id", ""), each.get("id", ""))


def set_parameter(primitive: Primitive, name: str, value: str) -> Request[None]:
    """Set a parameter of a resource that was asked for with `crm_resource.configured(..., raw=True)`."""
    old = next((setting for setting in primitive.settings if setting.name == name), None)
    set_id = old.set_id if old else next(iter(primitive.sets), f"{primitive.id}-instance_attributes")
    pair_id = old.id if old else f"{set_id}-{name}"
    root = ElementTree.Element(primitive.kind, id=primitive.id)
    inside = ElementTree.SubElement(root, "instance_attributes", id=set_id)
    ElementTree.SubElement(inside, "nvpair", id=pair_id, name=name, value=value)
    return modify(ElementTree.tostring(root, "unicode"), "resources")


def delete_parameter(primitive: Primitive, name: str) -> Request[None]:
    """Remove a parameter of such a resource; KeyError where it is not set."""
    ids = [setting.id for setting in primitive.settings if setting.name == name]
    if not ids:
        raise KeyError(name)
    return delete(" | ".join(f"//nvpair[@id='{each}']" for each in ids))


def modify(xml: str, scope: str = "", *, create: bool = False) -> Request[None]:
    """Merge an element into the one with its id; NoSuchObject where there is none, unless it may be made (`create`)."""
    return _write("--modify", xml, scope=scope, allow_create=create)


def create(xml: str, scope: str) -> Request[None]:
    """Add an element to a section ("resources", "constraints"...); AlreadyThere where its id is taken."""
    return _write("--create", xml, scope=scope)


def replace(xml: str, scope: str = "") -> Request[None]:
    """Put a whole section, or the whole configuration, in the place of the present one; Outdated by its epoch."""
    return _write("--replace", xml, scope=scope)


def _write(action: str, xml: str, **given: str | bool) -> Request[None]:
    return Request(argv("cibadmin", action, "--xml-pipe", *options(**given)), TIMEOUT, xml, parse=done)


def delete(xpath: str) -> Request[None]:
    """Remove everything that an XPath finds; nothing to find is no fault."""
    return Request(argv("cibadmin", "--delete-all", *options(xpath=xpath, force=True)), TIMEOUT, parse=done)
