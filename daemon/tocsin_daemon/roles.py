"""
The role of one resource's service: changed by its own commands or signals, or by its driver; and told of others'.

A command runs as the service's user, with its environment and Pacemaker's whole one of the action, and dies with the
daemon: the agent asks again. What it returns is the role; the checks of that role then have their say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import CancelledError, Deferred, fail, maybeDeferred, succeed
from twisted.logger import Logger

from tocsin_daemon import environment
from tocsin_daemon.checks.execute import came_to
from tocsin_daemon.children import Program
from tocsin_daemon.core.life import Event
from tocsin_daemon.core.record import PROMOTED, UNPROMOTED, Failure, Record, role_of
from tocsin_daemon.driver import ChangesRole, Driver
from tocsin_ocf import processes
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC
from tocsin_ocf.programs import find_program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.python import failure

    from tocsin_daemon.checks.outside import Ended
    from tocsin_daemon.incidents import Incidents
    from tocsin_daemon.watch import Watch
    from tocsin_daemon.world import World
    from tocsin_ocf.definition import Definition

log = Logger()

PROMOTE, DEMOTE, NOTIFY, SCORE = "promote", "demote", "notify", "score"
IN_TIME = 0.2
"""Seconds before the end of an operation when its command is killed, so that the reason is told in time."""
STOPPED = "Tt"
"""States of a process (proc(5)) in which it would hear of a signal when it goes on, whenever that is."""
OCF = "OCF_"
"""What a request adds to the environment of a command begins so: nothing that changes how a program is loaded."""


class Subject(Protocol):
    """The resource whose service it is."""

    record: Record

    def feed(self, event: Event) -> None:
        """Let the life machine decide what the event means."""

    def change(self, record: Record, text: str = "") -> None:
        """Replace the record, on disk too, with one more line in its journal."""


class Driven(Protocol):
    """What runs the service."""

    definition: Definition | None
    driver: Driver
    incidents: Incidents
    watch: Watch
    seconds: float

    def judge(self) -> None:
        """Take up what its checks say now."""

    def look_no_more(self) -> None:
        """End every check and command."""


class Roles:
    """Changes the role of one resource's service."""

    def __init__(self, subject: Subject, service: Driven, world: World) -> None:
        """Change nothing yet."""
        self._subject = subject
        self._service = service
        self._world = world
        self._running: Deferred[str] | None = None
        self._action = ""
        self.asked: Mapping[str, str] = {}
        """Pacemaker's environment of the action that was asked for last."""

    @property
    def possible(self) -> bool:
        """Tell whether the service has roles: the definition says how to change them, or the driver can."""
        definition = self._service.definition
        return definition is not None and (definition.promotable or isinstance(self._service.driver, ChangesRole))

    @property
    def promoted(self) -> bool:
        """Tell whether it has been promoted, so that the checks of that role have their say."""
        return self._running is None and self._service.watch.role == PROMOTED

    def promote(self) -> None:
        """Have the service promoted; from now on nobody may take it for unpromoted."""
        self._subject.change(replace(self._subject.record, role=PROMOTED))
        self._begin(PROMOTE)

    def demote(self) -> None:
        """Have the service demoted."""
        self._begin(DEMOTE)

    def notify(self, seconds: float, asked: Mapping[str, str]) -> Deferred[None]:
        """Run the command for `notify`, if there is one; whatever comes of it, Pacemaker does not care."""
        definition = self._service.definition
        if definition is None or not definition.notify_command:
            return succeed(None)
        running = self._execute(NOTIFY, definition.notify_command, asked)
        timer = self._world.clock.callLater(seconds, running.cancel)
        running.addCallbacks(self._notified, self._not_notified)
        return running.addCallback(lambda _: timer.cancel() if timer.active() else None)

    def score(self) -> Deferred[Ended]:
        """Run the command that says the promotion score."""
        assert self._service.definition is not None, "what runs was defined"
        command: Sequence[str] = self._service.definition.promotion_score["command"]  # type: ignore[assignment]
        return self._execute(SCORE, command, self.asked)

    def redefined(self) -> None:
        """Take up a role where the service has become promotable while it runs: the checks of that begin."""
        watch = self._service.watch
        if self.possible and not watch.role:
            watch.set_role(UNPROMOTED, settled=True)

    def cancel(self) -> None:
        """Give up what is under way: the service is ended, or asked for something else."""
        running, self._running = self._running, None
        if running:
            running.cancel()

    def unchanged(self) -> None:
        """Keep why nobody knows which role it has: the action tells it, and only a stop mends it."""
        self._service.look_no_more()
        self._service.incidents.failed_change(f"{self._action or 'change of role'}: ")

    def _begin(self, action: str) -> None:
        self.cancel()
        self._action = action
        definition = self._service.definition
        assert definition is not None, "what runs was defined"
        running = self._running = self._change(action, definition)
        seconds = max(0.0, self._service.seconds - IN_TIME)
        late = self._world.clock.callLater(seconds, self._too_late, action, running, seconds)
        running.addCallbacks(self._tried, lambda failed: failed.trap(CancelledError), (action, running))
        running.addBoth(lambda _: late.cancel() if late.active() else None)

    def _change(self, action: str, definition: Definition) -> Deferred[str]:
        """Change the role, and fire with why that did not succeed, "" where it did."""
        number: int = getattr(definition, f"{action}_signal")
        if number:
            return self._signal(f"{action}_signal", number)
        if definition.promotable:
            return self._execute(action, getattr(definition, f"{action}_command"), self.asked).addCallbacks(
                lambda ended: "" if ended.status == 0 else f"{action}_command {came_to(ended)}",
                lambda failed: _why(failed, f"{action}_command cannot be executed: "),
            )
        driver = self._service.driver
        assert isinstance(driver, ChangesRole), "else the resource has no roles"
        role = PROMOTED if action == PROMOTE else UNPROMOTED
        changing = maybeDeferred(driver.change_role, role, self.asked)
        return changing.addCallbacks(lambda _: "", lambda failed: _why(failed, ""))

    def _too_late(self, action: str, running: Deferred[str], seconds: float) -> None:
        """Kill a command whose operation is over, before Pacemaker goes on without it."""
        if running is self._running:
            self.cancel()
            self._unchanged(action, f"{self._way(action)} took longer than {seconds:.0f} s")

    def _signal(self, name: str, number: int) -> Deferred[str]:
        main = self._subject.record.main
        if main is None:
            return succeed(f"{name} is not heard: there is no main process")
        process = processes.look(main.pid)
        if process is None or process.start != main.start or not process.alive:
            return Deferred()  # its end is about to be told
        if process.state in STOPPED:
            return succeed(f"{name} is not heard: the main process is stopped")
        processes.send_signal(process, number)
        return succeed("")

    def _changed(self, action: str) -> None:
        """Judge it by its new role: a promotion is done when the checks of that have passed, a demotion at once."""
        role = PROMOTED if action == PROMOTE else UNPROMOTED
        self._service.watch.set_role(role, settled=role == UNPROMOTED)
        if role == UNPROMOTED:
            self._subject.change(replace(self._subject.record, role=""))
            self._subject.feed(Event.DEMOTED)
        self._service.judge()
        # What changes in the turn of the request, as by a signal, has its new phase in the next one: judged again then.
        self._world.clock.callLater(0, self._service.judge)

    def _execute(self, action: str, command: Sequence[str], asked: Mapping[str, str]) -> Deferred[Ended]:
        """Run a command of the service's; the Deferred fails with OSError, KeyError or BadEnvironment."""
        definition = self._service.definition
        assert definition is not None, "what runs was defined"
        record = self._subject.record
        own = {"TOCSIN_RESOURCE": record.resource, "TOCSIN_NODE": record.node, "TOCSIN_ACTION": action}
        own["TOCSIN_ROLE"] = role_of(record)
        ocf = {key: value for key, value in asked.items() if key.startswith(OCF)}
        try:
            user, group, groups = environment.identity(definition.user, definition.group)
            variables = environment.of_service(definition, {**ocf, **own})
            path = find_program(command[0]) or command[0]
            how = (variables, definition.directory or "/", user, group, groups)
            return self._world.run(Program((path, *command[1:]), *how, talkative=action != SCORE))
        except (OSError, KeyError, environment.BadEnvironment):
            return fail()

    def _tried(self, why: str, action: str, running: Deferred[str]) -> None:
        if running is not self._running:
            return  # given up, and what it came to is nobody's concern
        self._running = None
        if why:
            self._unchanged(action, why)
        else:
            self._changed(action)

    def _way(self, action: str) -> str:
        ways = (f"{action}_signal", f"{action}_command")
        return next((way for way in ways if getattr(self._service.definition, way)), "its driver")

    def _unchanged(self, action: str, why: str) -> None:
        kept = self._service.incidents.refusal = Failure(OCF_ERR_GENERIC, f"{action}: {why}", lives=True, stays=True)
        # On disk with the phase: a daemon that died in between would be followed by one that takes it for promoted.
        self._subject.record = replace(self._subject.record, failure=kept)
        self._subject.feed(Event.UNCHANGED)

    def _notified(self, ended: Ended) -> None:
        if ended.status != 0:
            log.warn("{name}: notify_command {why}", name=self._subject.record.resource, why=came_to(ended))

    def _not_notified(self, failed: failure.Failure) -> None:
        why = "took too long" if failed.check(CancelledError) else f"cannot be executed: {failed.getErrorMessage()}"
        log.warn("{name}: notify_command {why}", name=self._subject.record.resource, why=why)


def _why(failed: failure.Failure, prefix: str) -> str | failure.Failure:
    """Say why a change came to nothing; what was cancelled stays so."""
    return failed if failed.check(CancelledError) else f"{prefix}{failed.getErrorMessage()}"
