"""A resource as Pacemaker meets it: what it is answered, and where a report stands."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tests.fakes.world import DEFINITION, Outside
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.record import Incident
from tocsin_daemon.core.report import Stage
from tocsin_daemon.resource import Resource
from tocsin_ocf import definition as definitions

CAUSE = "check tcp:127.0.0.1:80 failed 3 times: connection refused"


def defined(**keys: object) -> dict[str, object]:
    """Return a whole definition, as a START carries it."""
    found, faults = definitions.read({**DEFINITION, **keys})
    assert found is not None, faults
    return found.as_dict()


def now(deferred: Deferred[Answer]) -> Answer | None:
    """Return the answer, None where there is none yet."""
    got: list[Answer] = []
    deferred.addCallback(got.append)
    return got[0] if got else None


def monitored(resource: Resource, *, recurring: bool = True) -> Answer | None:
    """Return what a monitor is answered."""
    return now(resource.monitor(20.0, recurring=recurring, hold=0.0))


def failed(outside: Outside) -> Resource:
    """Return `web` the moment after it was killed."""
    resource = outside.running()
    outside.service.on_end(-9)
    return resource


def incident(resource: Resource) -> Incident:
    """Return its incident."""
    assert resource.record.incident is not None
    return resource.record.incident


def stage(resource: Resource) -> Stage:
    """Return where the report stands."""
    return incident(resource).stage
