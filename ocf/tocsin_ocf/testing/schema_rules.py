"""Which schema of the ecosystem the meta-data has to pass: that depends on what it declares to be."""

from __future__ import annotations

from functools import partial

from tocsin_ocf.testing.document import Document
from tocsin_ocf.testing.observed import Observations, Schema, Verdict, judged, skipped
from tocsin_ocf.testing.rule import DOCUMENT, MUST, Rule

SECTIONS = {
    "ocf-1.0": "pcs: ocf-1.0.rng",
    "ocf-1.1": "pcs: ocf-1.1.rng",
    "ra-api-1.dtd": "OCF 1.0 RA meta data, Format; ocf-tester",
    "metadata.rng": "resource-agents: metadata.rng",
}


def _judge(name: str, seen: Observations) -> Verdict:
    found = seen.schemas.get(name, Schema(None, "was not looked at"))
    if found.valid is None or seen.document is None:
        return skipped(found.said)
    why = _exempt(name, seen.document, seen.provider)
    if found.valid or not why:
        return judged([] if found.valid else [found.said], "valid")
    return skipped(f"{why}; {found.said}")


def _exempt(name: str, document: Document, provider: str) -> str:
    """Return why a document need not pass a schema; "" where it has to."""
    if name == "ocf-1.1":
        return "" if document.newer else "declares OCF 1.0"
    if name == "ocf-1.0":
        return "declares OCF 1.1" if document.newer else ""
    if name == "ra-api-1.dtd":
        return "declares OCF 1.1, and no DOCTYPE" if document.newer and not document.doctype else ""
    return "" if provider == "heartbeat" else "is what resource-agents asks of its own"


SCHEMA_RULES = tuple(
    Rule(f"schema-{name}", section, MUST, (DOCUMENT,), partial(_judge, name)) for name, section in SECTIONS.items()
)
