"""
The bookkeeper of reports: every death that a test caused is told to Pacemaker exactly once, in the whole cluster.

Deaths are entered by the tests. Reports are read from every node's pacemaker.log, incidents from every daemon's log:
both outlive the node's power.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab import Lab

RESULT = re.compile(r"Result of (asyncmon|monitor|start|promote|demote) operation for (\S+) on (\S+): .*\brc=(\d+)")
INCIDENT = re.compile(r"\] (\S+): service ended: (?:running|promoted|promoting|demoting) -> failed$")
CRITICAL = re.compile(r"^\S+ \[\S*#critical\]")
WELL = {"monitor": (0, 8, 190, 191)}
Place = tuple[str, str]
"""A node, and the id of a resource as Pacemaker's controller there has it."""


@dataclass(frozen=True)
class Report:
    """A failure that a node's controller was told: by which operation, of which resource."""

    place: Place
    operation: str


def reports(lines: Iterable[str]) -> Iterator[Report]:
    """Yield the failures in a pacemaker.log; a probe is none, whatever it finds."""
    for line in lines:
        found = RESULT.search(line)
        if found and "_monitor_0 " not in line and int(found[4]) not in WELL.get(found[1], (0,)):
            yield Report((found[3], found[2]), found[1])


def incidents(lines: Iterable[str]) -> Iterator[str]:
    """Yield the resource of each incident in a daemon's log."""
    return (found[1] for found in map(INCIDENT.search, lines) if found)


class Ledger:
    """The books of one lab."""

    def __init__(self, lab: Lab) -> None:
        """Begin with empty books."""
        self.deaths: Counter[Place] = Counter()
        self.total = 0
        self.reports: list[Report] = []
        self.incidents: Counter[Place] = Counter()
        self.critical: list[str] = []
        self._lab = lab
        self._closed = 0
        self._read: dict[Path, int] = {}

    def died(self, node: str, resource: str) -> None:
        """Enter a death that a test has caused."""
        self.deaths[node, resource] += 1
        self.total += 1

    @property
    def page(self) -> list[Report]:
        """The reports since the books were closed last."""
        return self.reports[self._closed :]

    def read(self) -> None:
        """Enter what the logs of all nodes say since they were read last."""
        for node in self._lab.nodes:
            self.reports += reports(self._news(node.pacemaker_log))
            for log in (node.log_directory / "tocsin").glob("tocsind-*.log"):
                news = self._news(log)
                self.incidents.update((node.name, resource) for resource in incidents(news))
                self.critical += [f"{node.name}: {line}" for line in news if CRITICAL.match(line)]

    def close(self) -> list[str]:
        """Return the faults since the last call, and begin a new page: what comes late is a fault of the next one."""
        faults = self.faults()
        self.deaths, self.incidents, self.critical = Counter(), Counter(), []
        self._closed = len(self.reports)
        return faults

    def faults(self) -> list[str]:
        """Say which death was not told once, which report is of none, and what a daemon calls critical."""
        self.read()
        told = Counter(report.place for report in self.page)
        places = sorted({*told, *self.incidents, *self.deaths})
        counts = [(place, self.deaths[place], self.incidents[place], told[place]) for place in places]
        wrong = [
            f"{name} on {node}: {deaths} deaths, {seen} incidents, {heard} reports"
            for (node, name), deaths, seen, heard in counts
            if not deaths == seen == heard
        ]
        return wrong + self.critical

    def _news(self, log: Path) -> list[str]:
        """Return what was written to a log, whole lines only; it never shrinks."""
        if not log.exists():
            return []
        with log.open("rb") as file:
            file.seek(self._read.get(log, 0))
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read[log] = self._read.get(log, 0) + len(whole)
        return whole.decode(errors="replace").splitlines()
