"""The holder's end of the hub: starts it, gives it orders, ends it."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path

from .faults import LabError
from .plan import ENVIRONMENT, Plan

_ORDER_TIMEOUT = 120.0
_PACKAGE = Path(__file__).resolve().parent
_HUB = """import sys
sys.path.insert(0, sys.argv[1])
from {}.hub import main
main(sys.argv[2], int(sys.argv[3]))"""


def start(plan: Plan, descriptor: int, timeout: float) -> subprocess.Popen[str]:
    """Start a hub that inherits the descriptor, and return when its nodes have booted; LabError says why not."""
    # The death signal follows the forking thread, so only the main thread's lab may rely on it.
    parent = os.getpid() if threading.current_thread() is threading.main_thread() else 0
    code = _HUB.format(_PACKAGE.name)
    with plan.hub_log.open("ab") as log:
        hub = subprocess.Popen(
            [sys.executable, "-ISB", "-c", code, str(_PACKAGE.parent), plan.to_json(), str(parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=[descriptor],
            env=ENVIRONMENT,
            cwd="/",
            text=True,
            start_new_session=True,  # Ctrl-C is for the caller; the hub then ends by its stdin, in order
        )
    try:
        _await_ready(hub, timeout)
    except BaseException:
        end(hub)
        raise
    return hub


def _await_ready(hub: subprocess.Popen[str], timeout: float) -> None:
    assert hub.stdout is not None
    if not select.select([hub.stdout], [], [], timeout)[0]:
        raise LabError(f"the hub said nothing for {timeout:g} s")
    message = json.loads(hub.stdout.readline() or '{"error": "the hub ended without a word"}')
    if "error" in message:
        raise LabError(message["error"])


def end(hub: subprocess.Popen[str]) -> None:
    """Have the hub end the lab, and wait for that."""
    assert hub.stdin is not None
    assert hub.stdout is not None
    hub.stdin.close()
    try:
        hub.wait(10)
    except subprocess.TimeoutExpired:
        hub.kill()
        hub.wait()
    hub.stdout.close()


def order(plan: Plan, **what: object) -> None:
    """Have the hub do something, and return when it is done; LabError says why not."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(_ORDER_TIMEOUT)
        try:
            wire.connect(str(plan.hub))
            wire.sendall(json.dumps(what).encode() + b"\n")
            answer = json.loads(wire.makefile().readline() or '{"error": "the hub has gone"}')
        except OSError as fault:
            raise LabError(f"{what}: the hub does not answer: {fault}") from None
    if "error" in answer:
        raise LabError(f"{what}: {answer['error']}")
