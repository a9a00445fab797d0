"""
The hub of a lab: holds the switch and the nodes, and ends them when its stdin ends.

It says one JSON line on stdout: {"nodes": {NAME: PID}} when all daemons are started, or {"error": TEXT}.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import traceback
from dataclasses import dataclass
from typing import NoReturn

from . import groups, kernel
from .boot import boot, reap
from .plan import DISK, ENVIRONMENT, HUB_ADDRESS, Member, Plan, create


@dataclass(frozen=True)
class Running:
    """One node as the hub sees it."""

    member: Member
    stub: int
    init: int
    wire: socket.socket


def main(text: str, parent: int) -> None:
    """Run a lab for as long as the parent lives; parent 0 means that only stdin tells."""
    plan = Plan.from_json(text)
    nodes: list[Running] = []
    try:
        _live(plan, nodes, parent)
    finally:
        _tear_down(plan, nodes)


def _live(plan: Plan, nodes: list[Running], parent: int) -> None:
    """Return or exit when the lab shall end, with SIGTERM ignored from then on."""
    try:
        signal.signal(signal.SIGTERM, _leave)
        if parent:
            kernel.signal_at_parent_death(signal.SIGTERM)
        if parent not in (0, os.getppid()):
            return
        kernel.unshare(kernel.NEW_NET)
        _bring_up(plan, nodes)
        _say({"nodes": {node.member.name: node.init for node in nodes}})
        sys.stdin.read()
    except Exception:  # noqa: BLE001 - the holder of the lab raises it again
        _say({"error": traceback.format_exc()})
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _leave(_number: int, _frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit()


def _say(message: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def _bring_up(plan: Plan, nodes: list[Running]) -> None:
    _ip(f"link set lo up\nlink add br0 type bridge\naddr add {HUB_ADDRESS}/24 dev br0\nlink set br0 up\n")
    for member in plan.members:
        _lay_out(member)
        nodes.append(_fork_node(plan, member))
    for node in nodes:
        port = f"sw{node.member.number}"
        _ip(f"link add {port} type veth peer name eth0 netns {node.init}\nlink set {port} master br0 up\n")
        node.wire.sendall(b"go\n")
    for node in nodes:
        answer = node.wire.makefile().read()
        if answer != "ready\n":
            raise RuntimeError(f"{node.member.name} did not boot: {answer or 'it was killed'}")


def _ip(commands: str) -> None:
    subprocess.run(["ip", "-batch", "-"], input=commands, check=True, text=True, env=ENVIRONMENT)


def _lay_out(member: Member) -> None:
    member.memory.mkdir(parents=True)
    for directory in DISK:
        create(directory, member.disk)


def _fork_node(plan: Plan, member: Member) -> Running:
    ours, theirs = socket.socketpair()
    stub = os.fork()
    if stub == 0:
        ours.close()
        _never_return(plan, member, theirs)
    theirs.close()
    init = int(ours.recv(32) or b"0")
    if not init:
        raise RuntimeError(f"{member.name}: no namespaces, see the hub's stderr")
    return Running(member, stub, init, ours)


def _never_return(plan: Plan, member: Member, wire: socket.socket) -> NoReturn:
    """Run the stub and, in its child, the node; no exception may reach the hub's code above the fork."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        kernel.signal_at_parent_death(signal.SIGKILL)
        grouped = groups.enter(plan.state.name, member.name)  # first: where we are becomes the namespace's root
        kernel.unshare(kernel.NEW_MOUNT | kernel.NEW_UTS | kernel.NEW_IPC | kernel.NEW_NET | kernel.NEW_PID)
        if grouped:
            kernel.unshare(kernel.NEW_CGROUP)
        init = os.fork()
        if init == 0:
            kernel.signal_at_parent_death(signal.SIGKILL)
            _run_node(plan, member, wire, grouped=grouped)
        wire.sendall(str(init).encode())
        wire.close()
        os.waitpid(init, 0)  # returns when every process of the node is gone
    except BaseException:  # noqa: BLE001 - a fork must not return into its parent's code
        traceback.print_exc()
    finally:
        os._exit(0)


def _run_node(plan: Plan, member: Member, wire: socket.socket, *, grouped: bool) -> NoReturn:
    # "go" comes from the hub after it heard of us: whoever of hub and stub died before, we read the end.
    if wire.recv(8) != b"go\n":
        os._exit(1)
    try:
        boot(plan, member, grouped=grouped)
        wire.sendall(b"ready\n")
    except BaseException:  # noqa: BLE001 - the hub raises it again
        wire.sendall(traceback.format_exc().encode())
        os._exit(1)
    wire.close()
    reap()


def _tear_down(plan: Plan, nodes: list[Running]) -> None:
    for node in nodes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(node.init, signal.SIGKILL)
    for node in nodes:
        os.waitpid(node.stub, 0)
    groups.remove(plan.state.name)
    shutil.rmtree(plan.state, ignore_errors=True)
