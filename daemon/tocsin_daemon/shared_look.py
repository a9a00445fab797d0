"""
One look at the cluster for all who ask for one at about the same time.

A thousand services that die together would start a thousand `crm_mon`, each of which tells of all thousand. A look
serves whoever asked before it began, so none of them acts upon what was seen before its own failure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Union

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tocsin_ocf import pacemaker
from tocsin_ocf.pacemaker import Cluster, NoStatus, Reply

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

AT_ONCE = 2
"""Looks under way: an incident need not wait until another's injection has been looked for."""
FRESH = 0.25
"""Seconds after its end in which a look is acted upon; whose turn comes later gets one of their own."""

Look = Union[Cluster, NoStatus]
"""What a look came to: the cluster, or why it cannot be seen."""
Asked = Deferred[Look]


class SharedLook:
    """Looks at the cluster, at most so many at once."""

    def __init__(self, run: Callable[[], Deferred[Reply]], clock: IReactorTime) -> None:
        """Look by running the tool; those whom one look serves get it in turns of the reactor."""
        self._run = run
        self._clock = clock
        self._waiting: deque[Asked] = deque()
        self._under_way: list[_UnderWay] = []

    def ask(self) -> Asked:
        """Return what a look that begins from now on comes to; cancelling it kills a tool that nobody waits for."""
        asked: Asked = Deferred(self._forget)
        self._waiting.append(asked)
        if len(self._under_way) < AT_ONCE:
            self._begin()
        return asked

    def _forget(self, asked: Asked) -> None:
        if asked in self._waiting:
            self._waiting.remove(asked)
        for one in self._under_way:
            if asked in one.served:
                one.served.remove(asked)
                if not one.served and one.tool:
                    one.tool.cancel()

    def _begin(self) -> None:
        one = _UnderWay(self._waiting)
        self._waiting = deque()
        self._under_way.append(one)
        tool = one.tool = self._run()
        tool.addBoth(self._ended, one)

    def _ended(self, result: Reply | Failure, one: _UnderWay) -> None:
        one.tool = None
        self._serve(_seen(result), one, self._clock.seconds() + FRESH)

    def _serve(self, look: Look, one: _UnderWay, until: float) -> None:
        """Serve one, then let the reactor see what else there is: each may start a process."""
        if one.served and self._clock.seconds() < until:
            one.served.popleft().callback(look)
        if one.served and self._clock.seconds() < until:
            self._clock.callLater(0, self._serve, look, one, until)
            return
        self._waiting.extendleft(reversed(one.served))
        self._under_way.remove(one)
        if self._waiting:
            self._begin()


class _UnderWay:
    """One look, and whom it serves; `tool` until that has ended."""

    def __init__(self, served: deque[Asked]) -> None:
        self.served = served
        self.tool: Deferred[Reply] | None = None


def _seen(result: Reply | Failure) -> Look:
    if isinstance(result, Failure):
        return NoStatus(result.getErrorMessage())
    try:
        return pacemaker.parse_status(result)
    except NoStatus as error:
        return error
