"""One node as processes: a stub that owns its namespaces, and its child, pid 1 of the node."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import traceback
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from . import groups, kernel
from .boot import run
from .plan import Member, Plan

REBOOTED = 10
POWERED_OFF = 11
# What reboot(2) in a PID namespace does to its pid 1, see reboot(2).
_ENDS = {signal.SIGHUP: REBOOTED, signal.SIGINT: POWERED_OFF}


@dataclass(frozen=True)
class Machine:
    """A node that is on: the stub is a child of this process, which talks with pid 1 through the wire."""

    member: Member
    stub: int
    init: int
    wire: socket.socket

    def kill(self, group: Path | None) -> None:
        """SIGKILL everything in it, frozen or not, and return when nothing of it is left."""
        if group is not None:
            with contextlib.suppress(OSError):  # Linux 5.14
                (group / "cgroup.kill").write_text("1")
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.init, signal.SIGKILL)
        if group is not None:
            with contextlib.suppress(OSError):  # whoever entered it from outside has to see its command's end
                (group / "cgroup.freeze").write_text("0")
        self.bury()

    def bury(self) -> int:
        """Wait for the end, and tell how it came: REBOOTED, POWERED_OFF or something else."""
        self.wire.close()
        return os.WEXITSTATUS(os.waitpid(self.stub, 0)[1])


def descriptors() -> frozenset[int]:
    """Return what this process has open."""
    return frozenset(int(name) for name in os.listdir("/proc/self/fd"))


def start(plan: Plan, member: Member, inherited: Collection[int]) -> Machine:
    """Fork the node, which then waits for its cable and a "go"; only the inherited descriptors stay open in it."""
    ours, theirs = socket.socketpair()
    stub = os.fork()
    if stub == 0:
        _never_return(plan, member, theirs, inherited)
    theirs.close()
    init = int(ours.recv(32) or b"0")
    if not init:
        ours.close()
        os.waitpid(stub, 0)
        raise RuntimeError(f"{member.name}: no namespaces, see {plan.hub_log}")
    return Machine(member, stub, init, ours)


def _never_return(plan: Plan, member: Member, wire: socket.socket, inherited: Collection[int]) -> NoReturn:
    """Run the stub and, in its child, the node; no exception may reach the hub's code above the fork."""
    try:
        _forget_the_hub({wire.fileno(), *inherited})
        kernel.signal_at_parent_death(signal.SIGKILL)
        kernel.unshare(kernel.NEW_MOUNT | kernel.NEW_UTS | kernel.NEW_IPC | kernel.NEW_NET | kernel.NEW_PID)
        init = os.fork()
        if init == 0:
            kernel.signal_at_parent_death(signal.SIGKILL)
            _run_node(plan, member, wire)
        wire.sendall(str(init).encode())
        wire.close()
        status = os.waitpid(init, 0)[1]  # returns when every process of the node is gone
        os._exit(_ENDS.get(signal.Signals(os.WTERMSIG(status)), 0) if os.WIFSIGNALED(status) else 0)
    except BaseException:  # noqa: BLE001 - a fork must not return into its parent's code
        traceback.print_exc()
    finally:
        os._exit(0)


def _forget_the_hub(mine: Collection[int]) -> None:
    gc.freeze()  # nothing of the hub's may be finalised here: it would close descriptors that are others' by now
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for descriptor in descriptors() - set(mine):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _run_node(plan: Plan, member: Member, wire: socket.socket) -> NoReturn:
    # "go" comes from the hub after it heard of us: whoever of hub and stub died before, we read the end.
    if wire.recv(8) != b"go\n":
        os._exit(1)
    try:
        # First: where we are becomes the namespace's root. The stub stays outside, for it must survive a freeze.
        grouped = groups.enter(plan.state.name, member.name)
        if grouped:
            kernel.unshare(kernel.NEW_CGROUP)
        run(plan, member, wire, grouped=grouped)
    except BaseException:  # noqa: BLE001 - the hub raises it again
        with contextlib.suppress(OSError):
            wire.sendall(traceback.format_exc().encode())
        os._exit(1)
