"""
Chaos on a real Pacemaker: every death is reported once, and nothing else happens to a service.

The bookkeeper believes the services' own announcement of their birth, the kernel, and Pacemaker's log; not Tocsin.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, SIGUSR1
from statistics import median

import pytest
from chaos_book import Night
from chaos_log import Event, PacemakerLog
from lab import Lab, Node

from tests.chaos.books import VIOLATIONS
from tests.chaos.tools import SERVICE

TOP = Path(__file__).resolve().parents[2]
CYCLES = 30
"""Of each seed."""
SEED = 20261121
FRESH = random.SystemRandom().randrange(10**6)
KINDS = {"one": "plain", "two": "wild"}
MOVES = {
    "kill": 8,
    "exit": 2,
    "daemon": 4,
    "both": 7,
    "freeze": 3,
    "term": 2,
    "maintenance": 2,
    "disable": 3,
    "check": 2,
}
BOUND = 60.0


class Ward:
    """The node, its witness, and what was seen so far."""

    def __init__(self, lab: Lab, node: Node) -> None:
        """Begin to watch."""
        self.lab, self.node = lab, node
        self.events: list[Event] = []
        self._log = PacemakerLog(node.pacemaker_log)
        pipe = subprocess.PIPE
        self.process = node.popen(["/usr/bin/python3", "-B", str(TOP / "tests/cluster/chaos_witness.py"), str(TOP)],
                                  stdin=pipe, stdout=pipe)  # fmt: skip
        assert self.process.stdout is not None and self.process.stdin is not None
        assert self.process.stdout.readline() == "ready\n"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            word, pid, name, at = line.split()
            self.events.append(Event(float(at), word, name, int(pid)))

    def tell(self, line: str) -> None:
        """Command the witness."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def last(self, name: str, *words: str) -> Event | None:
        """Return what of these happened last to a resource."""
        self.events += self._log.news()
        return max((e for e in self.events if e.name == name and e.what in words), default=None)

    def pid(self, name: str) -> int:
        """Return the pid of the main process that lives, 0 without one."""
        event = self.last(name, "born", "died")
        return event.number if event and event.what == "born" else 0

    def is_calm(self, name: str) -> bool:
        """Tell whether it lives, and Pacemaker has had its start confirmed."""
        born, started = self.last(name, "born", "died"), self.last(name, "start", "start begun")
        up = born is not None and born.what == "born" and started is not None and started.what == "start"
        return up and started.number == 0 and born.at < started.at  # type: ignore[union-attr]

    def calm(self, why: str) -> None:
        """Wait until all is well again."""
        for name in KINDS:
            self.lab.wait(partial(self.is_calm, name), timeout=BOUND, what=f"{name} to be well after {why}")

    def note(self, what: str) -> None:
        """Note what holds for all resources."""
        self.events += [Event(time.time(), what, name) for name in KINDS]


@pytest.fixture
def ward(lab: Lab, node: Node) -> Iterator[Ward]:
    """Run two resources and their witness."""
    ward = Ward(lab, node)
    node.run(["crm_attribute", "--name", "start-failure-is-fatal", "--update", "false"])  # a kill may hit a start
    try:
        for name, kind in KINDS.items():
            words = [f"command={SERVICE} {name} {kind}", "op", "monitor", "interval=2s", "timeout=30s"]
            node.run(["pcs", "resource", "create", name, "ocf:tocsin:service", *words], timeout=60)
        ward.calm("their creation")
        yield ward
    finally:
        for name in KINDS:
            node.run(["pcs", "resource", "delete", "--force", name], timeout=60, check=False)
        ward.process.kill()
        ward.process.wait()
        node.run(["rm", "-r", str(SERVICE.parent)])  # the next night begins anew


