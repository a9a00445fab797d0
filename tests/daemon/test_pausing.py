"""A pause of reports: nothing is injected in it, a monitor is told the truth, and its end is the end of it."""

from __future__ import annotations

import json

import pytest

from tests.fakes.world import DEFINITION, Outside, status_xml
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.pause import LONGEST
from tocsin_daemon.core.record import Incident, Record
from tocsin_daemon.core.report import HELD_RECHECK, Stage
from tocsin_daemon.daemon import RESUME_QUIET, Daemon
from tocsin_daemon.pausing import LOOK_EVERY
from tocsin_daemon.resource import Resource
from tocsin_ocf.wire import Request

PAUSE = {"seconds": 600, "reason": "new disk", "by": "alice"}
LINGER = 60.0


class Started:
    """A daemon that runs `web`."""

    def __init__(self, record: Record | None = None) -> None:
        """Start it, or take it up."""
        self.outside = Outside()
        self.ended = 0
        self.daemon = Daemon(lambda _: self.outside.world, LINGER, self._end)
        if record:
            self.daemon.resume(record)
        else:
            self.ask("START", {"node": "n1", "timeout": 18000, "definition": DEFINITION})
            self.outside.clock.advance(0.2)

    def _end(self) -> None:
        self.ended += 1

    def ask(self, verb: str, body: object = None, resource: str = "web") -> Answer | None:
        """Return the answer, None where there is none yet."""
        got: list[Answer] = []
        self.daemon.ask(Request("", verb, resource, json.dumps(body or {}))).addCallback(got.append)
        return got[0] if got else None

    @property
    def resource(self) -> Resource:
        """Return it."""
        return self.daemon.resources["web"]

    @property
    def incident(self) -> Incident:
        """Return its last one."""
        assert self.resource.record.incident is not None
        return self.resource.record.incident

    def attributes(self) -> list[str]:
        """Return how the attribute of the pause was changed."""
        lines = [line for line, _ in self.outside.cluster.aside if "tocsin-paused-web" in line]
        return ["delete" if "--delete" in line else line.partition("--update ")[2] for line in lines]


def row(started: Started) -> dict[str, object]:
    """Return its row of `status`."""
    answer = started.ask("STATUS", resource="-")
    assert answer is not None
    (found,) = json.loads(answer.text)
    return dict(found)


def test_a_failure_in_a_pause_is_held_and_the_cluster_left_in_peace() -> None:
    """Not even asked; `why` says who wants it so."""
    started = Started()
    answer = started.ask("PAUSE", PAUSE)
    assert answer is not None and json.loads(answer.text) == {"until": started.resource.now() + 600, "report": ""}
    started.outside.service.on_end(-9)
    for _ in range(20):
        assert (started.incident.stage, started.incident.why) == (Stage.HELD, "paused by alice: new disk")
        started.outside.clock.advance(HELD_RECHECK)
    assert started.outside.cluster.asked == []
    assert sum("report:" in entry.text for entry in started.resource.record.journal) == 2  # the incident, and the hold


@pytest.mark.parametrize("how", ["resumed", "over"])
def test_the_end_of_a_pause_looks_at_the_cluster_at_once_and_reports(how: str) -> None:
    """By the same guard as ever, whether somebody ended it or its time did."""
    started = Started()
    started.ask("PAUSE", {**PAUSE, "seconds": 7})
    started.outside.service.on_end(-9)
    started.outside.clock.advance(6)
    if how == "resumed":
        assert started.ask("RESUME", {"by": "bob"}) == Answer(0, '{"paused": true}')
    else:
        started.outside.clock.advance(1)
    assert started.outside.cluster.count("crm_mon") == 1
    started.outside.cluster.reply(0, status_xml())
    assert started.outside.cluster.count("--fail") == 1
    assert row(started)["paused"] is None
    said = [entry.text for entry in started.resource.record.journal]
    assert ("the pause was ended by bob" if how == "resumed" else "the pause is over") in said


def test_a_pause_that_begins_while_the_cluster_is_asked_holds_the_report() -> None:
    """The guard looks at it immediately before the injection."""
    started = Started()
    started.outside.service.on_end(-9)
    assert started.incident.stage is Stage.CHECKING
    started.ask("PAUSE", PAUSE)
    started.outside.cluster.reply(0, status_xml())
    assert started.incident.stage is Stage.HELD
    assert started.outside.cluster.count("--fail") == 0


def test_a_report_that_is_under_way_is_said_to_be() -> None:
    """It cannot be called back."""
    started = Started()
    started.outside.service.on_end(-9)
    started.outside.cluster.reply(0, status_xml())
    answer = started.ask("PAUSE", PAUSE)
    assert answer is not None and json.loads(answer.text)["report"] == "sending"


@pytest.mark.parametrize("hold", [0, 40000])
def test_a_monitor_is_told_the_truth_in_a_pause(hold: int) -> None:
    """A held one not before its time is over: its early answer is a report."""
    started = Started()
    body = {"timeout": 60000, "interval": 1000, "hold": hold}
    started.ask("MONITOR", body)
    got: list[Answer] = []
    started.ask("PAUSE", PAUSE)
    request = Request("", "MONITOR", "web", json.dumps(body))
    started.daemon.ask(request).addCallback(got.append)
    started.outside.service.on_end(-9)
    if hold:
        assert got == [] and started.incident.stage is Stage.HELD
        started.outside.clock.advance(39)
        assert got == []
        started.outside.clock.advance(2)
        assert got[0].code == 7
    else:
        assert got[0].code == 0
        answer = started.ask("MONITOR", body)
        assert answer is not None and answer.code == 7
    assert started.incident.stage is Stage.LEARNED


