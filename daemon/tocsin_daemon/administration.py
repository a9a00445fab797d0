"""What an administrator asks of the daemon, by way of `tocsin`: to be told, to pause reports, to hold a drill."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed

from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.journal import after
from tocsin_daemon.core.pause import LONGEST
from tocsin_daemon.drill import drill
from tocsin_daemon.requested import BadRequest
from tocsin_daemon.view import NoSuchIncident, as_json, events_json, timeline_json
from tocsin_ocf.exit_codes import OCF_ERR_ARGS, OCF_ERR_GENERIC, OCF_NOT_RUNNING, OCF_SUCCESS
from tocsin_ocf.wire import EVERY_RESOURCE

if TYPE_CHECKING:
    from tocsin_daemon.resource import Resource
    from tocsin_daemon.world import World

Verb = Callable[[str, Mapping[str, Any]], Deferred[Answer]]

LONGEST_TEXT = 200
"""Characters of a reason, or of a name."""


class Administration:
    """The administrator's verbs."""

    def __init__(self, resources: Mapping[str, Resource], world: World) -> None:
        """Tell of these resources, as they are when asked."""
        self._resources = resources
        self._world = world
        self.verbs: dict[str, Verb] = {
            "STATUS": self._status,
            "EXPLAIN": self._of_one(self._explain),
            "EVENTS": self._events,
            "PAUSE": self._of_one(self._pause),
            "RESUME": self._of_one(self._resume),
            "FAIL": self._of_one(self._fail),
        }

    def _of_one(self, answer: Callable[[Resource, Mapping[str, Any]], Answer]) -> Verb:
        def verb(name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
            resource = self._resources.get(name)
            return succeed(Answer(OCF_NOT_RUNNING, "null") if resource is None else answer(resource, body))

        return verb

    def _status(self, name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
        chosen = [r for r in self._resources.values() if name in (EVERY_RESOURCE, r.record.resource)]
        if name != EVERY_RESOURCE and not chosen:
            return succeed(Answer(OCF_NOT_RUNNING, "null"))
        return succeed(Answer(OCF_SUCCESS, json.dumps([self._row(each) for each in chosen])))

    def _row(self, resource: Resource) -> dict[str, Any]:
        now, clock = self._world.wall(), self._world.clock.seconds()
        service = resource.service
        says, score = service.speech.notify.status, service.promotion.score
        return as_json(resource.record, now, service.watch.rows(), clock, says, score)

    def _explain(self, resource: Resource, body: Mapping[str, Any]) -> Answer:
        try:
            return Answer(OCF_SUCCESS, json.dumps(timeline_json(resource.record, body.get("incident"))))
        except NoSuchIncident as error:
            return Answer(OCF_ERR_ARGS, str(error))

    def _events(self, name: str, body: Mapping[str, Any]) -> Deferred[Answer]:
        records = [r.record for r in self._resources.values() if name in (EVERY_RESOURCE, r.record.resource)]
        if name != EVERY_RESOURCE and not records:
            return succeed(Answer(OCF_NOT_RUNNING, "null"))
        return succeed(Answer(OCF_SUCCESS, json.dumps(events_json(*after(records, _counts(body))))))

    def _pause(self, resource: Resource, body: Mapping[str, Any]) -> Answer:
        lasts = body.get("seconds")
        if isinstance(lasts, bool) or not isinstance(lasts, (int, float)) or not 0 < lasts <= LONGEST:
            raise BadRequest(OCF_ERR_ARGS, f"a pause lasts up to {LONGEST / 86400:.0f} days")
        pause = resource.pausing.begin(float(lasts), _text(body, "reason"), _text(body, "by"))
        incident = resource.record.incident
        report = incident.stage.value if incident and incident.pending else ""
        return Answer(OCF_SUCCESS, json.dumps({"until": pause.until, "report": report}))

    def _resume(self, resource: Resource, body: Mapping[str, Any]) -> Answer:
        by, paused = _text(body, "by"), resource.record.pause is not None
        if paused:
            resource.pausing.end(f"the pause was ended by {by}")
        return Answer(OCF_SUCCESS, json.dumps({"paused": paused}))

    def _fail(self, resource: Resource, body: Mapping[str, Any]) -> Answer:
        why_not = drill(resource, _text(body, "reason"), _text(body, "by"))
        if why_not:
            return Answer(OCF_ERR_GENERIC, why_not)
        record = resource.record
        return Answer(OCF_SUCCESS, json.dumps({"incident": record.incidents, "phase": record.phase.value}))


def _text(body: Mapping[str, Any], key: str) -> str:
    """Return a line of text that somebody gave: it is shown to root, and stands in the log."""
    text = body.get(key)
    if not isinstance(text, str) or not text.strip() or not text.isprintable() or len(text) > LONGEST_TEXT:
        raise BadRequest(OCF_ERR_ARGS, f"{key}: give one line of up to {LONGEST_TEXT} characters")
    return text.strip()


def _counts(body: Mapping[str, Any]) -> dict[str, int]:
    """Return how many lines of each journal the asker has read."""
    read = body.get("after") or {}
    if not isinstance(read, dict) or not all(isinstance(count, int) for count in read.values()):
        raise BadRequest(OCF_ERR_ARGS, "after is a JSON object of numbers")
    return read
