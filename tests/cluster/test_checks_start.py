"""A start ends when the service is ready, on a real Pacemaker: not before, not long after, and with a reason."""

from __future__ import annotations

from pathlib import Path

import peers
import pytest
from lab import Lab, Node
from peers import Web

SLOW = """\
import socket, sys, time

time.sleep(float(sys.argv[2]))
port = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    port.accept()[0].close()
"""
DIES = """\
import sys, time

print("reading the tables", flush=True)
time.sleep(0.5)
sys.exit("no such table: users")
"""
SPEAKS = """\
import os, socket, time

said = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
said.connect(os.environ["NOTIFY_SOCKET"])
said.send(b"STATUS=reading the tables")
time.sleep(1)
said.send(b"READY=1\\nSTATUS=serving")
time.sleep(600)
"""
TOOL = "/bin/sh -c '/bin/sleep 1; /usr/bin/systemd-notify --ready; exec /bin/sleep 1011'"
PYTHON = f"/usr/bin/python3 {peers.HOME}"


def refused(lab: Lab, node: Node, name: str, *words: str) -> tuple[float, str]:
    """Create a resource whose start fails; return how long that took, and the reason that crm_mon shows."""
    peers.create(node, name, *words)
    try:
        shown = lab.wait(lambda: peers.failure(node, name, "start"), timeout=45, what="the start to fail")
        lab.wait(lambda: peers.row(node, name)["phase"] == "stopped", what="the stop")
        assert shown["exitstatus"] == "error"
        assert node.run(["pgrep", "-f", peers.HOME + "/[a-z]*.py"], check=False).stdout == ""
        assert shown["exitreason"] in node.run(["tocsin", "status"]).stdout
        return float(shown["exec"]) / 1000, shown["exitreason"]
    finally:
        peers.remove(lab, node, name)


def test_a_start_takes_as_long_as_the_service(lab: Lab, node: Node) -> None:
    """Three seconds until it listens: not the tenth that a process is given, and not the timeout."""
    peers.put(node, "slow.py", SLOW)
    words = [f"command={PYTHON}/slow.py 7001 3", "check=tcp:127.0.0.1:7001"]
    with peers.running(lab, node, "slow", *words):
        took = peers.start_seconds(node, "slow")
    print(f"\nready after 3 s: start took {took:.2f} s")
    assert 3 <= took < 8


def test_a_service_that_dies_while_it_starts_fails_the_start_at_once(lab: Lab, node: Node) -> None:
    """With the last that it said."""
    peers.put(node, "dies.py", DIES)
    took, reason = refused(lab, node, "dies", f"command={PYTHON}/dies.py", "check=tcp:127.0.0.1:7002")
    print(f"\ndies after 0.5 s: start failed after {took:.2f} s")
    assert reason.endswith("exited with status 1: no such table: users")
    assert took < 10


def test_a_service_that_never_gets_ready_fails_the_start_in_its_time(lab: Lab, node: Node) -> None:
    """With the words of the check, before Pacemaker would have ended the agent."""
    peers.put(node, "slow.py", SLOW)
    words = [f"command={PYTHON}/slow.py 7003 600", "check=tcp:127.0.0.1:7003", "op start timeout=4s"]
    took, reason = refused(lab, node, "never", *words)
    print(f"\nnever ready, 4 s: start failed after {took:.2f} s")
    assert reason.endswith("check tcp:127.0.0.1:7003 has not passed yet: connection refused")
    assert took < 4


def test_a_start_with_a_bad_certificate_says_so(lab: Lab, node: Node, certificates: Path) -> None:
    """It answers, but anybody could."""
    Web(node, certificates).present("wrong")
    text = f"command: {peers.NGINX}\nchecks:\n  - http: https://127.0.0.1:8443/\n    ca: {peers.WEB}/ca.pem\n"
    config = peers.put(node, "secure.yaml", text)
    _, reason = refused(lab, node, "secure", f"config={config}", "op start timeout=3s")
    assert reason.endswith("has not passed yet: its certificate is not for 127.0.0.1")


@pytest.mark.parametrize("command", [f"{PYTHON}/speaks.py", TOOL], ids=["python", "systemd-notify"])
def test_a_service_may_say_itself_that_it_is_ready(lab: Lab, node: Node, command: str) -> None:
    """A second after its start, by its own word."""
    peers.put(node, "speaks.py", SPEAKS)
    config = peers.put(node, "speaks.yaml", f'command: "{command}"\nready: notify\n')
    with peers.running(lab, node, "speaks", f"config={config}"):
        took = peers.start_seconds(node, "speaks")
    print(f"\nREADY=1 after 1 s: start took {took:.2f} s")
    assert 1 <= took < 8
