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

from tocsin_daemon.attribute import Attribute

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from tocsin_daemon.reporter import ClusterTools

PUBLISH_AFTER = 2.0
"""Seconds without recovery after which the cause is worth an attribute."""


class Publisher:
    """The node attribute of one resource."""

    def __init__(self, resource: str, clock: IReactorTime, cluster: ClusterTools) -> None:
        """Publish through these tools; nothing is published yet."""
        self._clock = clock
        self._timer: IDelayedCall | None = None
        self._attribute = Attribute(f"tocsin-fail-{resource}", cluster)

    def failed(self, node: str, cause: str) -> None:
        """Publish the cause, unless the resource recovers soon."""
        self._cancel()
        self._timer = self._clock.callLater(PUBLISH_AFTER, self._attribute.put, node, cause)

    def resumed(self, node: str, cause: str) -> None:
        """
        Take over an attribute that a former daemon may have set; it may as well have died before it could.

        `cause` is "" of what has been stopped since: then there is only something to withdraw.
        """
        self._attribute.assume(node)
        if cause:
            self.failed(node, cause)

    def recovered(self) -> None:
        """Withdraw what was published."""
        self._cancel()
        self._attribute.remove()

    def _cancel(self) -> None:
        if self._timer and self._timer.active():
            self._timer.cancel()
