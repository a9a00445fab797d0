"""
The state of one unit, kept up to date by signals.

A signal is only a reason to ask: two of them tell of one change in two halves, and those of a bus that is started anew
are lost. A state that cannot be asked for is not known, which is told, and asked for again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from tocsin_daemon.bus.connection import error_of
from tocsin_daemon.bus.message import Call, Rule, plain
from tocsin_daemon.core.unit import State, Unit, state_of, unit_of

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

log = Logger()

NAME = "org.freedesktop.systemd1"
JOB = f"{NAME}.Job"
PROPERTIES = "org.freedesktop.DBus.Properties"
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
"""Seconds before a state that could not be asked for is asked for again."""
INVALID = "org.freedesktop.DBus.Error.InvalidArgs"
NOT_THERE = (f"{NAME}.NoSuchUnit", f"{NAME}.LoadFailed", f"{NAME}.InvalidName", INVALID)
"""Errors which say that there is no such unit on this node; Pacemaker's lib/services/systemd.c has the first three."""

Hear = Callable[["Unit | None"], None]
"""Called with the state of a unit, also where nothing has changed; None: it is not known any more."""


class Asked(Protocol):
    """Whom a following asks."""

    clock: IReactorTime

    def call(self, method: str, signature: str = "", *body: Any) -> Deferred[tuple[Any, ...]]:  # noqa: ANN401
        """Call a method of systemd's."""

    def ask(self, call: Call) -> Deferred[tuple[Any, ...]]:
        """Call a method of one of systemd's objects."""

    def listen(self, rule: Rule) -> None:
        """Hear such signals."""

    def unlisten(self, rule: Rule) -> None:
        """Hear them no more."""

    def forget(self, following: Following) -> None:
        """Follow it no more."""


class Following:
    """One unit, as one of our checks or drivers follows it."""

    def __init__(self, systemd: Asked, unit: str, tell: Hear) -> None:
        """Follow `unit`, a full name, from the first `ask` on."""
        self.unit = unit
        self.why = ""
        """Why the state is not known."""
        self.over = False
        self._systemd = systemd
        self._tell = tell
        self._path = ""
        self._held = False
        self._busy = self._again = False
        self._failures = 0
        self._retry: IDelayedCall | None = None

    def end(self) -> None:
        """Tell nothing any more."""
        if self.over:
            return
        self.over = True
        self._listen_at("")
        if self._held:
            self._systemd.call("UnrefUnit", "s", self.unit).addErrback(error_of)
        if self._retry and self._retry.active():
            self._retry.cancel()
        self._systemd.forget(self)

    def ask(self, *, anew: bool = False) -> None:
        """Ask for the state, and tell it; `anew`: systemd may have forgotten the unit meanwhile."""
        if anew:
            self._listen_at("")
        if self._busy:
            self._again = True
        elif not self.over:
            self._busy = True
            self.read().addCallbacks(self._answered, self._failed).addErrback(_log)

    def ask_after_a_loss(self) -> None:
        """Ask, now that the connection is another one: what it held is held no more."""
        self._held = False
        self.ask(anew=True)

    def concerns(self, path: str) -> bool:
        """Tell whether a signal comes from this unit."""
        return path == self._path

    def read(self) -> Deferred[Unit]:
        """Return the state as it is now; BusError, NoBus."""
        if self._path:
            found = self._properties((self._path,))
        else:
            found = self._systemd.call("LoadUnit", "s", self.unit).addCallback(self._properties)
        return found.addErrback(self._not_there)

    def _properties(self, body: tuple[Any, ...]) -> Deferred[Unit]:
        self._listen_at(body[0])
        self._hold()
        asked = self._systemd.ask(Call(NAME, body[0], PROPERTIES, "GetAll", "s", ("",)))
        return asked.addCallback(self._with_job)

    def _hold(self) -> None:
        """Have systemd keep the unit in memory: one that is down would be forgotten, with how it has ended."""
        if not (self._held or self.over):
            self._held = True
            self._systemd.call("RefUnit", "s", self.unit).addErrback(error_of)  # without a bus there is no holding

    def _with_job(self, body: tuple[Any, ...]) -> Unit | Deferred[Unit]:
        """Find out what systemd is about to do with a unit that is not up."""
        unit = unit_of(plain(body[0]))
        if not unit.job or state_of(unit) is State.RUNNING:
            return unit
        call = Call(NAME, f"/org/freedesktop/systemd1/job/{unit.job}", PROPERTIES, "Get", "ss", (JOB, "JobType"))
        typed = self._systemd.ask(call).addCallback(lambda body: replace(unit, job_type=body[0][1]))
        return typed.addErrback(self._job_over)

    def _job_over(self, failure: Failure) -> Deferred[Unit]:
        """Look again: the job has ended since."""
        if not error_of(failure).name.endswith((".UnknownObject", ".NoSuchJob")):
            failure.raiseException()
        return self.read()

    def _not_there(self, failure: Failure) -> Unit:
        error = error_of(failure)
        if error.name not in NOT_THERE:
            failure.raiseException()
        return Unit(self.unit, load="not-found", load_error=error.text)

    def _listen_at(self, path: str) -> None:
        if path != self._path and not (self.over and path):
            old, self._path = self._path, path
            for place, act in ((path, self._systemd.listen), (old, self._systemd.unlisten)):
                if place:
                    act(Rule(NAME, PROPERTIES, "PropertiesChanged", place))

    def _answered(self, unit: Unit) -> None:
        self._busy, self._failures = False, 0
        if self.over:
            return
        if self._again:  # what we have may be older than the reason to ask again
            self._again = False
            self.ask()
            return
        self._tell(unit)

    def _failed(self, failure: Failure) -> None:
        """Say that the state is not known, and ask again."""
        self.why = error_of(failure).text
        self._busy = self._again = False
        self._listen_at("")
        if self.over:
            return
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures, 20))
        self._failures += 1
        if not (self._retry and self._retry.active()):
            self._retry = self._systemd.clock.callLater(pause, self.ask)
        if self._failures == 1:
            self._tell(None)


def _log(failure: Failure) -> None:
    log.failure("a unit of systemd", failure)
