"""
What is asked of systemd over D-Bus: org.freedesktop.systemd1(5).

Whoever wants the state of a unit follows it (`following`). systemd sends signals only to those who have subscribed, and
forgets them when it or the bus is started anew (before version 257), so that is done again whenever the name
changes its owner, and every unit is asked for anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator
from typing import Any, cast

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from tocsin_daemon.bus.bus import DBUS, TIMEOUT, Bus, pause
from tocsin_daemon.bus.connection import NO_REPLY, BusError, NoBus, error_of
from tocsin_daemon.bus.following import NAME, Following, Hear
from tocsin_daemon.bus.message import Call, Rule, Signal

log = Logger()

PATH = "/org/freedesktop/systemd1"
MANAGER = f"{NAME}.Manager"
RULES = (
    Rule(DBUS, DBUS, "NameOwnerChanged", first=NAME),
    Rule(NAME, MANAGER, "JobRemoved", PATH),
    Rule(NAME, MANAGER, "Reloading", PATH),
)
RELOAD_TIMEOUT = 90.0
"""Seconds for systemd to read all its units anew, as systemctl waits for it."""
JOBS_KEPT = 256
PATIENCE = 5.0
"""Seconds in which nobody may be there to answer; longer, and nothing is known."""
LONGEST_PAUSE = 0.5
AWAY = (NO_REPLY, f"{DBUS}.Error.ServiceUnknown", f"{DBUS}.Error.NameHasNoOwner")
"""Errors which say that systemd is not on the bus, or has just left it."""


class Systemd:
    """systemd, as all drivers and checks of one daemon share it."""

    def __init__(self, bus: Bus, run_time: str = "/run/systemd/system") -> None:
        """Ask over this bus; it is not connected before somebody asks. `run_time`: where units change till reboot."""
        self._bus = bus
        self.run_time = run_time
        self.clock = bus.clock
        self.listen, self.unlisten = bus.listen, bus.unlisten
        self._owner = ""
        self._following: dict[Following, None] = {}
        self._results: OrderedDict[str, str] = OrderedDict()
        self._reload_now: list[Deferred[None]] = []
        self._reload_next: list[Deferred[None]] = []
        bus.listener = self

    # Asking

    def call(
        self,
        method: str,
        signature: str = "",
        *body: Any,  # noqa: ANN401
        timeout: float = TIMEOUT,
    ) -> Deferred[tuple[Any, ...]]:
        """Call a method of systemd's; BusError, NoBus."""
        return self.ask(Call(NAME, PATH, MANAGER, method, signature, body), timeout)

    @inlineCallbacks
    def ask(self, call: Call, timeout: float = TIMEOUT) -> Generator[Deferred[Any], Any, tuple[Any, ...]]:
        """
        Call a method of one of systemd's objects, again while nobody is there to answer.

        What we ask for may be asked twice. NoBus only after `PATIENCE` seconds: systemd leaves the bus for a moment
        when it executes itself anew, and comes to a new one a moment later.
        """
        until, attempt = self.clock.seconds() + PATIENCE, 0
        while True:
            try:
                found: tuple[Any, ...] = yield self._bus.call(call, timeout)
            except BusError as error:
                if error.name not in AWAY:
                    raise
                if self.clock.seconds() >= until:
                    raise NoBus(error.text) from None
            else:
                return found
            yield deferLater(self.clock, min(LONGEST_PAUSE, pause(attempt)))
            attempt += 1

    def follow(self, unit: str, tell: Hear) -> Following:
        """Tell the state of a unit, now and whenever it changes; None each time that it is not known any more."""
        if not self._following:
            for rule in RULES:
                self._bus.listen(rule)
        following = Following(self, unit, tell)
        self._following[following] = None
        following.ask()
        return following

    def forget(self, following: Following) -> None:
        """Follow a unit no more; without any, nothing keeps the connection."""
        del self._following[following]
        if not self._following:
            for rule in RULES:
                self._bus.unlisten(rule)

    def start(self, unit: str) -> Deferred[str]:
        """Have a unit started; the path of the job that does so."""
        return self.call("StartUnit", "ss", unit, "replace").addCallback(lambda body: str(body[0]))

    def stop(self, unit: str) -> Deferred[str]:
        """Have a unit stopped; the path of the job that does so."""
        return self.call("StopUnit", "ss", unit, "replace").addCallback(lambda body: str(body[0]))

    def reset_failed(self, unit: str) -> None:
        """Make a unit forget that it has failed, and how often it was started."""
        self.call("ResetFailedUnit", "s", unit).addErrback(_complain, "does not reset")

    def reload(self) -> Deferred[None]:
        """
        Have systemd read its units anew; true of whatever was written before this was called. A failure is only logged.

        It is dear: however many ask while one is under way share the next.
        """
        done: Deferred[None] = Deferred()
        self._reload_next.append(done)
        if not self._reload_now:
            self._do_reload()
        return done

    def _do_reload(self) -> None:
        self._reload_now, self._reload_next = self._reload_next, []
        self.call("Reload", timeout=RELOAD_TIMEOUT).addErrback(_complain, "does not reload").addCallback(self._reloaded)

    def _reloaded(self, _: object) -> None:
        done, self._reload_now = self._reload_now, []
        if self._reload_next:
            self._do_reload()
        for each in done:
            if not each.called:
                each.callback(None)

    def job_result(self, job: str) -> str:
        """Return how a job has ended: done, failed, canceled, timeout, dependency, skipped; "" where nobody said."""
        return self._results.get(job, "")

    # What the bus tells

    def connected(self, *, direct: bool) -> None:
        """Ask everything anew; without a bus, systemd itself is the only one who speaks."""
        self._owner = NAME if direct else "?"  # without a bus systemd gives its own name as the sender
        self.call("Subscribe").addErrback(self._is_subscribed)
        if not direct:
            asked = self._bus.call(Call(DBUS, "/org/freedesktop/DBus", DBUS, "GetNameOwner", "s", (NAME,)))
            asked.addCallbacks(self._owned, lambda failure: failure.trap(BusError))
        self._ask_all()

    def disconnected(self, why: str) -> None:
        """Ask whom we can: nothing is heard any more."""
        for following in list(self._following):
            following.ask_after_a_loss()

    def heard(self, signal: Signal) -> None:
        """Take a signal for a reason to ask; only systemd's own, for anybody can send us one."""
        if (signal.sender, signal.member) == (DBUS, "NameOwnerChanged"):
            self._name_moved(*signal.body)
        elif signal.sender == self._owner:
            self._systemd_says(signal)

    def _systemd_says(self, signal: Signal) -> None:
        if signal.member == "JobRemoved":
            _, job, unit, result = signal.body
            self._results[job] = result
            while len(self._results) > JOBS_KEPT:
                self._results.popitem(last=False)
            self._ask_all(unit)
        elif signal.member == "Reloading":
            if not signal.body[0]:
                self._ask_all()
        elif signal.member == "PropertiesChanged":
            for following in list(self._following):
                if following.concerns(signal.path):
                    following.ask()

    def _owned(self, body: tuple[Any, ...]) -> None:
        self._owner = str(body[0])

    def _name_moved(self, name: str, _: str, owner: str) -> None:
        """Ask the new owner of systemd's name; there is none for a moment while systemd executes itself anew."""
        if name == NAME:
            self._owner = owner or "?"
            if owner:
                self.call("Subscribe").addErrback(self._is_subscribed)
                self._ask_all()

    def _is_subscribed(self, failure: Failure) -> None:
        if not failure.check(NoBus) and "AlreadySubscribed" not in getattr(failure.value, "name", ""):
            log.warn("systemd sends no signals: {why}", why=failure.getErrorMessage())

    def _ask_all(self, unit: str = "") -> None:
        """Ask for the state of all units, or of this one, if under another name."""
        for following in list(self._following):
            if not unit or following.concerns(path_of(unit)):
                following.ask(anew=not unit)


def systemd_of(bus: Bus) -> Systemd:
    """Return the one that all share who have this connection."""
    listener = bus.listener or Systemd(bus)
    assert hasattr(listener, "follow"), "nobody else listens"
    return cast("Systemd", listener)


def _complain(failure: Failure, what: str) -> None:
    log.warn("systemd {what}: {why}", what=what, why=error_of(failure).text)


def path_of(unit: str) -> str:
    """Return the object of a unit: sd_bus_path_encode(3)."""
    letters = (
        c if c.isascii() and (c.isalpha() or (i and c.isdigit())) else "".join(f"_{b:02x}" for b in c.encode())
        for i, c in enumerate(unit)
    )
    return f"{PATH}/unit/{''.join(letters)}"
