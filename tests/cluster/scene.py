"""A cluster under scrutiny: resources, the judge, the bookkeeper, and the moves of the scenarios."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import kills
from judge import Judge, command, inside, living, now
from judgement import Span, active, crowds, longest_none, promoted
from lab import Lab, Node
from ledger import Ledger

from tocsin_ocf.parameters import PARAMETERS

PATIENCE = 60.0
TICKS = 0.02
"""Seconds by which the kernel's clock of births is too early."""
DAEMON = "/usr/bin/tocsind"


class Scene:
    """One lab, and what is known of it."""

    def __init__(self, lab: Lab, judge: Judge) -> None:
        """Begin with nothing on the stage."""
        self.lab, self.judge = lab, judge
        self.ledger = Ledger(lab)
        self.figures: list[tuple[str, float, float]] = []
        self.title, self.begin = "", 0.0
        stick = ["crm_attribute", "--type", "rsc_defaults", "--name", "resource-stickiness", "--update", "100"]
        self.desk.run(stick)  # as everybody has it; `pcs resource move` insists

    def open(self, title: str) -> None:
        """Begin a scenario."""
        self.title, self.begin = title, now()

    def told(self) -> list[str]:
        """Return by which operations failures were told in this scenario."""
        self.ledger.read()
        return [report.operation for report in self.ledger.page]

    # Resources

    @property
    def desk(self) -> Node:
        """A node that is on, at which the operator sits."""
        return next(node for node in self.lab.nodes if node.is_running() and not node.is_frozen())

    def pcs(self, *words: str, check: bool = True) -> None:
        """Run pcs as the operator does."""
        self.desk.run(["pcs", *words], timeout=120, check=check)

    def create(self, name: str, *words: str, monitor: Sequence[str] = ("interval=60s",), many: bool = False) -> None:
        """
        Create a resource of a service that the judge hears; words that are no parameters come after the monitor.

        `many`: as a clone, of which one at a time may be promoted.
        """
        self.judge.only(f"{name}.promoted" if many else name)
        service = command(name, *(["--many"] if many else []))
        parameters = [f"command={service}", *(word for word in words if _is_parameter(word))]
        rest = [word for word in words if not _is_parameter(word)]
        self.pcs("resource", "create", name, "ocf:tocsin:service", *parameters, "op", "monitor", *monitor, *rest)

    def single(self, name: str, *words: str, monitor: Sequence[str] = ("interval=60s",)) -> Span:
        """Create a resource that leaves a node where it failed once, and wait until all is calm."""
        self.create(name, *words, "meta", "migration-threshold=1", monitor=monitor)
        return self.calm(name)

    def tidy(self, *names: str) -> None:
        """Forget failures and bans, and wait until Pacemaker has done so."""
        for name in names:
            self.desk.run(["crm_resource", "--clear", "--resource", name], check=False)
            self.desk.run(["crm_resource", "--cleanup", "--resource", name], check=False, timeout=60)
        self.idle()

    def clear_stage(self) -> None:
        """Remove every resource but the fence device, and wait until none of them lives."""
        for path in ("//resources/*[@id!='fencing']", "//constraints/*"):
            self.desk.run(["cibadmin", "--delete-all", "--force", "--xpath", path], check=False)
        self.lab.wait(lambda: not living(self.judge.events), PATIENCE, "all services to be gone")
        self.desk.run(["crm_resource", "--cleanup"], timeout=60, check=False)
        self.idle()

    # What is so

    def instances(self, name: str) -> list[Span]:
        """Return the instances that live, by the judge."""
        return [span for span in active(list(self.judge.events), name) if span.lasts]

    def history(self, name: str) -> list[Span]:
        """Return the instances that were born in this scenario."""
        return [span for span in active(list(self.judge.events), name) if span.begin >= self.begin]

    def leaders(self, name: str) -> list[Span]:
        """Return the instances that are promoted, by the judge."""
        return [span for span in promoted(list(self.judge.events), name) if span.lasts]

    def one(self, name: str) -> Span:
        """Wait for the one instance that lives."""
        spans = self.lab.wait(lambda: self.instances(name), PATIENCE, f"{name} to live")
        assert len(spans) == 1, spans
        return spans[0]

    def calm(self, name: str) -> Span:
        """Wait until the one instance lives, Pacemaker knows it, and nothing is under way; return it."""
        return self.full(name, 1)[0]

    def full(self, name: str, count: int) -> list[Span]:
        """Wait until so many instances live, Pacemaker knows them, and nothing is under way; return them."""
        there = partial(self._all_known, name, count)
        self.lab.wait(there, PATIENCE, f"{count} of {name} to live, and Pacemaker to know them")
        self.idle()
        spans = self.instances(name)
        assert len(spans) == count, spans
        return spans

    def _all_known(self, name: str, count: int) -> bool:
        """Tell whether Pacemaker sees active, on each node, as many as live there."""
        lives = Counter(span.node for span in self.instances(name))
        if sum(lives.values()) != count:
            return False
        healthy = self.desk.crm_mon().iterfind(".//resource[@active='true'][@failed='false']")
        mine = [one for one in healthy if one.get("id", "").partition(":")[0] == name and not one.get("pending")]
        return Counter(node.get("name") for one in mine for node in one.iterfind("node")) == lives

    def resource(self, span: Span) -> str:
        """Return the id under which Tocsin runs an instance (of a globally-unique clone it is NAME:NUMBER)."""
        status = Path(f"/proc/{span.pid}/status").read_text()
        inner = next(line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:"))
        rows = kills.rows(self.lab.node(span.node), check=False)
        return next(str(row["resource"]) for row in rows if str(row["pid"]) == inner)

    def idle(self) -> None:
        """Wait until all nodes that are on are online, and the controller has nothing to do."""
        self.lab.wait_online(*(node.name for node in self.lab.nodes if node.is_running()))

    def elsewhere(self, span: Span) -> list[Node]:
        """Return the nodes on which this instance does not run."""
        return [node for node in self.lab.nodes if node.name != span.node]

    # Moves

    def kill(self, span: Span, resource: str = "") -> None:
        """Kill an instance with -9, which is to be reported once."""
        self.ledger.died(span.node, resource or span.name)
        os.kill(span.pid, signal.SIGKILL)

    def kill_daemons(self, node: Node, *, port: int = 9909) -> None:
        """Kill the daemon of a node with -9, if there is one."""
        for pid in inside(node, DAEMON):
            with suppress(ProcessLookupError, FileNotFoundError):
                if str(port).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    os.kill(pid, signal.SIGKILL)

    def another(self, old: Span, patience: float = PATIENCE) -> Span:
        """Wait for an instance that was born after this one."""
        later = partial(self._later, old)
        return self.lab.wait(later, patience, f"another {old.name} than {old.pid} on {old.node}")[0]

    def replaced(self, old: Span) -> Span:
        """Wait until this instance is dead, and its node has one that was born after it died, and return that."""

        def fresh() -> list[Span]:
            died = next(span.end for span in active(list(self.judge.events), old.name) if span.pid == old.pid)
            return [span for span in self.instances(old.name) if span.node == old.node and span.begin > died - TICKS]

        return self.lab.wait(fresh, PATIENCE, f"another {old.name} on {old.node}")[0]

    def _later(self, old: Span) -> list[Span]:
        return [span for span in self.instances(old.name) if span.begin > old.begin]

    @contextmanager
    def watched(self, name: str, none: float, *, role: bool = False) -> Iterator[None]:
        """Judge what happens inside: never two active (`role`: promoted), never none for longer than this (seconds)."""
        begin = now()
        yield
        end, events = now(), list(self.judge.events)
        spans = promoted(events, name) if role else active(events, name)
        longest = longest_none(spans, begin, end)
        self.figures.append((f"{self.title}: {name}{' promoted' * role}", longest, none))
        assert not crowds(events, name, begin=begin, role=role)
        assert longest <= none, f"none of {name} for {longest:.2f} s; {spans[-5:]}"

    def summary(self) -> list[str]:
        """Say for people how long there was none of what, and how many deaths were told."""
        lines = [f"none for {none:6.2f} s (allowed: {most:g})  {title}" for title, none, most in self.figures]
        deaths, reports = self.ledger.total, len(self.ledger.reports)
        return [*lines, f"scenarios: {deaths} deaths caused, {reports} reports"]

    def accounts(self) -> None:
        """Wait until every death is told, and fail where one is not, or is twice, or where nobody died."""
        with suppress(TimeoutError):  # the assertion says what is wrong
            self.lab.wait(lambda: not self.ledger.faults(), 15, "all deaths to be told")
        faults = self.ledger.close()
        assert not faults


def _is_parameter(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name in [row.name for row in PARAMETERS]
