"""One node of a cluster, to look at and to act upon; and all of them, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from tocsin_ocf.pacemaker import crm_attribute, crmadmin, stonith_admin
from tocsin_ocf.pacemaker.command import Command
from tocsin_ocf.pacemaker.crm_mon import status
from tocsin_ocf.pacemaker.faults import NoSuchNode
from tocsin_ocf.pacemaker.settings import Means, Settings
from tocsin_ocf.pacemaker.values import Node, Resource


class ManagedNode:
    """
    A node by its name; whether there is such a one turns out when it is used.

    What changes something returns the exact command; with `dry_run=True` it is returned only. All raise a Fault by
    name: NotConnected, NoSuchNode, NotPermitted, TimedOut...
    """

    def __init__(self, means: Means, name: str) -> None:
        """Name the node; nothing is asked yet."""
        self._means = means
        self.name = name

    def __repr__(self) -> str:
        """Return what it is."""
        return f"ManagedNode({self.name!r})"

    def status(self) -> Node:
        """Return the node as the cluster sees it; NoSuchNode."""
        nodes = self._means.ask(status(include="nodes")).nodes
        if self.name not in nodes:
            raise NoSuchNode(f"the cluster has no node {self.name}")
        return nodes[self.name]

    def resources(self) -> tuple[Resource, ...]:
        """Return the instances of resources that are active on it."""
        found = self._means.ask(status(include="resources")).instances
        return tuple(instance for instance in found if self.name in instance.nodes)

    def standby(self, *, dry_run: bool = False) -> Command:
        """Let no resource run on it, until `unstandby()`: also after a reboot."""
        return self.attributes.set("standby", "on", dry_run=dry_run)

    def unstandby(self, *, dry_run: bool = False) -> Command:
        """Let resources run on it again."""
        return self.attributes.remove("standby", dry_run=dry_run)

    def maintenance(self, on: bool = True, *, dry_run: bool = False) -> Command:  # noqa: FBT001, FBT002 - a switch
        """Let Pacemaker leave all resources on it alone, monitors included; or no longer."""
        if on:
            return self.attributes.set("maintenance", "true", dry_run=dry_run)
        return self.attributes.remove("maintenance", dry_run=dry_run)

    def fence(self, timeout: float = stonith_admin.FENCING, *, dry_run: bool = False) -> Command:
        """Power it off, within `timeout` seconds; NoSuchNode where no fence device can."""
        return self._means.do(stonith_admin.fence(self.name, timeout), dry_run=dry_run)

    def reboot(self, timeout: float = stonith_admin.FENCING, *, dry_run: bool = False) -> Command:
        """Power it off and on again, within `timeout` seconds."""
        return self._means.do(stonith_admin.reboot(self.name, timeout), dry_run=dry_run)

    @property
    def attributes(self) -> Settings:
        """Return its attributes in the configuration. Values are visible to all users of the node, as arguments."""
        return self._settings(transient=False)

    @property
    def transient(self) -> Settings:
        """Return its attributes that end when it leaves the cluster."""
        return self._settings(transient=True)

    def _settings(self, *, transient: bool) -> Settings:
        return Settings(
            self._means,
            lambda: self._means.ask(crm_attribute.get_attributes(self.name, transient=transient)),
            partial(crm_attribute.set_attribute, self.name, transient=transient),
            partial(crm_attribute.delete_attribute, self.name, transient=transient),
        )


class ManagedNodes(Mapping[str, ManagedNode]):
    """All nodes of the configuration, by name: cluster, remote and guest. One that is named is not looked up."""

    def __init__(self, means: Means) -> None:
        """Take how the cluster is asked."""
        self._means = means

    def __getitem__(self, name: str) -> ManagedNode:
        """Return a node; whether the cluster has it turns out when it is used."""
        return ManagedNode(self._means, name)

    def __contains__(self, name: object) -> bool:
        """Tell whether the cluster has a node of this name; Fault."""
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names; Fault."""
        return iter(self._names())

    def __len__(self) -> int:
        """Return how many nodes there are; Fault."""
        return len(self._names())

    def _names(self) -> list[str]:
        return [node.name for node in self._means.ask(crmadmin.nodes())]
