"""One attribute of a node, where `crm_mon -A` shows it until the node reboots. Each change starts a transition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from tocsin_ocf import pacemaker
from tocsin_ocf.exit_codes import exit_reason
from tocsin_ocf.pacemaker import Command, Reply

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from tocsin_daemon.reporter import ClusterTools

log = Logger()


class Attribute:
    """One attribute, by its name."""

    def __init__(self, name: str, cluster: ClusterTools) -> None:
        """Set it through these tools; nothing is known of it yet."""
        self._name = name
        self._cluster = cluster
        self._set_on = ""
        self._running: Deferred[None] | None = None

    def assume(self, node: str) -> None:
        """Take over what a former daemon may have set."""
        self._set_on = node

    def put(self, node: str, text: str) -> None:
        """Set it, as printable ASCII that fits."""
        self._set_on = node
        self._run(pacemaker.set_attribute(self._name, exit_reason(text), node, self._cluster.directory))

    def remove(self) -> None:
        """Remove what was set."""
        node, self._set_on = self._set_on, ""
        if node:
            self._run(pacemaker.delete_attribute(self._name, node, self._cluster.directory))

    def _run(self, command: Command) -> None:
        """Give up what is still under way: of two tools at once, either may come last."""
        if self._running:
            self._running.cancel()
        if not self._cluster.dry_run:
            self._running = self._cluster.run(command).addCallback(self._done).addErrback(_unless_cancelled)

    def _done(self, reply: Reply) -> None:
        if reply.code != 0:
            log.warn("{name}: attrd_updater: {why}", name=self._name, why=reply.why)


def _unless_cancelled(failure: Failure) -> None:
    if not failure.check(CancelledError):
        log.failure("an attribute was not published", failure)
