"""What was seen of an agent: values that rules judge, and that can be written down for a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tocsin_ocf.testing.document import Document

PREFIX = "ocf-exit-reason:"


@dataclass(frozen=True)
class Call:
    """
    One call of the agent, or of a command that the tester named, and what came of it.

    `code` is the exit status, negative the signal that ended it; `seconds` and `cpu` are wall and CPU time.
    `made` is what this call left behind, `left` what there is since the beginning, each as "file PATH",
    "process PID COMMAND", "ipc KIND ID", "cgroup PATH".
    """

    action: str
    code: int
    out: str = ""
    err: str = ""
    seconds: float = 0.0
    cpu: float = 0.0
    killed: bool = False
    held: bool = False
    made: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def reason(self) -> str | None:
        """Return the exit reason as Pacemaker finds it: the last one on stderr, to the end of its line."""
        found = self.err.rpartition(PREFIX)
        return found[2].partition("\n")[0] if found[1] else None

    @property
    def processes(self) -> frozenset[str]:
        """Return the processes that there are since the beginning."""
        return frozenset(one for one in self.left if one.startswith("process "))


@dataclass(frozen=True)
class Schema:
    """What xmllint says of the meta-data by one schema; `valid` is None where it could not be asked."""

    valid: bool | None
    said: str


@dataclass(frozen=True)
class Observations:
    """Everything that was seen; `skipped` says of a call that was not made why, `unplanned` of all others."""

    path: str
    calls: Mapping[str, Call] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    unplanned: str = "was not called"
    document: Document | None = None
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""
    keep: tuple[str, ...] = ()
    isolated: bool = True
    cgroups: bool = False

    @property
    def name(self) -> str:
        """Return the file's name, which is the resource type."""
        return self.path.rpartition("/")[2]

    @property
    def provider(self) -> str:
        """Return the name of the directory, which is the provider's where the agent is installed."""
        return self.path.rpartition("/")[0].rpartition("/")[2]

    @property
    def lacking(self) -> list[str]:
        """Return the parameters that are declared to be required, and were not given."""
        declared = self.document.parameters if self.document else ()
        return [one.name for one in declared if one.required and one.name not in self.given]


@dataclass(frozen=True)
class Verdict:
    """PASS, FAIL or SKIP, and what was seen."""

    result: str
    seen: str


def passed(seen: str) -> Verdict:
    """Return that the rule is kept."""
    return Verdict("PASS", seen)


def failed(seen: str) -> Verdict:
    """Return that the rule is broken."""
    return Verdict("FAIL", seen)


def skipped(why: str) -> Verdict:
    """Return that the rule says nothing here."""
    return Verdict("SKIP", why)


def judged(faults: list[str], well: str) -> Verdict:
    """Return FAIL with all faults, PASS where there is none."""
    return failed("; ".join(faults)) if faults else passed(well)
