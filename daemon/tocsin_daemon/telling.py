"""
`crm_attribute --promotion` for one resource: the last score wins, what was not heard is told again, and what is gone.

A score outlives whoever told it: the service, its daemon, and a stop that no daemon was there for. A beginner who finds
his predecessor's would be promoted by that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from tocsin_ocf import pacemaker

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from tocsin_daemon.reporter import ClusterTools

log = Logger()

RETRY, LONGEST = 2.0, 60.0
"""Seconds until a score that was not heard is told again; twice as long each time, and at most."""


class Telling:
    """What Pacemaker is told of one resource's score."""

    def __init__(self, resource: str, clock: IReactorTime, cluster: ClusterTools, ended: Callable[[], None]) -> None:
        """Tell it through these tools; `ended` is called when the next may be told: the last one is not told again."""
        self._resource = resource
        self._clock = clock
        self._cluster = cluster
        self._ended = ended
        self._running: Deferred[Any] | None = None
        self._once_more: IDelayedCall | None = None
        self._give_up: IDelayedCall | None = None
        self._then: Callable[[], None] | None = None
        self._pause = RETRY
        self._insists = False
        self._complaint = ""
        self.gone = False
        """Whether Pacemaker knows of no score, and has said so."""
        self.at = 0.0
        """When it was told last, in the clock's seconds."""

    @property
    def busy(self) -> bool:
        """Tell whether Pacemaker is being told."""
        return self._running is not None

    def tell(self, node: str, score: int | None) -> None:
        """Tell it of this node, None for none; what was being told is no longer."""
        self.rest()
        if self._cluster.dry_run:
            return
        self.gone, self.at, self._then, self._insists = False, self._clock.seconds(), None, True
        command = pacemaker.promotion_score(self._resource, node, score, self._cluster.directory)
        before, self._running = self._running, self._cluster.run(command)
        if before:
            before.cancel()
        mine = (self._running, node, score)
        self._running.addCallbacks(self._told, self._untold, mine, {}, mine, {})

    def rest(self) -> None:
        """Do not tell again what was not heard, nor what is being told, should it not be heard."""
        self._insists = False
        _cancel(self._once_more)

    def when_told(self, seconds: float, then: Callable[[], None]) -> None:
        """Call `then` when what is being told has been heard, or could not be, or so many seconds are over."""
        self._then = then
        _cancel(self._give_up)
        if self._running is None:
            self._let_go()
        else:
            self._give_up = self._clock.callLater(seconds, self._let_go)

    def _told(self, reply: pacemaker.Reply, mine: Deferred[Any], node: str, score: int | None) -> None:
        if mine is not self._running:
            return
        self._running = None
        again = self._insists and reply.code != 0
        if reply.code == 0:
            self.gone, self._pause, self._complaint = score is None, RETRY, ""
        else:
            self._not_heard(reply.why, node, score)
        self._let_go()
        if not again:
            self._ended()

    def _not_heard(self, why: str, node: str, score: int | None) -> None:
        """Tell it again later, if it still counts: the cluster may just be electing, or be down for the night."""
        if why != self._complaint:
            log.warn("{name}: crm_attribute: {why}", name=self._resource, why=why)
        self._complaint = why
        if self._insists:
            self._once_more = self._clock.callLater(self._pause, self.tell, node, score)
            self._pause = min(2 * self._pause, LONGEST)

    def _untold(self, failure: Failure, mine: Deferred[Any], _node: str, _score: int | None) -> None:
        if mine is self._running:
            self._running = None
        failure.trap(CancelledError)

    def _let_go(self) -> None:
        _cancel(self._give_up)
        then, self._then = self._then, None
        if then:
            then()


def _cancel(call: IDelayedCall | None) -> None:
    if call and call.active():
        call.cancel()
