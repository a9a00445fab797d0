"""A row of the tables of rules, and how it is applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tocsin_ocf.testing.observed import Observations, Verdict, skipped

MUST, SHOULD = "must", "should"
"""What the standard or Pacemaker demands; what the standard, its tools or its guide recommend."""
DOCUMENT = "document"


@dataclass(frozen=True)
class Rule:
    """One rule: its name, where it is written, how strong it is, the calls that it needs, and the judge."""

    name: str
    section: str
    severity: str
    needs: tuple[str, ...]
    judge: Callable[[Observations], Verdict]

    def apply(self, seen: Observations) -> Verdict:
        """Judge, or skip where something that it needs was not seen."""
        for need in self.needs:
            if need == DOCUMENT and seen.document is None:
                return skipped("there is no meta-data to read")
            if need != DOCUMENT and need not in seen.calls:
                return skipped(seen.skipped.get(need, seen.unplanned))
        return self.judge(seen)


@dataclass(frozen=True)
class Line:
    """One line of the report."""

    rule: Rule
    verdict: Verdict

    def __str__(self) -> str:
        """Return it as it is printed; whatever the agent said fits one line of a terminal that is not told to beep."""
        seen = "".join(letter if letter.isprintable() and letter.isascii() else "?" for letter in _one_line(self))
        return f"{self.verdict.result} {self.rule.name} {seen} ({self.rule.section}; {self.rule.severity})"


def _one_line(line: Line) -> str:
    text = " ".join(line.verdict.seen.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


LONGEST = 300
"""Letters of what was seen that a line shows; --json has all."""
