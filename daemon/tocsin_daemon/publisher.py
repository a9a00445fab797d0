"""
The cause of a failure as node attribute `tocsin-fail-RESOURCE`, where `crm_mon -A` shows it.

It is written only when the recovery takes a while: each change of an attribute aborts the transition that is
under way, and a recovery of a tenth of a second must not be slowed down by telling why it was needed.

That each change makes Pacemaker think anew is also a cure. Pacemaker 2.1.5 loses the failure of a recurring monitor
that turns bad while the transition that scheduled it still runs: it is logged, but nothing recovers until the next
transition, which may be a quarter of an hour away. With the attribute it is two seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_ocf import pacemaker
from tocsin_ocf.exit_codes import exit_reason
from tocsin_ocf.pacemaker import Command, Reply

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from tocsin_daemon.reporter import ClusterTools

log = Logger()

PUBLISH_AFTER = 2.0
"""Seconds without recovery after which the cause is worth an attribute."""


class Publisher:
    """The node attribute of one resource."""

    def __init__(self, resource: str, clock: IReactorTime, cluster: ClusterTools) -> None:
        """Publish through these tools; nothing is published yet."""
        self._resource = resource
        self._clock = clock
        self._cluster = cluster
        self._timer: IDelayedCall | None = None
        self._set_on = ""

    def failed(self, node: str, cause: str) -> None:
        """Publish the cause, unless the resource recovers soon."""
        self._cancel()
        self._timer = self._clock.callLater(PUBLISH_AFTER, self._publish, node, cause)

    def resumed(self, node: str, cause: str) -> None:
        """Take over an attribute that a former daemon may have set; it may as well have died before it could."""
        self._set_on = node
        if cause:
            self.failed(node, cause)

    def recovered(self) -> None:
        """Withdraw what was published."""
        self._cancel()
        if self._set_on:
            self._run(pacemaker.delete_attribute(self._name(), self._set_on, self._cluster.directory))
            self._set_on = ""

    def _publish(self, node: str, cause: str) -> None:
        self._set_on = node
        self._run(pacemaker.set_attribute(self._name(), exit_reason(cause), node, self._cluster.directory))

    def _name(self) -> str:
        return f"tocsin-fail-{self._resource}"

    def _run(self, command: Command) -> None:
        if not self._cluster.dry_run:
            self._cluster.run(command).addCallback(self._done).addErrback(_log)

    def _done(self, reply: Reply) -> None:
        if reply.code != 0:
            log.warn("{name}: attrd_updater: {why}", name=self._name(), why=reply.why)

    def _cancel(self) -> None:
        if self._timer and self._timer.active():
            self._timer.cancel()


def _log(failure: Failure) -> None:
    log.failure("an attribute was not published", failure)
