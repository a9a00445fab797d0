"""A drill is an incident like any other, and says what it is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.fakes.world import DEFINITION, Outside, status_xml
from tocsin_daemon.administration import Administration
from tocsin_daemon.core.answers import WELL, Answer
from tocsin_daemon.core.life import LIFE, Event, Phase
from tocsin_daemon.core.record import Main, Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.daemon import Daemon
from tocsin_daemon.drill import drill
from tocsin_daemon.resource import Resource

CAUSE = "drill asked by alice: exercise"


def ask(outside: Outside, resource: Resource, verb: str = "FAIL", body: object = None) -> Answer:
    """Ask of `web` what an administrator asks."""
    got: list[Answer] = []
    verbs = Administration({"web": resource}, outside.world).verbs
    verbs[verb]("web", body or {"reason": "exercise", "by": "alice"}).addCallback(got.append)  # type: ignore[arg-type]
    return got[0]


@pytest.mark.parametrize("phase", Phase)
def test_only_what_is_well_can_be_made_to_fail(phase: Phase) -> None:
    """In every other phase nothing happens; in these the machine has rows for what does."""
    outside = Outside()
    resource = outside.running()
    resource.record = replace(resource.record, phase=phase)
    assert (drill(resource, "exercise", "alice") == "") is (phase in WELL)
    if phase in WELL:
        assert LIFE.step(phase, Event.DRILLED) == LIFE.step(phase, Event.JUDGED) == LIFE.step(phase, Event.DIED)
        assert resource.record.phase is Phase.FAILED
    else:
        assert (phase, Event.DRILLED) not in LIFE.rows
        assert resource.record.phase is phase and resource.record.incidents == 0


def test_a_drill_goes_through_the_guard_and_is_injected() -> None:
    """Look, `crm_resource --fail`, look; nothing of the service is touched before Pacemaker's stop."""
    outside = Outside()
    resource = outside.running()
    assert ask(outside, resource) == Answer(0, '{"incident": 1, "phase": "failed"}')
    assert outside.service.events == ["start"]
    outside.cluster.reply(0, status_xml())
    assert outside.cluster.count("--fail") == 1
    incident = resource.record.incident
    assert incident is not None and incident.drill and incident.cause == CAUSE
    timeline = json.loads(ask(outside, resource, "EXPLAIN").text)
    assert timeline["incident"]["drill"] and timeline["incident"]["cause"] == CAUSE


def test_a_drill_is_held_where_an_incident_would_be() -> None:
    """The guards are the same."""
    outside = Outside()
    resource = outside.running()
    ask(outside, resource)
    outside.cluster.reply(0, status_xml(maintenance=True))
    assert resource.record.incident is not None and resource.record.incident.stage is Stage.HELD


def test_a_monitor_says_that_it_is_a_drill() -> None:
    """An error, not "not running": it runs."""
    outside = Outside()
    resource = outside.running()
    ask(outside, resource)
    got: list[Answer] = []
    resource.monitor(18.0, recurring=True, hold=0.0).addCallback(got.append)
    assert got == [Answer(1, CAUSE)]


def test_checks_that_pass_do_not_end_a_drill() -> None:
    """Only the recovery does; also for the daemon that takes it up."""
    outside = Outside()
    resource = outside.running()
    ask(outside, resource)
    outside.watch.say(ready=True)
    outside.clock.advance(60)
    assert resource.record.phase is Phase.FAILED
    later = Outside()
    daemon = Daemon(lambda _: later.world, 60.0, lambda: None)
    daemon.resume(replace(outside.store.load("web"), main=Main(4711, 99, "boot")))
    later.clock.advance(1)
    assert daemon.resources["web"].record.phase is Phase.FAILED


def test_the_recovery_ends_a_drill() -> None:
    """And what fails next is no drill."""
    outside = Outside()
    resource = outside.running()
    ask(outside, resource)
    resource.stop(20.0)
    outside.service.on_cleared()
    resource.start(DEFINITION, "n1", 20.0)
    outside.clock.advance(0.2)
    assert resource.record.phase is Phase.RUNNING
    assert resource.record.incident is not None and "recovered" in resource.record.incident.marks
    outside.service.on_end(-9)
    assert not resource.record.incident.drill and "KILL" in resource.record.incident.cause
    assert [incident.drill for incident in resource.record.past] == [True]


def test_a_drill_within_the_budget_of_restarts_restarts_here() -> None:
    """Pacemaker hears as little as of a failure."""
    outside = Outside()
    resource = outside.running(restart_attempts=1)
    assert ask(outside, resource) == Answer(0, '{"incident": 0, "phase": "restarting"}')
    assert outside.cluster.asked == []
    assert any(f"restart 1, not reported: {CAUSE}" in entry.text for entry in resource.record.journal)
    outside.service.on_cleared()
    outside.clock.advance(0.2)
    assert resource.record.phase is Phase.RUNNING
    assert ask(outside, resource) == Answer(0, '{"incident": 1, "phase": "failed"}')


def test_a_drill_of_what_is_down_is_refused_with_the_reason() -> None:
    """And is no incident."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    assert ask(outside, resource) == Answer(1, "web is stopped: only what runs here can be made to fail")
