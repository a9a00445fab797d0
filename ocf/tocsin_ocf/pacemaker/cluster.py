"""The cluster as one object: the way in for programs that may wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TypeVar

from tocsin_ocf.pacemaker import changes, crm_attribute, crm_mon, crm_node, crm_resource, crm_simulate
from tocsin_ocf.pacemaker.blocking import Runner, Runs
from tocsin_ocf.pacemaker.changes import Change
from tocsin_ocf.pacemaker.command import BIN, Command, Request
from tocsin_ocf.pacemaker.crm_simulate import Simulation, Verdict
from tocsin_ocf.pacemaker.managed_node import ManagedNodes
from tocsin_ocf.pacemaker.managed_resource import ManagedResource
from tocsin_ocf.pacemaker.settings import Means, Settings
from tocsin_ocf.pacemaker.values import ClusterStatus
from tocsin_ocf.pacemaker.version import Version, version

_T = TypeVar("_T")


class Pacemaker:
    """
    The cluster that this node belongs to, as root or hacluster.

    Nothing is kept between calls but the version. Whatever fails is a Fault, by name; what changes something returns
    the exact command, and with `dry_run=True` executes nothing. For all that has no method here:

        cluster.ask(crm_resource.digests("web", "n1"))
    """

    def __init__(self, runner: Runs | None = None, directory: str = BIN) -> None:
        """Take the tools from `directory`; `runner` executes them (by default on this node, waiting)."""
        self._means = Means(runner or Runner(), directory)

    def ask(self, request: Request[_T]) -> _T:
        """Execute any request and return its answer; Fault."""
        return self._means.ask(request)

    def do(self, request: Request[None], *, dry_run: bool = False) -> Command:
        """Execute any request that has no answer, and return the exact command; Fault."""
        return self._means.do(request, dry_run=dry_run)

    @cached_property
    def version(self) -> Version:
        """The installed version of Pacemaker; no cluster needs to run."""
        return self.ask(version())

    def this_node(self) -> str:
        """Return the name that the cluster has for this node."""
        return self.ask(crm_node.name(self.version))

    def status(self) -> ClusterStatus:
        """Return everything that `crm_mon` knows, as of now."""
        return self.ask(crm_mon.status(include=crm_mon.EVERYTHING))

    def resource(self, name: str) -> ManagedResource:
        """Return a resource to act upon; whether there is one turns out when it is used."""
        return ManagedResource(self._means, name)

    @property
    def nodes(self) -> ManagedNodes:
        """The nodes to act upon, by name."""
        return ManagedNodes(self._means)

    @property
    def options(self) -> Settings:
        """The options of the cluster that are set, "maintenance-mode", "no-quorum-policy"..."""
        ask = self._means.ask
        return Settings(
            self._means,
            lambda: ask(crm_attribute.get_options()),
            crm_attribute.set_option,
            crm_attribute.delete_option,
        )

    def maintenance(self, on: bool = True, *, dry_run: bool = False) -> Command:  # noqa: FBT001, FBT002 - a switch
        """Let Pacemaker leave all resources alone, monitors included; or no longer."""
        if on:
            return self.options.set("maintenance-mode", "true", dry_run=dry_run)
        return self.options.remove("maintenance-mode", dry_run=dry_run)

    def cleanup(self, *, dry_run: bool = False) -> Command:
        """Forget all failures of all resources."""
        return self._means.do(crm_resource.cleanup(), dry_run=dry_run)

    def wait(self, timeout: float = 60.0) -> None:
        """Wait until the cluster has nothing left to do, at most `timeout` seconds; TimedOut."""
        self.ask(crm_resource.wait(timeout))

    def verify(self) -> Verdict:
        """Return whether the configuration is valid, and what is said of it."""
        return self.ask(crm_simulate.verify())

    def simulate(self, *, operations: Sequence[str] = (), down: Sequence[str] = ()) -> Simulation:
        """Return what the cluster would do; see `crm_simulate.simulate` for `operations` and `down`."""
        return self.ask(crm_simulate.simulate(operations=operations, down=down))

    def watch(self, interval: float = 2.0, sleep: Callable[[float], object] = time.sleep) -> Iterator[Change]:
        """
        Yield what changes, without end: a look every `interval` seconds, each a crm_mon of some 10 ms.

        What comes and goes between two looks is not seen.
        """
        return changes.watch(self.status, lambda: sleep(interval))
