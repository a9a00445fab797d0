"""
Requests executed in a node of the lab; every XML reply is held against the schemas that Pacemaker ships.

With TOCSIN_RECORD=DIRECTORY each named reply is written there, as tests/ocf/recorded/pacemaker-VERSION keeps them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from lab import Node

from tests.fakes.replies import against_schema
from tocsin_ocf.pacemaker import Command, Fault, Reply, Request, Runner
from tocsin_ocf.pacemaker.document import RESULT

ENTRY = ("--mount", "--uts", "--ipc", "--net", "--pid", "--")
KNOWN_DEVIATIONS = {
    "crmadmin --nodes": 'type="cluster", where the schema has "member"',
    "crm_resource --restart": "a list of the steps that are left, where the schema has only the status",
}
"""Replies of 2.1.5 that its own schema does not allow; tests/ocf/test_pacemaker_requests.py shows that they are."""

_T = TypeVar("_T")


class NodeRunner(Runner):
    """Executes requests in a node, and keeps the last reply."""

    def __init__(self, node: Node) -> None:
        """Enter this node's namespaces for each."""
        super().__init__()
        self._node = node
        self.replies: list[Reply] = []

    def run(self, command: Command) -> Reply:
        """Execute a command in the node."""
        entry = ("/usr/bin/nsenter", f"--target={self._node.init}", *ENTRY)
        reply = super().run(Command((*entry, *command.argv), command.timeout, command.stdin))
        assert not invalid(command, reply), invalid(command, reply)
        self.replies.append(reply)
        return reply

    def case(self, name: str, request: Request[_T]) -> _T:
        """Execute a request whose reply is worth keeping."""
        try:
            return self.ask(request)
        finally:
            record(name, request, self.replies[-1])

    def fault(self, name: str, request: Request[object]) -> Fault:
        """Execute a request that fails, and return how."""
        try:
            answer = self.case(name, request)
        except Fault as fault:
            return fault
        raise AssertionError(f"{request} did not fail: {answer!r}")


class LonelyRunner(Runner):
    """Executes requests where no cluster is, whatever runs on this machine."""

    def run(self, command: Command) -> Reply:
        """Execute a command in a network namespace of its own, for the tools find the daemons by abstract sockets."""
        reply = super().run(Command(("/usr/bin/unshare", "--net", "--", *command.argv), command.timeout, command.stdin))
        assert not invalid(command, reply), invalid(command, reply)
        return reply


def invalid(command: Command, reply: Reply) -> str:
    """Say what the shipped schema has against a reply; "" for nothing, or no XML of this kind."""
    if RESULT not in reply.stdout or " ".join((command.tool, *command.argv[2:3])) in KNOWN_DEVIATIONS:
        return ""
    return against_schema(reply.stdout[reply.stdout.index(RESULT) :])


def record(name: str, request: Command, reply: Reply) -> None:
    """Write a reply to a file, if that was asked for."""
    directory = os.environ.get("TOCSIN_RECORD")
    if not directory:
        return
    head = ["# Pacemaker 2.1.5, Debian 12: recorded by tests/cluster/test_pacemaker_api.py", f"$ {request}"]
    head += [f"= {reply.code}", *(f"! {line}" for line in reply.stderr.splitlines())]
    Path(directory, f"{name}.reply").write_text("\n".join(head) + f"\n{reply.stdout}")
