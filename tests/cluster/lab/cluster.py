"""The lab as its user sees it: up, wait, down."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from . import groups, state
from .node import Node
from .plan import ENVIRONMENT, Plan

_T = TypeVar("_T")
_PACKAGE = Path(__file__).resolve().parent
_HUB = """import sys
sys.path.insert(0, sys.argv[1])
from {}.hub import main
main(sys.argv[2], int(sys.argv[3]))"""
_COMMANDS = (
    "corosync",
    "pacemakerd",
    "cibadmin",
    "crm_mon",
    "crmadmin",
    "ip",
    "nsenter",
    "setpriv",
    "unshare",
)
# Everything that a node will do to the kernel, tried once in namespaces that end with the shell.
_PROBE = """set -e
mount -t tmpfs none /run; mkdir /run/l /run/m /run/u /run/w
mount -t overlay overlay -o lowerdir=/run/l,upperdir=/run/u,workdir=/run/w /run/m
mount -t proc proc /proc
ip link add br0 type bridge
ip link add veth0 type veth peer name veth1"""


class LabError(Exception):
    """The lab could not be brought up, or ended under its user."""


class Lab:
    """One private cluster; nothing of it exists before `up` and after `down`."""

    def __init__(self, nodes: int = 1, overlay: Path | str | None = None, timeout: float = 60) -> None:
        """Plan nodes that see overlay/{usr,etc,var} merged over the machine's; `timeout` is for `up`."""
        self._count = nodes
        self._overlay = None if overlay is None else _checked_overlay(Path(overlay))
        self._timeout = timeout
        self._descriptor = -1
        self._hub: subprocess.Popen[str] | None = None
        self.state: Path | None = None
        self.nodes: list[Node] = []

    @staticmethod
    def missing() -> list[str]:
        """Say why no lab can run here; empty if one can."""
        if not sys.platform.startswith("linux") or os.geteuid() != 0:
            return ["not root on Linux"]
        search = ENVIRONMENT["PATH"]
        faults = [f"{name} is not installed" for name in _COMMANDS if shutil.which(name, path=search) is None]
        return faults or _kernel_faults()

    def __enter__(self) -> Lab:
        """Bring the lab up."""
        return self.up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the lab down, whatever happened."""
        self.down()

    def up(self) -> Lab:
        """Return when all nodes are online, one is DC and the first transition is over."""
        state.sweep()
        groups.sweep()
        try:
            self._start_hub()
            self._wait_for_cluster()
        except BaseException:
            self.down()
            raise
        return self

    def down(self) -> None:
        """End every process of the lab and remove its directory; harmless when there is none."""
        if self._hub is not None:
            _end(self._hub)
            self._hub = None
        for node in self.nodes:
            node.bury()
        self.nodes = []
        if self.state is not None:  # the hub has removed it, unless it was killed
            groups.remove(self.state.name, patience=5)
            shutil.rmtree(self.state, ignore_errors=True)
            os.close(self._descriptor)
            self.state = None

    def wait(self, predicate: Callable[[], _T], timeout: float = 30, what: str = "") -> _T:
        """Ask the predicate until it answers with something true, and return that."""
        deadline = time.monotonic() + timeout
        while True:
            answer = predicate()
            if answer:
                return answer
            self._check_running()
            if time.monotonic() > deadline:
                wanted = what or predicate.__doc__ or _where(predicate)
                raise TimeoutError(f"waited {timeout:g} s in vain for: {wanted} (last answer: {answer!r})")
            time.sleep(0.05)

    def save_logs(self, directory: Path) -> Path:
        """Copy every node's logs and CIB to a new directory that outlives the lab."""
        for node in self.nodes:
            place = directory / node.name
            shutil.copytree(node.log_directory, place, dirs_exist_ok=True)
            shutil.copy(node.boot_log, place)
            with contextlib.suppress(OSError):
                shutil.copy(node.path("/var/lib/pacemaker/cib/cib.xml"), place)
        return directory

    @property
    def hub(self) -> int:
        """The pid of the hub, whose network namespace is the switch."""
        assert self._hub is not None, "the lab is not up"
        return self._hub.pid

    def _start_hub(self) -> None:
        self.state, self._descriptor = state.make()
        plan = Plan(self.state, self._count, self._overlay)
        # The death signal follows the forking thread, so only the main thread's lab may rely on it.
        parent = os.getpid() if threading.current_thread() is threading.main_thread() else 0
        code = _HUB.format(_PACKAGE.name)
        self._hub = subprocess.Popen(
            [sys.executable, "-ISB", "-c", code, str(_PACKAGE.parent), plan.to_json(), str(parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self._descriptor],
            env=ENVIRONMENT,
            cwd="/",
            text=True,
            start_new_session=True,  # Ctrl-C is for the caller; the hub then ends by its stdin, in order
        )
        pids = _answer(self._hub, self._timeout)
        found = {member: groups.of(self.state.name, member.name) for member in plan.members}
        self.nodes = [Node(member, pids[member.name], group) for member, group in found.items()]

    def _wait_for_cluster(self) -> None:
        try:
            self.wait(self._is_formed, self._timeout, f"{self._count} nodes online and an idle DC")
        except TimeoutError as error:
            raise LabError(f"{error}\n{self._last_words()}") from None

    def _is_formed(self) -> bool:
        status = self.nodes[0].crm_mon()
        online = status.findall("nodes/node[@online='true'][@pending='false']")
        controller = status.find("summary/current_dc[@present='true']")
        if len(online) != self._count or controller is None:
            return False
        # crm_mon shows nodes online before the first transition is over; crm_resource --wait sleeps for 2 s.
        asked = self.nodes[0].run(["crmadmin", "--status", controller.attrib["name"]], check=False)
        return "S_IDLE" in asked.stdout

    def _check_running(self) -> None:
        gone = [node.name for node in self.nodes if not node.is_running()]
        if gone or self._hub is None or self._hub.poll() is not None:
            raise LabError(f"the lab ended while it was needed ({' '.join(gone) or 'hub'})")

    def _last_words(self) -> str:
        logs = [log for node in self.nodes for log in (node.boot_log, node.pacemaker_log) if log.exists()]
        return "\n".join(
            f"--- {log}\n" + "\n".join(log.read_text("utf-8", "replace").splitlines()[-15:]) for log in logs
        )


def _kernel_faults() -> list[str]:
    flags = ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork"]
    probe = subprocess.run(
        ["unshare", *flags, "sh", "-c", _PROBE], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    return [] if probe.returncode == 0 else [f"no right or no support for namespaces: {probe.stderr.strip()}"]


def _checked_overlay(overlay: Path) -> Path:
    """Refuse a tree that would close the machine's directories: merged ones take the overlay's mode."""
    overlay = overlay.resolve(strict=True)
    directories = [Path(place) for name in ("usr", "etc", "var") for place, _, _ in os.walk(overlay / name)]
    closed = [str(place) for place in directories if place.stat().st_mode & 0o005 != 0o005]
    if not directories:
        raise ValueError(f"overlay {overlay} has no usr, etc or var")
    if closed:
        raise ValueError(f"overlay {overlay} has directories that are not open to all: {closed}")
    return overlay


def _answer(hub: subprocess.Popen[str], timeout: float) -> dict[str, int]:
    assert hub.stdout is not None
    if not select.select([hub.stdout], [], [], timeout)[0]:
        raise LabError(f"the hub said nothing for {timeout:g} s")
    message = json.loads(hub.stdout.readline() or '{"error": "the hub ended without a word"}')
    if "error" in message:
        raise LabError(message["error"])
    nodes: dict[str, int] = message["nodes"]
    return nodes


def _end(hub: subprocess.Popen[str]) -> None:
    assert hub.stdin is not None
    assert hub.stdout is not None
    hub.stdin.close()
    try:
        hub.wait(10)
    except subprocess.TimeoutExpired:
        hub.kill()
        hub.wait()
    hub.stdout.close()


def _where(predicate: Callable[[], object]) -> str:
    code = getattr(predicate, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(predicate)
