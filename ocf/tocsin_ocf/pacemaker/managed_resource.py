"""One resource of a cluster, to look at and to act upon."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from tocsin_ocf.pacemaker import cibadmin, crm_resource
from tocsin_ocf.pacemaker.cibadmin import Primitive
from tocsin_ocf.pacemaker.command import Command, Request
from tocsin_ocf.pacemaker.crm_mon import status
from tocsin_ocf.pacemaker.settings import Means, Settings
from tocsin_ocf.pacemaker.values import ClusterStatus, FailCount, Failure, Resource


class ManagedResource:
    """
    A primitive, group, clone or bundle, by its id; whether there is such a one turns out when it is used.

    What changes something returns the exact command; with `dry_run=True` it is returned only. All raise a Fault by
    name: NotConnected, NoSuchResource, NoSuchNode, NotPermitted, TimedOut...
    """

    def __init__(self, means: Means, name: str) -> None:
        """Name the resource; nothing is asked yet."""
        self._means = means
        self.name = name

    def __repr__(self) -> str:
        """Return what it is."""
        return f"ManagedResource({self.name!r})"

    # -- looking

    def status(self) -> tuple[Resource, ...]:
        """Return its instances: one of a primitive, several of a clone or group, none where it is not known."""
        return self._means.ask(status()).resource(self.name)

    def where(self) -> tuple[str, ...]:
        """Return the names of the nodes where it is active."""
        return self._means.ask(crm_resource.locate(self.name))

    def failures(self) -> tuple[Failure, ...]:
        """Return the failures, of it and of what it holds, that have not been cleaned up."""
        seen, names = self._held("failures")
        return tuple(failure for failure in seen.failures if failure.resource in names)

    def fail_counts(self) -> tuple[FailCount, ...]:
        """Return the fail counts, of it and of what it holds, on each node where there is one."""
        seen, names = self._held("failcounts")
        return tuple(count for count in seen.fail_counts if count.resource in names)

    def _held(self, section: str) -> tuple[ClusterStatus, set[str]]:
        """Return a section of the status, and the ids of the instances that this is or holds."""
        seen = self._means.ask(status(include=f"resources,{section}"))
        return seen, {self.name, *(instance.id for instance in seen.resource(self.name))}

    def configured(self) -> Primitive:
        """Return how it is configured, with what its template adds."""
        return self._means.ask(crm_resource.configured(self.name))

    # -- acting

    def fail(self, node: str, *, dry_run: bool = False) -> Command:
        """
        Tell Pacemaker that it failed on `node`, which recovers it there at once.

        Success says only that the controller answered; whether it took is in `failures()` within a second. See
        `crm_resource.fail` for what it does not do.
        """
        return self._means.do(crm_resource.fail(self.name, node), dry_run=dry_run)

    def move(self, node: str = "", lifetime: str = "", *, promoted: bool = False, dry_run: bool = False) -> Command:
        """Move it to `node`, or away from where it is; this stays until `clear()`, or for a `lifetime`, "PT1H"."""
        return self._means.do(crm_resource.move(self.name, node, lifetime, promoted=promoted), dry_run=dry_run)

    def ban(self, node: str = "", lifetime: str = "", *, promoted: bool = False, dry_run: bool = False) -> Command:
        """Keep it off `node`, or off where it is, until `clear()`, or for `lifetime`."""
        return self._means.do(crm_resource.ban(self.name, node, lifetime, promoted=promoted), dry_run=dry_run)

    def clear(self, node: str = "", *, promoted: bool = False, expired: bool = False, dry_run: bool = False) -> Command:
        """Remove what `move` and `ban` have left, all of it, for `node`, or only what has `expired`."""
        return self._means.do(crm_resource.clear(self.name, node, promoted=promoted, expired=expired), dry_run=dry_run)

    def cleanup(
        self, node: str = "", operation: str = "", interval: float | None = None, *, dry_run: bool = False
    ) -> Command:
        """Forget its failures: all, or those on a node, of an operation, of that with an interval in seconds."""
        return self._means.do(crm_resource.cleanup(self.name, node, operation, interval), dry_run=dry_run)

    def refresh(self, node: str = "", *, dry_run: bool = False) -> Command:
        """Forget its history, so that its state is probed again. Do not `fail` it within the next second."""
        return self._means.do(crm_resource.refresh(self.name, node), dry_run=dry_run)

    def restart(self, wait: float = 60.0, node: str = "", *, dry_run: bool = False) -> Command:
        """Stop and start it and what depends on it; at most `wait` seconds, TimedOut."""
        return self._means.do(crm_resource.restart(self.name, wait, node), dry_run=dry_run)

    def disable(self, *, dry_run: bool = False) -> Command:
        """Have it stopped until `enable()`."""
        return self.meta.set("target-role", "Stopped", dry_run=dry_run)

    def enable(self, *, dry_run: bool = False) -> Command:
        """Let it run, in the role that Pacemaker chooses."""
        return self.meta.remove("target-role", dry_run=dry_run)

    def unmanage(self, *, dry_run: bool = False) -> Command:
        """Let Pacemaker neither start nor stop it, but still monitor it."""
        return self.meta.set("is-managed", "false", dry_run=dry_run)

    def manage(self, *, dry_run: bool = False) -> Command:
        """Put it under Pacemaker's control again."""
        return self.meta.remove("is-managed", dry_run=dry_run)

    def maintenance(self, on: bool = True, *, dry_run: bool = False) -> Command:  # noqa: FBT001, FBT002 - a switch
        """Let Pacemaker leave it alone altogether, monitors included; or no longer."""
        if on:
            return self.meta.set("maintenance", "true", dry_run=dry_run)
        return self.meta.remove("maintenance", dry_run=dry_run)

    # -- settings

    @property
    def parameters(self) -> Settings:
        """Return the parameters of its agent. A value goes to the cluster by standard input, for it may be secret."""
        return Settings(self._means, self._parameters, self._set_parameter, self._remove_parameter)

    @property
    def meta(self) -> Settings:
        """Return its meta attributes, "target-role", "migration-threshold"..."""
        write = partial(crm_resource.set_meta, self.name)
        remove = partial(crm_resource.delete_parameter, self.name, level="meta")
        return Settings(self._means, self._meta, write, remove)

    def _parameters(self) -> Mapping[str, str]:
        return self.configured().parameters

    def _meta(self) -> Mapping[str, str]:
        return self.configured().meta

    def _raw(self) -> Primitive:
        return self._means.ask(crm_resource.configured(self.name, raw=True))

    def _set_parameter(self, name: str, value: str) -> Request[None]:
        return cibadmin.set_parameter(self._raw(), name, value)

    def _remove_parameter(self, name: str) -> Request[None]:
        return cibadmin.delete_parameter(self._raw(), name)