def move(ward: Ward, dice: random.Random, what: str, name: str) -> None:
    """Make one move."""
    if what in ("kill", "exit", "both"):
        ward.tell(f"aim {int(SIGUSR1 if what == 'exit' else SIGKILL)} {ward.pid(name) or ''}")
    if what == "both":
        time.sleep(dice.random() ** 2 * 0.15)
    if what in ("daemon", "both"):
        ward.tell(f"daemons {int(SIGKILL)}")
    if what == "term":
        ward.tell(f"daemons {int(SIGTERM)}")
    if what == "freeze":
        ward.tell(f"daemons {int(SIGSTOP)}")
        time.sleep(dice.uniform(0.05, 1.0))
        ward.tell(f"daemons {int(SIGCONT)}")
    if what == "maintenance":
        maintain(ward, dice)
    if what == "disable":
        for role in ("Stopped", "Started"):
            words = ["--meta", "--set-parameter", "target-role", "--parameter-value", role]
            ward.node.run(["crm_resource", "--resource", name, *words])
            time.sleep(dice.uniform(0.0, 0.6))
    if what == "check":
        ward.node.run(["crm_resource", "--force-check", "--resource", name], check=False)


def maintain(ward: Ward, dice: random.Random) -> None:
    """Put the cluster into maintenance, kill a service there perhaps, and end it."""
    ward.node.run(["crm_attribute", "--name", "maintenance-mode", "--update", "true"])
    ward.note("maintenance")
    time.sleep(dice.uniform(0.0, 0.5))
    victim = dice.choice(list(KINDS))
    if dice.random() < 0.7:
        move(ward, dice, "kill", victim)
    time.sleep(dice.uniform(0.2, 1.5))
    ward.note("managed")
    ward.node.run(["crm_attribute", "--name", "maintenance-mode", "--update", "false"])


@pytest.mark.parametrize("seed", [SEED, FRESH], ids=["the seed of always", "a fresh seed"])
def test_sixty_cycles_of_chaos_in_two_nights(capsys: pytest.CaptureFixture[str], ward: Ward, seed: int) -> None:
    """The figures are printed; a violation comes with the events."""
    dice, begin = random.Random(seed), time.monotonic()  # noqa: S311 - repeatable is the point
    for number in range(CYCLES):
        chosen = dice.choices(list(MOVES), list(MOVES.values()), k=dice.choice((1, 1, 2)))
        for what in chosen:
            move(ward, dice, what, dice.choice(list(KINDS)))
            time.sleep(dice.choice((0.0, dice.uniform(0, 0.3))))
        ward.calm(f"cycle {number} of seed {seed}: {', '.join(chosen)}")
    seconds = time.monotonic() - begin
    ward.node.run(["pcs", "resource", "disable", *KINDS, "--wait=30"], timeout=60)
    left = ward.node.run(["pgrep", "-a", "-f", "sleep 3600|run/chaos/service"], check=False).stdout
    ward.last("", "")
    night = Night(KINDS)
    night.read(ward.events)
    count, violations, delays = night.close()
    with capsys.disabled():
        print("\n" + figures(seed, count, seconds, delays), file=sys.stderr)
    assert not violations, "\n".join([*violations, *map(str, sorted(ward.events)[-200:])])
    assert not left
    assert count["deaths"] > CYCLES / 4


def figures(seed: int, count: dict[str, int], seconds: float, delays: list[float]) -> str:
    """Return the figures, for people."""
    told = " ".join(f"{count.get(f'by {how}', 0)} by {how}" for how in ("injection", "monitor", "start"))
    wrong = " ".join(f"{kind}: {count.get(kind, 0)}" for kind in VIOLATIONS)
    late = f"p50 {median(delays) * 1000:.0f} ms, max {max(delays):.1f} s" if delays else "none"
    return (
        f"chaos on Pacemaker, seed {seed}: {CYCLES} cycles in {seconds:.0f} s: {count['births']} births, "
        f"{count['deaths']} deaths, told {told}; death to report {late}; crossed: {count.get('crossed', 0)}; {wrong}"
    )
