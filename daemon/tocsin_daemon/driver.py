"""
What runs a service: the interface between a resource and a program, a systemd unit, or something far away.

A resource decides (its life, its reports, its answers); a driver starts, watches and ends. Everything a driver does is
told through `Told`, never returned late: `start` and `clear` return at once, whatever they lead to.

To write one of your own: a package for the Python of tocsind (/usr/bin/python3 -I: not a user's own directory) with

    [project.entry-points."tocsin.drivers"]
    acme-vm = "acme_tocsin:VmDriver"  # called with the name of the resource, and tocsin_daemon.drivers.Means

and on every node a file with `driver: acme-vm` and `settings: {region: eu-1}`. `start` finds these as JSON values in
`definition.settings`; `tocsin check` does not look into them, so refuse what is wrong there by CannotStart. All is
called in the reactor's thread and must not block. A service that is no process tells `up(None)`: from then on only
`ended` and the checks say that it failed. Without tocsind nobody can stop what you run, so a stop fails then, which
fences. An exception from the factory is an error of this node (OCF code 5). docs/driver.md is the tutorial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tocsin_daemon.output import Output

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from tocsin_daemon.core.record import Main
    from tocsin_daemon.core.stopping import Plan
    from tocsin_ocf.definition import Definition
    from tocsin_ocf.processes import Process

ENTRY_POINTS = "tocsin.drivers"

OnKill = Callable[["tuple[str, ...]"], None]
"""Called at most once, with what there was to see, before anything is killed."""


class CannotStart(Exception):
    """The service cannot be started: an OCF exit code and the reason."""

    def __init__(self, code: int, reason: str) -> None:
        """Keep both."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Told(Protocol):
    """Who listens to a driver. Nothing is told of an incarnation that was cleared."""

    def up(self, main: Main | None) -> None:
        """
        Hear that the service runs, and as which process, if it is one: a start may succeed from now on.

        Told again, to a service that is up, where another process of it has become the main one.
        """

    def refused(self, code: int, reason: str) -> None:
        """Hear that it cannot be started: what CannotStart says, found out only after `start` had returned."""

    def ended(self, status: int | None, why: str = "") -> None:
        """
        Hear that the service has ended by itself, before or after it was up.

        `status` is its main process's exit status, negative for a signal, None where nobody knows; `why` says in
        words what a status does not: that it was killed for want of memory, or what came instead of a status.
        """


class Driver(Protocol):
    """One resource's service, across its incarnations."""

    @property
    def main(self) -> Main | None:
        """Return the main process, running or ended, if there is one."""

    @property
    def output(self) -> Output:
        """Return what keeps the service's output; `Output("")` keeps none."""

    @property
    def known(self) -> dict[int, int]:
        """Return the processes known to be of it, pid to start time: kept in the record, given back to `adopt`."""

    def start(self, definition: Definition, incarnation: str, told: Told) -> None:
        """Begin to start the service; CannotStart with the code and reason that Pacemaker should see."""

    def adopt(
        self, definition: Definition | None, main: Main | None, incarnation: str, known: dict[int, int], told: Told
    ) -> bool:
        """
        Take over what a former daemon started; False where it is known to have ended.

        A driver that has to ask first says True, and tells later that it has `ended`.
        """

    def relimit(self, definition: Definition) -> bool:
        """
        Apply the `limits` and `cgroup` of a changed definition to what runs; False where they wait for a restart.

        Only called where each key that held before is there still: what was the value without one, nobody knows.
        """

    def members(self, *, thorough: bool, age: float = 0.0) -> list[Process]:
        """
        Return the living processes of the service, as they were `age` seconds ago at most.

        `thorough` before "nothing is left" may be believed: it also finds those that hide.
        """

    def evidence(self) -> tuple[str, ...]:
        """Return what there is to see of the service, a line each: taken at an incident and before any KILL."""

    def left(self) -> list[str]:
        """Name what still runs of a service that should not."""

    def clear(self, plan: Plan, stop_signal: int, on_cleared: Callable[[], None], on_kill: OnKill) -> None:
        """End everything of the service, then call `on_cleared`; a second call replaces the plan of the first."""

    def cancel(self) -> None:
        """Give up clearing: whoever asked has no more time."""


@runtime_checkable
class ChangesRole(Protocol):
    """
    What a driver has besides where its service can be promoted, without a promote_command in the definition.

    A definition that has such a command, or a signal, goes by that.
    """

    def change_role(self, role: str, asked: Mapping[str, str]) -> Deferred[None]:
        """
        Make the service "promoted" or "unpromoted"; it may be asked for a role that it has.

        `asked` is Pacemaker's environment of the action, OCF_RESKEY_CRM_meta_... The Deferred fires when it is done,
        and the checks of that role then have their say. Where it fails, its text is the reason that Pacemaker is
        told, and only a stop mends it: nobody knows which role the service has. It is cancelled when the operation's
        time is over, or when a stop comes.
        """


class Elsewhere:
    """What a driver may inherit whose service is no process of this node: it has none, writes and leaves nothing."""

    main: Main | None = None

    def __init__(self) -> None:
        """Keep nothing."""
        self.output = Output("")
        self.known: dict[int, int] = {}

    def relimit(self, definition: Definition) -> bool:
        """Let limits wait for a restart, which does not set them either."""
        return False

    def members(self, *, thorough: bool, age: float = 0.0) -> list[Process]:
        """Return no process."""
        return []

    def evidence(self) -> tuple[str, ...]:
        """Return nothing to see."""
        return ()

    def left(self) -> list[str]:
        """Name nothing."""
        return []

    def cancel(self) -> None:
        """Go on clearing: it costs nothing."""
