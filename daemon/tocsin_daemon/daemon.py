"""The daemon: its resources, what each verb asks of them, and when it is no longer needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from tocsin_daemon.administration import Administration, Verb
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import PROMOTED, Record
from tocsin_daemon.core.report import News, Stage
from tocsin_daemon.core.resume import RESUME
from tocsin_daemon.requested import BadRequest, read_definition
from tocsin_daemon.resource import Resource
from tocsin_ocf import __version__
from tocsin_ocf.definition import PIDFILE, PROCESS, SYSTEMD
from tocsin_ocf.exit_codes import (
    OCF_ERR_ARGS,
    OCF_ERR_GENERIC,
    OCF_NOT_RUNNING,
    OCF_SUCCESS,
)
from tocsin_ocf.wire import Request

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from tocsin_daemon.world import World

log = Logger()

RESUME_QUIET = 0.5
"""Seconds before a daemon that has just begun reports anything: the request that started it comes first."""
OUTPUT_SOON = 0.05
OUTPUT_EVERY = 1.0
"""Seconds between two looks at what the services wrote; at a failure it is looked at at once."""


class Daemon:
    """All resources of one `tocsind`."""

    def __init__(self, world: Callable[[Daemon], World], linger: float, finish: Callable[[], None]) -> None:
        """Serve in this world; `finish` ends the process when `linger` seconds have passed without a resource."""
        self.world = world(self)
        self.resources: dict[str, Resource] = {}
        self._lost: dict[str, str] = {}
        self._undriven: dict[str, str] = {}
        self._linger = linger
        self._finish = finish
        self._end: IDelayedCall | None = None
        self._soon: IDelayedCall | None = None
        self._verbs: dict[str, Verb] = {
            **Administration(self.resources, self.world).verbs,
            "PING": self._ping,
            "START": self._start,
            "STOP": self._stop,
            "PROMOTE": self._promote,
            "DEMOTE": self._demote,
            "NOTIFY": self._notify,
            "MONITOR": self._monitor,
            "RELOAD": self._reload,
        }

    def ask(self, request: Request) -> Deferred[Answer]:
        """Return the answer to an authenticated request, in its time."""
        try:
            return self._verbs[request.verb](request.resource, parse_body(request.body))
        except BadRequest as error:
            return succeed(Answer(error.code, error.reason))

    def _ping(self, name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
        return succeed(Answer(OCF_SUCCESS, f"tocsind {__version__}"))

    def _start(self, name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
        definition, asked, within = read_definition(body), environment(body), seconds(body)
        if name in self._undriven:
            return succeed(Answer(OCF_ERR_GENERIC, self._undriven[name]))
        self._lost.pop(name, None)
        if name not in self.resources:
            self.resources[name] = Resource(Record(name), self.world)
        resource = self.resources[name]
        resource.service.roles.asked = asked
        return resource.start(definition, str(body.get("node", "")), within, str(body.get("config") or ""))

    def _stop(self, name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
        if name not in self.resources:
            return succeed(Answer(OCF_SUCCESS))
        if name in self._undriven:
            return succeed(Answer(OCF_ERR_GENERIC, self._undriven[name]))
        self._lost.pop(name, None)
        return self.resources[name].stop(seconds(body))

    def _promote(self, name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
        if name not in self.resources:
            return succeed(Answer(OCF_NOT_RUNNING, f"{name} is stopped, and cannot be promoted"))
        if name in self._lost:
            return succeed(Answer(OCF_ERR_GENERIC, self._lost[name]))
        return self.resources[name].promote(seconds(body), environment(body))

    def _demote(self, name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
        if name not in self.resources:
            return succeed(Answer(OCF_SUCCESS))
        if name in self._lost:  # nobody knows which role it has
            return succeed(Answer(OCF_ERR_GENERIC, self._lost[name]))
        return self.resources[name].demote(seconds(body), environment(body))

    def _notify(self, name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
        if name not in self.resources or name in self._lost:
            return succeed(Answer(OCF_SUCCESS))
        return self.resources[name].notify(seconds(body), environment(body))

    def _monitor(self, name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
        if name not in self.resources:
            return succeed(Answer(OCF_NOT_RUNNING))
        if name in self._lost:
            return succeed(Answer(OCF_ERR_GENERIC, self._lost[name]))
        recurring = bool(body.get("interval"))
        return self.resources[name].monitor(seconds(body), recurring=recurring, hold=seconds(body, "hold", 0))

    def _reload(self, name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
        """Apply a changed definition; a faulty one is no failure of the service, which goes on as it is."""
        resource = self.resources.get(name)
        if resource is None or name in self._lost:
            return succeed(Answer(OCF_SUCCESS))
        try:
            return succeed(resource.reloading.reload(read_definition(body), str(body.get("config") or "")))
        except BadRequest as error:
            resource.reloading.refuse(error.reason)
            return succeed(Answer(OCF_SUCCESS, f"the old definition stays: {error.reason}"))

    def reload_file(self, name: str, path: str) -> None:
        """Apply a definition file that has changed."""
        self._reload(name, {"config": path})

    def lose(self, name: str, why: str, driver: str = "") -> None:
        """
        Know of a resource whose record cannot be read: nobody can tell what of it runs.

        Its monitor is an error, so that no second copy is started; a stop or start first ends whatever is found of it.
        What another's `driver` runs, nobody else can end.
        """
        if driver not in ("", PROCESS, PIDFILE, SYSTEMD):
            self._undriven[name] = f"driver {driver}, which alone can stop it, fails: {why}; repair it, restart tocsind"
        log.error("{name}: its record is lost: {why}", name=name, why=why)
        self._lost[name] = f"its record is unreadable ({why}); stop it to begin anew"
        self.resources[name] = Resource(Record(name, phase=Phase.FAILED), self.world)
        self.resources[name].service.adopt()  # by its cgroup, if it has one

    def resume(self, record: Record) -> None:
        """Take up a resource that a former daemon left: its service, its unfinished stop, its report."""
        if record.phase is Phase.FAILED and record.failure is None:
            phase = Phase.PROMOTED if record.role == PROMOTED else Phase.RUNNING
            record = replace(record, phase=phase)  # it died before it could note why the service did
        if record.main and record.main.boot != self.world.boot:
            record = replace(record, phase=Phase.STOPPED, main=None).noted(self.world.wall(), "left by an earlier boot")
        resource = self.resources[record.resource] = Resource(record, self.world)
        resource.reporter.be_quiet(RESUME_QUIET)
        incident, failed = record.incident, record.phase is Phase.FAILED
        if incident and incident.pending and not failed:
            resource.reporter.tell(News.WITHDRAW)  # it died before it could: nobody may be told of what is over
        runs = record.phase is not Phase.STOPPED and resource.service.adopt()
        if runs and record.phase is Phase.RESTARTING:
            resource.service.incidents.judged = "tocsind ended while it restarted the service here"
        for event in RESUME[record.phase, runs]:
            resource.feed(event)
        if failed:
            untold = incident and incident.stage is Stage.NONE
            resource.reporter.tell(News.INCIDENT if untold else News.RESUMED)
        if incident and "recovered" not in incident.marks:
            resource.publisher.resumed(record.node, incident.cause if failed else "")
        resource.pausing.go_on()

    def changed(self) -> None:
        """End the daemon after a while without a resource that runs or should run, or whose pause is to be ended."""
        idle = all(r.record.phase is Phase.STOPPED and r.record.pause is None for r in self.resources.values())
        if not idle and self._end:
            self._end.cancel()
            self._end = None
        elif idle and self._end is None:
            self._end = self.world.clock.callLater(self._linger, self._over)

    def _over(self) -> None:
        self._end = None
        self._finish()

    def look_no_more(self) -> None:
        """End every check: a daemon that ends must not take its own end for the service's."""
        for resource in self.resources.values():
            resource.service.look_no_more()

    def drain(self) -> None:
        """Log what the services wrote since the last time; come back soon for what one pours out."""
        for name, resource in self.resources.items():
            try:
                lines = resource.service.driver.output.drain()
            except OSError as error:  # one unreadable file must not keep the others from being emptied
                lines = [f"[tocsin: its output cannot be read: {error}]"]
            for line in lines:
                self.world.log_output(name, line)
        waits = self._soon is not None and self._soon.active()  # one look at a time: this one may be the other timer's
        if not waits and any(resource.service.driver.output.behind for resource in self.resources.values()):
            self._soon = self.world.clock.callLater(OUTPUT_SOON, self.drain)


def parse_body(text: str) -> dict[str, Any]:
    """Return the JSON object that a request carries, if only an empty one; BadRequest."""
    try:
        body = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest(OCF_ERR_ARGS, f"the body of a request is JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadRequest(OCF_ERR_ARGS, "the body of a request is a JSON object")
    return body


def seconds(body: Mapping[str, Any], key: str = "timeout", default: int = 20000) -> float:
    """Return a time that the request names; the agent sends milliseconds, as Pacemaker does."""
    try:
        return min(max(float(body.get(key, default)) / 1000.0, 0.0), 86400.0)
    except (TypeError, ValueError):
        raise BadRequest(OCF_ERR_ARGS, f"{key} is a number of milliseconds") from None


def environment(body: Mapping[str, Any]) -> dict[str, str]:
    """Return Pacemaker's environment of an action, as the agent passes it on."""
    found = body.get("environment") or {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise BadRequest(OCF_ERR_ARGS, "environment is a JSON object of texts")
    return found