def test_the_end_of_a_pause_is_told_by_a_monitor_that_waits() -> None:
    """Once, and not by an injection beside it."""
    started = Started()
    body = {"timeout": 60000, "interval": 1000, "hold": 40000}
    started.ask("MONITOR", body)
    got: list[Answer] = []
    started.ask("PAUSE", PAUSE)
    started.daemon.ask(Request("", "MONITOR", "web", json.dumps(body))).addCallback(got.append)
    started.outside.service.on_end(-9)
    started.ask("RESUME", {"by": "alice"})
    assert [answer.code for answer in got] == [7]
    assert started.incident.stage is Stage.LEARNED
    assert started.outside.cluster.count("crm_mon") == 0


def test_a_pause_is_shown_in_status_explain_and_the_cluster() -> None:
    """On every node, by an attribute of this one."""
    started = Started()
    started.ask("PAUSE", PAUSE)
    paused = {
        "reason": "new disk",
        "by": "alice",
        "since": started.resource.now(),
        "until": started.resource.now() + 600,
    }
    assert row(started)["paused"] == paused
    answer = started.ask("EXPLAIN")
    assert answer is not None and json.loads(answer.text)["paused"] == paused
    put = started.attributes()[0]
    assert put.endswith("--node n1") and "by alice: new disk" in put
    started.ask("RESUME", {"by": "alice"})
    assert started.attributes()[1:] == ["delete"]


def test_a_pause_outlives_the_daemon() -> None:
    """The next one holds back too, shows it, and ends it in time."""
    before = Started()
    before.ask("PAUSE", PAUSE)
    before.outside.service.on_end(-9)
    after = Started(before.outside.store.load("web"))
    after.outside.clock.advance(RESUME_QUIET)
    assert after.incident.stage is Stage.HELD and after.outside.cluster.asked == []
    for _ in range(int(600 / LOOK_EVERY)):
        after.outside.clock.advance(LOOK_EVERY)
    *put, delete = after.attributes()
    assert len(put) == 600 / LOOK_EVERY and len(set(put)) == 1  # Pacemaker may have been restarted meanwhile
    assert delete == "delete" and after.outside.cluster.count("crm_mon") == 1


def test_a_pause_that_ended_without_a_daemon_is_over_for_the_next() -> None:
    """And its attribute is removed."""
    before = Started()
    before.ask("PAUSE", {**PAUSE, "seconds": 5})
    record = before.outside.store.load("web")
    outside = Outside()
    outside.clock.advance(1000)
    daemon = Daemon(lambda _: outside.world, LINGER, lambda: None)
    daemon.resume(record)
    assert daemon.resources["web"].record.pause is None
    assert ["--delete" in line for line, _ in outside.cluster.aside if "tocsin-paused" in line] == [True]


def test_the_daemon_stays_until_a_pause_is_over() -> None:
    """Nobody else would take the attribute back."""
    started = Started()
    started.ask("PAUSE", PAUSE)
    started.ask("STOP")
    started.outside.service.on_cleared()
    started.daemon.changed()
    started.outside.clock.advance(LINGER * 2)
    assert started.ended == 0 and row(started)["phase"] == "stopped"
    started.ask("RESUME", {"by": "alice"})
    started.daemon.changed()
    started.outside.clock.advance(LINGER)
    assert started.ended == 1


def test_a_new_pause_takes_the_place_of_the_old_one() -> None:
    """Longer or shorter."""
    started = Started()
    started.ask("PAUSE", PAUSE)
    started.ask("PAUSE", {**PAUSE, "seconds": 5, "reason": "nearly done"})
    started.outside.clock.advance(5)
    assert row(started)["paused"] is None


def test_what_is_not_paused_is_resumed_in_silence() -> None:
    """Nothing to do is no fault."""
    started = Started()
    assert started.ask("RESUME", {"by": "alice"}) == Answer(0, '{"paused": false}')
    assert started.attributes() == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        *[({**PAUSE, "seconds": wrong}, "30 days") for wrong in (0, -1, LONGEST + 1, "x", None, True, float("nan"))],
        *[({**PAUSE, "reason": wrong}, "reason") for wrong in ("", " ", "a\nb", "x" * 201, None, 7, "\x1b[2J")],
        ({**PAUSE, "by": ""}, "by"),
        ({}, "30 days"),
    ],
)
def test_a_pause_without_its_parts_is_refused(body: object, says: str) -> None:
    """It has a reason, an author and an end."""
    started = Started()
    answer = started.ask("PAUSE", body)
    assert answer is not None and answer.code == 2 and says in answer.text
    assert started.resource.record.pause is None


@pytest.mark.parametrize("verb", ["PAUSE", "RESUME", "FAIL", "EXPLAIN"])
def test_what_is_not_here_is_not_known(verb: str) -> None:
    """As for STATUS."""
    assert Started().ask(verb, PAUSE, "db") == Answer(7, "null")
