"""docs/driver.md on a real Pacemaker: a driver of somebody else's, and a failure that it is told of."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import peers
import pytest
from lab import Lab, Node

from tocsin_ocf import fold

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
EXAMPLE = EXAMPLES / "appliance.py"
AGENT = "usr/lib/ocf/resource.d/example/job"
SITE = "usr/local/lib/python3.11/dist-packages"
POINTS = "[tocsin.drivers]\nappliance = appliance:ApplianceDriver\n"
METADATA = "Metadata-Version: 2.1\nName: appliance-tocsin\nVersion: 1.0\n"
PORT = 7070
APPLIANCE = """\
import json, socketserver, sys

jobs, watchers = {}, set()

class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            word, _, name = line.decode().strip().partition(" ")
            if word == "break":
                name, _, why = name.partition(" ")
                jobs.pop(name)
                for other in list(watchers):
                    other.write(f"failed {why}\\r\\n".encode())
            elif word == "jobs":
                self.wfile.write(json.dumps(jobs).encode() + b"\\n")
            else:
                watchers.add(self.wfile)
                self.wfile.write(f"{self.obey(word, name)}\\r\\n".encode())

    def obey(self, word, name):
        if word == "start":
            jobs.setdefault(name, "unpromoted")
        if word == "stop":
            jobs.pop(name, None)
            return "stopped"
        if word in ("promoted", "unpromoted"):
            jobs[name] = word
            return word
        return "up" if name in jobs else "failed it is gone"

    def finish(self):
        watchers.discard(self.wfile)

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

Server(("127.0.0.1", int(sys.argv[1])), Talk).serve_forever()
"""
ASK = """\
import socket, sys
talk = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
talk.sendall((" ".join(sys.argv[2:]) + "\\r\\n").encode())
talk.shutdown(socket.SHUT_WR)
print(talk.makefile().read())
"""
HOME = peers.HOME
DAEMON = "*/usr/bin/tocsind *"
"""It stays for the next resource."""
DEFINITION = f"driver: appliance\nsettings: {{port: {PORT}}}\npromotion_score: 42\n"


@pytest.fixture(scope="module")
def lab_overlay(installed: Path) -> Callable[[Path], None]:
    """Run the working tree, with the tutorial's package installed as pip does it, for this module alone."""

    def fill(root: Path) -> None:
        shutil.copytree(installed, root, symlinks=True, dirs_exist_ok=True)
        info = root / SITE / "appliance_tocsin-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(METADATA)
        (info / "entry_points.txt").write_text(POINTS)
        shutil.copy(EXAMPLE, root / SITE)
        fold.write(root / AGENT, fold.fold(EXAMPLES / "job", [fold.LIBRARY]))

    return fill


@pytest.fixture
def config(lab: Lab, node: Node) -> str:
    """Have an appliance, and a definition that names it."""
    server = peers.put(node, "server.py", APPLIANCE)
    peers.put(node, "ask.py", ASK)
    node.popen(["/usr/bin/python3", server, str(PORT)])
    lab.wait(lambda: jobs(node) == {}, what="the appliance to answer")
    return peers.put(node, "job.yaml", DEFINITION)


def ask(node: Node, *words: str) -> str:
    """Say something to the appliance."""
    return node.run(["/usr/bin/python3", f"{HOME}/ask.py", str(PORT), *words], check=False).stdout


def jobs(node: Node) -> dict[str, str] | None:
    """Return the appliance's jobs and their roles."""
    said = ask(node, "jobs").strip()
    found: dict[str, str] | None = json.loads(said) if said else None
    return found


def test_the_example_is_as_long_as_the_tutorial_says() -> None:
    """60 lines."""
    assert len(EXAMPLE.read_text().splitlines()) <= 60


def test_an_agent_of_its_own_passes_the_conformance_run(node: Node, config: str) -> None:
    """Every rule, with a job that fails on the appliance in between; what stays is the daemon's own."""
    kill = f"/usr/bin/python3 {HOME}/ask.py {PORT} break tocsin-test paper jam"
    words = ["--host", "--run", "-o", f"port={PORT}", "--kill", kill, "--keep", DAEMON, f"/{AGENT}"]
    done = node.run(["tocsin", "test-agent", *words], timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_agent_of_its_own_is_told_at_once(lab: Lab, node: Node, config: str) -> None:
    """Typed parameters, the driver's pushed failure, a report to Pacemaker long before the monitor of a minute."""
    with peers.running(lab, node, "print", f"port={PORT}", agent="ocf:example:job") as before:
        begun = time.monotonic()
        ask(node, "break", "print", "paper", "jam")
        peers.recovered(lab, node, "print", before)
        print(f"\nfailure on the appliance until recovered: {time.monotonic() - begun:.2f} s")
        assert "paper jam" in json.dumps(peers.explain(node, "print"))
        assert "print_asyncmon_0" in node.run(["crm_mon", "-1", "--output-as=xml"]).stdout
    assert jobs(node) == {}


def test_a_job_elsewhere_is_started_watched_and_stopped(lab: Lab, node: Node, config: str) -> None:
    """Its failure is pushed, reported and recovered long before the monitor of a minute; a new daemon takes it up."""
    with peers.running(lab, node, "job", f"config={config}") as before:
        assert jobs(node) == {"job": "unpromoted"}
        begun = time.monotonic()
        ask(node, "break", "job", "paper", "jam")
        after = peers.recovered(lab, node, "job", before)
        took = time.monotonic() - begun
        told = peers.explain(node, "job")
        print(f"\nfailure on the appliance until recovered: {took:.2f} s")
        assert jobs(node) == {"job": "unpromoted"} and took < 30
        assert "paper jam" in json.dumps(told)
        assert "job_asyncmon_0" in node.run(["crm_mon", "-1", "--output-as=xml"]).stdout

        node.run(["pkill", "-TERM", "-f", "tocsind"], check=False)
        time.sleep(1)
        node.run(["crm_resource", "--force-check", "-r", "job"], check=False)  # the next contact starts another
        lab.wait(lambda: peers.row(node, "job")["phase"] == "running", what="the next daemon")
        ask(node, "break", "job", "toner")
        peers.recovered(lab, node, "job", after)
        assert "toner" in json.dumps(peers.explain(node, "job"))
    assert jobs(node) == {}


def test_a_job_elsewhere_is_promoted_by_its_driver(lab: Lab, node: Node, config: str) -> None:
    """No command is in the definition; the score comes with it."""
    words = ["op", "monitor", "interval=60s", "op", "monitor", "interval=59s", "role=Promoted", "promotable"]
    node.run(["pcs", "resource", "create", "twin", "ocf:tocsin:service", f"config={config}", *words], timeout=60)
    try:
        lab.wait(lambda: jobs(node) == {"twin": "promoted"}, timeout=45, what="a promotion")
        lab.wait(lambda: node.is_active("twin", "Promoted"), timeout=45, what="crm_mon to know")
        scores = node.run(["crm_attribute", "--query", "--promotion=twin", "--lifetime=reboot"]).stdout
        assert re.search(r"value=42$", scores.strip())
        node.run(["pcs", "resource", "meta", "twin-clone", "promoted-max=0"])
        lab.wait(lambda: jobs(node) == {"twin": "unpromoted"}, timeout=45, what="a demotion")
    finally:
        node.run(["pcs", "resource", "delete", "--force", "twin"], timeout=60, check=False)
        lab.wait(lambda: jobs(node) == {}, timeout=45, what="the job to be gone")
