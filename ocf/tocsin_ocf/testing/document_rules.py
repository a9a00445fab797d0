"""
Rules of the meta-data as a document.

Sections are the headings of OCF's ra/1.1/resource-agent-api.md, which has no numbers; `ra-api.rng` stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tocsin_ocf.testing.document import Action, Document, Parameter, seconds
from tocsin_ocf.testing.observed import Observations, Verdict, failed, judged, passed, skipped
from tocsin_ocf.testing.rule import DOCUMENT, MUST, SHOULD, Rule

META = "OCF 1.1 Resource Agent Meta-Data"
SEMANTICS = f"{META}, Semantics"
MANDATORY = ("start", "stop", "monitor", "meta-data")
ORDER = re.compile(r"version (longdesc )*(shortdesc )*parameters actions (special )?")
POSIX_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
KINDS = ("boolean", "integer", "select", "string")
TRUTHS = {"0", "1", "true", "false", "yes", "no", "on", "off", "y", "n"}
"""What Pacemaker reads as a boolean, in any case of letters."""
LONGEST_TIMEOUT = 3600.0
"""Seconds; a longer one than an hour leaves a dead node waiting."""
NEW_ROLES, OLD_ROLES = {"Promoted", "Unpromoted"}, {"Master", "Slave"}


def _document(seen: Observations) -> Document:
    """Return the document, which a rule that needs it has."""
    if seen.document is None:
        raise LookupError("a rule that reads the meta-data needs it")
    return seen.document


def _name(seen: Observations) -> Verdict:
    name = _document(seen).name
    return judged([] if name == seen.name else [f"the agent is called {name!r}, its file {seen.name!r}"], f"{name!r}")


def _version(seen: Observations) -> Verdict:
    version = _document(seen).version
    return judged([] if version in ("1.0", "1.1") else [f"<version> is {version!r}, not 1.0 or 1.1"], f"{version}")


def _order(seen: Observations) -> Verdict:
    document = _document(seen)
    if not document.newer:
        return skipped("declares OCF 1.0")
    text = "".join(f"{tag} " for tag in document.order)
    return judged([] if ORDER.fullmatch(text) else [f"elements come as {text.strip()}"], "as the standard orders them")


def _texts(seen: Observations) -> Verdict:
    parameters = _document(seen).parameters
    faults = [f"{one.name}: {fault}" for one in parameters for fault in _missing(one)]
    return judged(faults, f"{len(parameters)} parameters")


def _missing(one: Parameter) -> Iterator[str]:
    for tag, texts in (("longdesc", one.longs), ("shortdesc", one.shorts)):
        if not any(text for _, text in texts):
            yield f"no {tag}"
        if any(lang is None for lang, _ in texts):
            yield f"{tag} without lang"
    if one.kind is None:
        yield "no content"


def _kinds(seen: Observations) -> Verdict:
    found = [one for one in _document(seen).parameters if one.kind is not None]
    faults = [f"{one.name}: {one.kind!r}" for one in found if one.kind not in KINDS]
    faults += [f"{one.name}: select without an option" for one in found if one.kind == "select" and not one.options]
    return judged(faults, f"{len(found)} types")


def _defaults(seen: Observations) -> Verdict:
    given = [one for one in _document(seen).parameters if one.default]
    faults = [f"{one.name}: {one.default!r} is no {one.kind}" for one in given if not _fits(one)]
    return judged(faults, f"{len(given)} defaults")


def _fits(one: Parameter) -> bool:
    default = one.default or ""
    if one.kind == "integer":
        return bool(re.fullmatch(r"[-+]?[0-9]+", default))
    if one.kind == "boolean":
        return default.lower() in TRUTHS
    return one.kind != "select" or default in one.options


def _names(seen: Observations) -> Verdict:
    names = [one.name for one in _document(seen).parameters]
    faults = [f"{name!r} is no name of a variable" for name in names if not POSIX_NAME.fullmatch(name)]
    faults += [f"{name!r} is declared twice" for name in sorted({one for one in names if names.count(one) > 1})]
    return judged(faults, f"{len(names)} names")


def _required(seen: Observations) -> Verdict:
    found = [one for one in _document(seen).parameters if one.required]
    return judged([f"{one.name}: required, with a default" for one in found if one.default], f"{len(found)} required")


def _unique(seen: Observations) -> Verdict:
    document = _document(seen)
    grouped = [one.name for one in document.parameters if one.group]
    if not document.newer:
        return judged([f"{name}: unique-group is of OCF 1.1" for name in grouped], "none in OCF 1.0")
    alone = [one.name for one in document.parameters if one.unique and not one.group]
    return judged([f"{name}: unique without unique-group is ignored" for name in alone], f"{len(grouped)} in groups")


def _reload(seen: Observations) -> Verdict:
    document = _document(seen)
    marked = [one.name for one in document.parameters if one.reloadable]
    agent = document.advertised("reload-agent")
    if not document.newer:
        faults = ["reload-agent is of OCF 1.1 and never called"] if agent else []
        faults += [f"{name}: reloadable is of OCF 1.1" for name in marked]
        return judged(faults, "nothing of OCF 1.1")
    if marked and not agent:
        return failed(f"{', '.join(marked)} reloadable, but reload-agent is not advertised")
    if agent and not marked:
        return failed("reload-agent is advertised, but no parameter is reloadable")
    return passed(f"{len(marked)} reloadable" if marked else "nothing is reloadable")


def _replaced(seen: Observations) -> Verdict:
    document = _document(seen)
    names = {one.name for one in document.parameters}
    pairs = [(one.name, other) for one in document.parameters for other in one.replaced_with]
    return judged([f"{name}: no parameter {other!r}" for name, other in pairs if other not in names], f"{len(pairs)}")


def _mandatory(seen: Observations) -> Verdict:
    missing = [name for name in MANDATORY if not _document(seen).advertised(name)]
    return judged([f"no {name}" for name in missing], " ".join(MANDATORY))


def _timeouts(seen: Observations) -> Verdict:
    actions = _document(seen).actions
    return judged([f"{one.name}: no timeout" for one in actions if one.timeout is None], f"{len(actions)} actions")


def _sane(seen: Observations) -> Verdict:
    faults = []
    for one in _document(seen).actions:
        timeout = seconds(one.timeout) if one.timeout is not None else 1.0
        if timeout is None or not 0 < timeout <= LONGEST_TIMEOUT:
            faults.append(f"{one.name}: timeout={one.timeout!r}")
        if one.interval is not None and seconds(one.interval) is None:
            faults.append(f"{one.name}: interval={one.interval!r}")
    return judged(faults, "from 1 ms to 1 h")


def _pairs(seen: Observations) -> Verdict:
    document = _document(seen)
    pairs = (("promote", "demote"), ("migrate_to", "migrate_from"))
    split = [pair for pair in pairs if len({document.advertised(name) for name in pair}) == 2]
    return judged([f"only one of {' and '.join(pair)}" for pair in split], "none stands alone")


def _monitors(seen: Observations) -> list[Action]:
    return [one for one in _document(seen).actions if one.name == "monitor"]


def _intervals(seen: Observations) -> Verdict:
    found = [seconds(one.interval or "0") for one in _monitors(seen)]
    twice = sorted({one for one in found if one and found.count(one) > 1})
    return judged([f"{found.count(one)} monitors every {one:g} s" for one in twice], f"{len(found)} monitors")


def _roles(seen: Observations) -> Verdict:
    if not _document(seen).advertised("promote"):
        return skipped("advertises no promote")
    roles = {one.role for one in _monitors(seen)}
    return judged([] if roles & {"Promoted", "Master"} else ["no monitor for the promoted role"], "there is one")


def _role_names(seen: Observations) -> Verdict:
    document = _document(seen)
    known = NEW_ROLES if document.newer else NEW_ROLES | OLD_ROLES
    wrong = sorted({one.role for one in document.actions if one.role is not None and one.role not in known})
    return judged([f"role {role!r}" for role in wrong], "known roles only")


DOCUMENT_RULES = (
    Rule("meta-data-name", "OCF 1.1 The Resource Agent Directory Tree", SHOULD, (DOCUMENT,), _name),
    Rule("meta-data-version", SEMANTICS, MUST, (DOCUMENT,), _version),
    Rule("meta-data-order", f"{META}, Format: ra-api.rng", MUST, (DOCUMENT,), _order),
    Rule("parameters-described", f"{META}, Format: ra-api.rng", MUST, (DOCUMENT,), _texts),
    Rule("parameters-typed", f"{META}, Format: ra-api.rng", MUST, (DOCUMENT,), _kinds),
    Rule("parameters-defaults", SEMANTICS, SHOULD, (DOCUMENT,), _defaults),
    Rule("parameters-names", "OCF 1.1 Resource Parameters", MUST, (DOCUMENT,), _names),
    Rule("parameters-required", SEMANTICS, SHOULD, (DOCUMENT,), _required),
    Rule("parameters-unique", SEMANTICS, SHOULD, (DOCUMENT,), _unique),
    Rule("parameters-replaced", SEMANTICS, SHOULD, (DOCUMENT,), _replaced),
    Rule("actions-mandatory", "OCF 1.1 Resource Agent Actions", MUST, (DOCUMENT,), _mandatory),
    Rule("actions-timeout", SEMANTICS, MUST, (DOCUMENT,), _timeouts),
    Rule("actions-times", SEMANTICS, MUST, (DOCUMENT,), _sane),
    Rule("actions-pairs", "OCF 1.1 Optional Actions", MUST, (DOCUMENT,), _pairs),
    Rule("actions-reload", "OCF 1.1 Optional Actions: reload-agent", MUST, (DOCUMENT,), _reload),
    Rule(
        "monitor-intervals", "Pacemaker: operations are told apart by name and interval", MUST, (DOCUMENT,), _intervals
    ),
    Rule("monitor-roles", SEMANTICS, SHOULD, (DOCUMENT,), _roles),
    Rule("role-names", "OCF 1.1 Role", MUST, (DOCUMENT,), _role_names),
)
