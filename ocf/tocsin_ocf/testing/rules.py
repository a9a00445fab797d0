"""All rules, in the order of the report."""

from __future__ import annotations

from tocsin_ocf.testing.call_rules import CALL_RULES
from tocsin_ocf.testing.document_rules import DOCUMENT_RULES
from tocsin_ocf.testing.every_call import EVERY_RULES
from tocsin_ocf.testing.observed import Observations
from tocsin_ocf.testing.rule import Line, Rule
from tocsin_ocf.testing.run_rules import RUN_RULES
from tocsin_ocf.testing.schema_rules import SCHEMA_RULES

RULES: tuple[Rule, ...] = (*DOCUMENT_RULES, *SCHEMA_RULES, *CALL_RULES, *EVERY_RULES, *RUN_RULES)


def report(seen: Observations) -> list[Line]:
    """Return what each rule says of what was seen."""
    return [Line(rule, rule.apply(seen)) for rule in RULES]
