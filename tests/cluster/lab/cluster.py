"""The lab as its user sees it: up, wait, accidents, down."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar
from xml.etree import ElementTree

from . import groups, holder, packages, requirements, state
from .configuration import FENCE_DEVICE
from .faults import CommandFailed, LabError, where
from .node import Node
from .plan import Plan

_T = TypeVar("_T")
_PAUSE = 0.05
# What asking a node comes to when it is killed or frozen meanwhile.
_CUT_OFF = (CommandFailed, LabError, ElementTree.ParseError, subprocess.TimeoutExpired)


class Lab:
    """One private cluster; nothing of it exists before `up` and after `down`."""

    missing = staticmethod(requirements.missing)
    missing_for_remotes = staticmethod(packages.REMOTED.missing)
    missing_for_clocks = staticmethod(packages.CLOCK.missing)

    def __init__(
        self,
        nodes: int = 1,
        overlay: requirements.Overlay | str | None = None,
        timeout: float = 60,
        *,
        fencing: bool = False,
        remotes: int = 0,
        clocks: bool = False,
    ) -> None:
        """
        Plan nodes that see overlay/{usr,etc,var} merged over the machine's; `timeout` in seconds is for `up`.

        An overlay that is a function fills a directory of the lab, which goes with it.
        With fencing the cluster may, and will, cut the power of a node, which boots again by itself. The remotes
        r1, r2 ... run pacemaker-remoted and are resources of the cluster from the start.
        With `clocks` Node.set_clock works.
        """
        self._count = nodes
        self._overlay = requirements.checked_overlay(Path(overlay)) if isinstance(overlay, (str, Path)) else overlay
        self._timeout = timeout
        self._fencing = fencing
        self._remotes = remotes
        self._clocks = clocks
        self._descriptor = -1
        self._hub: subprocess.Popen[str] | None = None
        self._plan: Plan | None = None
        self.state: Path | None = None
        self.nodes: list[Node] = []
        self.remotes: list[Node] = []

    def __enter__(self) -> Lab:
        """Bring the lab up."""
        return self.up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the lab down, whatever happened."""
        self.down()

    def up(self) -> Lab:
        """Return when all nodes are online, one is DC, it can fence if it shall, and it has nothing to do."""
        state.sweep()
        groups.sweep()
        try:
            self.state, self._descriptor = state.make()
            borrowed = packages.borrow(remotes=bool(self._remotes), clocks=self._clocks)
            overlay = requirements.filled_overlay(self._overlay, self.state / "overlay")
            self._follow(Plan(self.state, self._count, overlay, self._fencing, self._remotes, self._clocks, borrowed))
            assert self._plan is not None
            self._hub = holder.start(self._plan, self._descriptor, self._timeout)
            self._wait_for_cluster()
        except BaseException:
            self.down()
            raise
        return self

    def keep(self, name: str) -> None:
        """Let the lab outlive this process, under a name by which `kept.find` finds it; then let go of it."""
        assert self._plan is not None, "the lab is not up"
        assert self._hub is not None
        self._order(do="keep", name=name)
        for stream in (self._hub.stdin, self._hub.stdout):
            assert stream is not None
            stream.close()
        os.close(self._descriptor)
        self._hub.returncode = 0  # it goes on, and is nobody's to wait for
        self._hub, self.state, self._plan = None, None, None
        self.nodes, self.remotes = [], []

    def down(self) -> None:
        """End every process of the lab and remove its directory; harmless when there is none."""
        if self._hub is not None:
            holder.end(self._hub)
            self._hub = None
        for node in self._every:
            node.bury()
        self.nodes, self.remotes = [], []
        if self.state is not None:  # the hub has removed it, unless it was killed
            groups.remove(self.state.name, patience=5)
            shutil.rmtree(self.state, ignore_errors=True)
            os.close(self._descriptor)
            self.state = None

    def node(self, name: str) -> Node:
        """Return the node of that name."""
        found = [node for node in self._every if node.name == name]
        if not found:
            raise LabError(f"no such node: {name}; there are {' '.join(node.name for node in self._every)}")
        return found[0]

    def partition(self, *names: str) -> None:
        """Plug these nodes into the other side of the switch and all others into this one, until `heal`."""
        self._order(do="partition", nodes=names)

    def heal(self) -> None:
        """Let all nodes hear each other again."""
        self._order(do="partition", nodes=[])

    def fence_mode(self, node: str | Node, mode: str) -> None:
        """Have the power switch obey ("ok"), refuse ("fail") or ignore ("hang") orders for a node."""
        name = node.name if isinstance(node, Node) else node
        self._order(do="fence_mode", node=name, mode=mode)

    def fencings(self, node: str | Node) -> list[str]:
        """Return what was asked of the power switch for a node so far, as "SECONDS ASKER: reboot NODE: ANSWER"."""
        assert self._plan is not None, "the lab is not up"
        name = node.name if isinstance(node, Node) else node
        orders = re.compile(rf": (reboot|off|on) {name}: ")
        return [line for line in self._plan.hub_log.read_text().splitlines() if orders.search(line)]

    def mend(self, timeout: float = 120) -> None:
        """Undo every accident: all nodes thawed, powered, connected, fenceable, and online."""
        self.heal()
        for node in self._every:
            self.fence_mode(node, "ok")
            if node.is_frozen():
                node.thaw()
            node.boot()
            node.start_cluster()
        self.wait_online(timeout=timeout)

    def wait(self, predicate: Callable[[], _T | None], timeout: float = 30, what: str = "") -> _T:
        """
        Ask the predicate until it answers with something true, and return that.

        Between two questions it pauses for as long as one takes: what is asked starts programs, and the machine is
        there for what is waited for.
        """
        deadline = time.monotonic() + timeout
        while True:
            asked = time.monotonic()
            answer = predicate()
            if answer:
                return answer
            self._check_running()
            answered = time.monotonic()
            if answered > deadline:
                wanted = what or predicate.__doc__ or where(predicate)
                raise TimeoutError(f"waited {timeout:g} s in vain for: {wanted} (last answer: {answer!r})")
            time.sleep(max(_PAUSE, answered - asked))

    def wait_online(self, *names: str, timeout: float = 90) -> None:
        """Wait until these nodes (none: all) see each other online, have a DC, and it has nothing to do."""
        wanted = names or tuple(node.name for node in self._every)
        self.wait(lambda: self._are_online(wanted), timeout, f"{' '.join(wanted)} online and an idle DC")

    def dc(self, timeout: float = 60) -> Node:
        """Return the designated controller, once a node that can be asked knows it."""
        return self.wait(self._controller, timeout, "a DC")

    def save_logs(self, directory: Path) -> Path:
        """Copy every node's logs and CIB, dead ones' too, to a new directory that outlives the lab."""
        for node in self._every:
            node.save_logs(directory / node.name)
        if self._plan is not None and self._plan.hub_log.exists():
            shutil.copy(self._plan.hub_log, directory)
        return directory

    @property
    def hub(self) -> int:
        """The pid of the hub, whose network namespace is the switch."""
        assert self._hub is not None, "the lab is not up"
        return self._hub.pid

    @property
    def _every(self) -> list[Node]:
        return [*self.nodes, *self.remotes]

    def _follow(self, plan: Plan) -> None:
        self._plan, self.state = plan, plan.state
        every = [Node(member, plan) for member in plan.members]
        self.nodes = [node for node in every if not node.is_remote]
        self.remotes = [node for node in every if node.is_remote]

    def _order(self, **what: object) -> None:
        assert self._plan is not None, "the lab is not up"
        holder.order(self._plan, **what)

    def _controller(self) -> Node | None:
        for node in self.nodes:
            if node.is_running() and not node.is_frozen():
                with contextlib.suppress(*_CUT_OFF):
                    controller = node.crm_mon().find("summary/current_dc[@present='true']")
                    if controller is not None and self.node(controller.attrib["name"]).is_running():
                        return self.node(controller.attrib["name"])
        return None

    def _wait_for_cluster(self) -> None:
        try:
            self.wait(self._is_formed, self._timeout, f"{self._count} nodes online and an idle DC")
        except TimeoutError as error:
            raise LabError("\n".join([str(error), *(node.last_words() for node in self._every)])) from None

    def _is_formed(self) -> bool:
        online = self._are_online([node.name for node in self._every])
        return online and (not self._fencing or any(node.is_active(FENCE_DEVICE) for node in self.nodes))

    def _are_online(self, names: Sequence[str]) -> bool:
        wanted = [self.node(name) for name in names]
        if not all(node.is_running() for node in wanted):
            return False
        try:
            return wanted[0].sees_online(names)
        except _CUT_OFF:
            return False

    def _check_running(self) -> None:
        gone = [node.name for node in self._every if node.is_lost()]
        if gone or not self._hub_runs():
            raise LabError(f"the lab ended while it was needed ({' '.join(gone) or 'hub'})")

    def _hub_runs(self) -> bool:
        return self._hub is not None and self._hub.poll() is None
