"""The Redis pair of packaging/examples on a real cluster, as its README sets it up, and programs beside it."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kills
import peers
from lab import Lab, Node

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "packaging/examples/redis-replication"
NAME = "redis"
PORT = 6379


def commands(begin: str) -> list[list[str]]:
    """Return the commands of the README that begin so, as their words."""
    text = (EXAMPLE / "README.md").read_text().replace("\\\n", " ")
    found = [shlex.split(line) for line in text.splitlines() if line.startswith(f"    {begin}")]
    assert found, f"the README has no {begin!r}"
    return found


class Beside:
    """A program of ours in the hub's network, where a client is: no node's accident touches it."""

    def __init__(self, lab: Lab, program: str) -> None:
        """Start it."""
        addresses = [node.address for node in lab.nodes]
        argv = [sys.executable, "-sB", str(HERE / program), str(PORT), *addresses]
        entry = ["nsenter", f"--target={lab.hub}", "--net", "--"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([*entry, *argv], stdin=pipe, stdout=pipe, text=True, start_new_session=True)
        assert self.process.stdin is not None and self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout

    def await_up(self) -> None:
        """Return when it is up."""
        said = self._stdout.readline()
        assert said == "up\n", f"{self.process.args!r} said {said!r}"

    def ask(self) -> dict[str, int]:
        """Return how far it is."""
        self._stdin.write("\n")
        self._stdin.flush()
        told: dict[str, int] = json.loads(self._stdout.readline())
        return told

    def end(self) -> dict[str, Any]:
        """End it, and return what it has seen."""
        out, _ = self.process.communicate(timeout=30)
        told: dict[str, Any] = json.loads(out.splitlines()[-1])
        return told


@contextmanager
def beside(lab: Lab, program: str) -> Iterator[Beside]:
    """Run a program beside the cluster, which is up when this begins, and leave nothing of it."""
    one = Beside(lab, program)
    try:
        one.await_up()
        yield one
    finally:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        for stream in (one.process.stdin, one.process.stdout):
            if stream:
                stream.close()


class Pair:
    """The pair, seen from outside."""

    def __init__(self, lab: Lab) -> None:
        """Look at the first two nodes."""
        self._lab = lab
        self.nodes = lab.nodes[:2]
        self._before = (0, 0)

    def ask(self, node: Node, *words: str) -> str:
        """Return what a server answers, "" where it does not."""
        return node.run(["timeout", "5", "redis-cli", *words], check=False).stdout

    def info(self, node: Node) -> dict[str, str]:
        """Return the server's own view of its replication."""
        lines = self.ask(node, "info", "replication").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def promoted(self) -> Node | None:
        """Return who says it is promoted."""
        return next((node for node in self.nodes if self.info(node).get("role") == "master"), None)

    def settled(self) -> tuple[Node, Node] | None:
        """Return the promoted one and its replica, when that is in sync and the cluster knows both."""
        promoted = self.promoted()
        replica = next((n for n in self.nodes if self.info(n).get("master_link_status") == "up"), None)
        if not promoted or not replica or self.info(replica)["master_host"] != promoted.name:
            return None
        roles = [one.get("role") for one in promoted.crm_mon().findall(f".//resource[@id='{NAME}']")]
        known = sorted(map(str, roles)) == ["Promoted", "Unpromoted"] and self.score(replica) == "500"
        return (promoted, replica) if known else None

    def score(self, node: Node) -> str:
        """Return the promotion score that the cluster knows of a node, "" for none."""
        path = f"node_attributes/node[@name='{node.name}']/attribute[@name='master-{NAME}']"
        found = node.crm_mon().find(path)
        return "" if found is None else found.get("value", "")

    def wait(self, timeout: float = 60) -> tuple[Node, Node]:
        """Wait until the old one is back in sync: so does an operator between two accidents."""
        return self._lab.wait(self.settled, timeout=timeout, what="one promoted, and the other in sync")

    def begin(self) -> tuple[Node, Node]:
        """Wait until it is well, and count deaths from now on."""
        found = self.wait()
        self._before = (0, 0)
        self._before = self.deaths()
        return found

    def kill(self, *nodes: Node) -> None:
        """Kill the servers of these nodes with -9."""
        for node in nodes:
            node.run(["kill", "-9", str(kills.status(node, NAME)["pid"])])

    def deaths(self) -> tuple[int, int]:
        """Return how many failures of the pair the daemons have seen, and how many Pacemaker was told of."""
        seen = sum(peers.row(node, NAME)["incidents"] for node in self.nodes)
        told = sum(kills.injections(node, NAME) for node in self.nodes)
        return seen - self._before[0], told - self._before[1]

    def wait_for_deaths(self, number: int) -> None:
        """Wait until so many have been seen and told: then what is looked at is what followed."""
        self._lab.wait(lambda: self.deaths() == (number, number), what=f"{number} deaths, each told once")

    def missing(self, node: Node, prefix: str, numbers: Sequence[int]) -> list[int]:
        """Return the writes of a client that this server does not have."""
        words = "".join(f"GET {prefix}{number}\n" for number in numbers)
        got = node.run(["redis-cli"], input=words, timeout=60).stdout.split("\n")
        return [number for number, value in zip(numbers, got) if value != str(number)]


def fill(installed: Path, root: Path) -> None:
    """Make a tree of the working tree and the example, and of the example in memory only: volatile.yaml."""
    shutil.copytree(installed, root, symlinks=True, dirs_exist_ok=True)
    place = root / "etc/tocsin"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(EXAMPLE / "redis-role", place)
    shutil.copy(EXAMPLE / "redis.yaml", place)
    text = (EXAMPLE / "redis.yaml").read_text()
    assert text.count("--appendonly yes") == 1
    (place / "volatile.yaml").write_text(text.replace("--appendonly yes", "--appendonly no"))


@contextmanager
def running(lab: Lab, *more: str) -> Iterator[Pair]:
    """Run the pair as the README says, but for these parameters and meta attributes, and leave nothing of it."""
    (argv,) = commands("pcs resource create redis ")
    changed = {word.split("=")[0]: word for word in more}
    node = lab.nodes[0]
    node.run([changed.get(word.split("=")[0], word) for word in argv], timeout=60)
    try:
        yield Pair(lab)
    finally:
        lab.mend()
        for name in ("redis-ip", "redis-clone"):
            node.run(["pcs", "resource", "delete", "--force", name], timeout=90, check=False)
