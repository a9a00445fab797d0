"""
The check `sd_notify`: the service gives a sign of life, WATCHDOG=1, at least so often.

READY=1 is a sign too. Time in which the daemon or the machine was starved does not count: the service may have spoken
without our hearing it, or have been as starved as we were.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tocsin_daemon.core import stretch
from tocsin_daemon.core.check import Outcome, Result
from tocsin_ocf import values

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from tocsin_daemon.checks.notify_message import Message
    from tocsin_daemon.checks.notify_socket import Notify
    from tocsin_daemon.checks.outside import Outside, Tell
    from tocsin_daemon.core.check import Spec

SHORTEST_WAIT = 0.01


class SdNotify:
    """One check of the kind."""

    def __init__(self, spec: Spec, outside: Outside) -> None:
        """Expect signs at least every so many seconds as the target says."""
        self._patience = values.seconds(spec.target)
        self._clock: Any = outside.reactor
        self._lost = outside.lost
        self._made = outside.notify
        self._notify: Notify | None = None
        self._tell: Tell = lambda _: None
        self._sign = self._lost_then = 0.0
        self._timer: IDelayedCall | None = None

    def begin(self, tell: Tell) -> None:
        """Hear signs from now on; the time before counts as one, for who spoke while no daemon lived was not heard."""
        self._tell = tell
        self._notify = self._made()
        self._note()
        if self._notify is None:
            self._timer = self._clock.callLater(0, tell, Outcome(Result.ERROR, "there is no socket for it to speak to"))
            return
        self._notify.hear(self._heard)
        self._timer = self._clock.callLater(self._patience, self._due)

    def end(self) -> None:
        """Hear nothing any more."""
        if self._notify:
            self._notify.forget(self._heard)
        if self._timer and self._timer.active():
            self._timer.cancel()

    def _heard(self, message: Message) -> None:
        if message.watchdog == "trigger":
            self._tell(Outcome(Result.BAD, f"it says itself that it fails (WATCHDOG=trigger){self._words()}"))
        elif message.watchdog or message.ready:
            self._note()
            self._tell(Outcome(Result.WELL, f"it gives signs of life{self._words()}"))

    def _note(self) -> None:
        self._sign, self._lost_then = self._clock.seconds(), self._lost()

    def _due(self) -> None:
        """Look how long ago the last sign was; said again and again while none comes."""
        silent = self._clock.seconds() - self._sign
        left = stretch.left(self._patience, silent, self._lost() - self._lost_then)
        if left <= 0:
            wanted = f"one every {self._patience:g} s is wanted"
            self._tell(Outcome(Result.BAD, f"no sign of life (WATCHDOG=1) for {silent:.1f} s, {wanted}{self._words()}"))
        self._timer = self._clock.callLater(max(left, SHORTEST_WAIT) if left > 0 else self._patience, self._due)

    def _words(self) -> str:
        """Return what the service said of itself, as the rest of a sentence."""
        if self._notify is None:
            return ""
        status = f"; it says: {self._notify.status}" if self._notify.status else ""
        error = f"; error: {os.strerror(self._notify.errno).lower()}" if self._notify.errno else ""
        return f"{'; it is stopping' if self._notify.stopping else ''}{status}{error}"
