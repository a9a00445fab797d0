"""The verbs, what they refuse, and when the daemon ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.world import DEFINITION, Outside
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Failure, Incident, Main, Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.daemon import OUTPUT_SOON, RESUME_QUIET, Daemon
from tocsin_ocf.wire import Request

LINGER = 60.0


class Started:
    """A daemon in memory."""

    def __init__(self) -> None:
        """Without resources."""
        self.outside = Outside()
        self.ended = 0
        self.daemon = Daemon(lambda _: self.outside.world, LINGER, self._end)

    def _end(self) -> None:
        self.ended += 1

    def ask(self, verb: str, resource: str = "web", body: object = None, text: str = "") -> Answer:
        """Ask, let the service settle, and return the answer."""
        got: list[Answer] = []
        request = Request("", verb, resource, text or json.dumps(body or {}))
        self.daemon.ask(request).addCallback(got.append)
        self.outside.clock.advance(0.2)
        return got[0]

    def start(self) -> Answer:
        """Start `web`."""
        return self.ask("START", body={"node": "n1", "timeout": 18000, "definition": DEFINITION})


def test_what_never_ran_is_not_running_and_stops_at_once() -> None:
    """A probe is 7 in silence, a stop 0."""
    assert Started().ask("MONITOR") == Answer(7)
    assert Started().ask("STOP") == Answer(0)


def test_a_started_resource_is_running() -> None:
    """START, MONITOR, STATUS, EXPLAIN."""
    started = Started()
    assert started.start() == Answer(0)
    assert started.ask("MONITOR", body={"interval": 60000}) == Answer(0)
    (row,) = json.loads(started.ask("STATUS", "-").text)
    assert row["resource"] == "web" and row["phase"] == "running" and row["role"] == "Started"
    assert row["pid"] == 4711 and row["uptime"] >= 0 and row["last_incident"] is None
    assert json.loads(started.ask("EXPLAIN").text)["incident"] is None


def test_status_and_explain_of_the_unknown_say_so() -> None:
    """7, and JSON all the same."""
    assert Started().ask("STATUS") == Answer(7, "null")
    assert Started().ask("EXPLAIN") == Answer(7, "null")


def test_an_incident_is_shown_with_its_times() -> None:
    """In `status` and in `explain`."""
    started = Started()
    started.start()
    started.outside.service.on_end(-9)
    (row,) = json.loads(started.ask("STATUS", "-").text)
    assert row["phase"] == "failed" and row["report_pending"]
    assert "KILL" in row["last_incident"]["cause"]
    timeline = json.loads(started.ask("EXPLAIN").text)
    assert list(timeline["incident"]["times"]) == ["detected"]
    assert any("incident" in text for _, text in timeline["journal"])


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({"definition": {}}, 6, "command"),
        ({"definition": {"command": "/bin/x", "comand": "y"}}, 6, "did you mean command"),
        ({"definition": {"command": "/bin/x", "stop_signal": "FOO", "user": "a b"}}, 6, "1 more"),
        ({"definition": DEFINITION, "timeout": "soon"}, 2, "milliseconds"),
        ({"config": "/nonexistent/web.yaml"}, 5, "/nonexistent/web.yaml"),
        ({"config": "/"}, 1, "/"),
        ({"definition": DEFINITION, "environment": ["A=b"]}, 2, "environment"),
        ([], 2, "object"),
    ],
)
def test_a_start_that_cannot_be_is_refused_with_the_reason(body: object, code: int, says: str) -> None:
    """And leaves no resource behind."""
    started = Started()
    answer = started.ask("START", text=json.dumps(body))
    assert answer.code == code
    assert says in answer.text
    assert started.daemon.resources == {}


def test_a_body_that_is_no_json_is_refused() -> None:
    """With a reason."""
    answer = Started().ask("START", text="{")
    assert answer.code == 2
    assert "JSON" in answer.text


def test_a_definition_may_come_from_a_file(tmp_path: Path) -> None:
    """As `config=` says; a faulty one is 2 with file, line and key."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("command: /usr/sbin/serve --foreground\nstop_signal: QUIT\n")
    bad.write_text("command: /usr/sbin/serve\nstop_timeout: soon\n")
    started = Started()
    assert started.ask("START", body={"config": str(good), "node": "n1"}) == Answer(0)
    answer = started.ask("START", "db", body={"config": str(bad), "node": "n1"})
    assert answer.code == 2
    assert f"{bad}:2: stop_timeout" in answer.text


def test_the_daemon_ends_when_its_last_resource_has_been_stopped_for_a_while() -> None:
    """The linger lets a restart find it again."""
    started = Started()
    started.start()
    started.outside.clock.advance(LINGER * 2)
    assert started.ended == 0
    started.daemon.ask(Request("", "STOP", "web"))
    started.outside.service.on_end(0)
    started.outside.service.on_cleared()
    started.daemon.changed()
    started.outside.clock.advance(LINGER - 1)
    assert started.ended == 0
    started.outside.clock.advance(2)
    assert started.ended == 1


def test_a_start_within_the_linger_keeps_the_daemon() -> None:
    """Recovery is stop and start."""
    started = Started()
    started.daemon.changed()
    started.outside.clock.advance(LINGER - 1)
    started.start()
    started.daemon.changed()
    started.outside.clock.advance(LINGER * 2)
    assert started.ended == 0


RUNNING = Record("web", node="n1", phase=Phase.RUNNING, incarnation="a", definition=DEFINITION, main=Main(5, 6, "boot"))


def test_a_service_that_outlived_the_daemon_is_taken_over_untouched() -> None:
    """Nothing is started, stopped or reported."""
    started = Started()
    started.daemon.resume(RUNNING)
    assert started.ask("MONITOR") == Answer(0)
    assert started.outside.service.events == []
    started.outside.service.on_end(None)
    assert "not known" in started.ask("MONITOR").text
    started.outside.clock.advance(RESUME_QUIET)
    assert started.outside.cluster.count("crm_mon") == 1


def test_the_record_of_an_earlier_boot_means_stopped() -> None:
    """Its pids are nobody's."""
    started = Started()
    started.daemon.resume(Record("web", phase=Phase.RUNNING, main=Main(5, 6, "an earlier boot")))
    assert started.ask("MONITOR") == Answer(7)


def test_an_unfinished_stop_is_finished() -> None:
    """The daemon died half-way."""
    started = Started()
    started.daemon.resume(Record("web", phase=Phase.STOPPING, definition=DEFINITION, main=Main(5, 6, "boot")))
    assert started.outside.service.events == ["clear"]
    started.outside.service.on_cleared()
    assert started.ask("STOP") == Answer(0)


def test_output_is_logged_as_it_comes() -> None:
    """All of it, by the name of its resource."""
    started = Started()
    started.start()
    output = started.outside.service.output
    output.drain = lambda: ["one", "two"]  # type: ignore[method-assign]
    started.daemon.drain()
    assert started.outside.logged == ["one", "two"]


def test_a_flood_is_taken_soon_by_one_look_after_the_other() -> None:
    """However often it is looked at besides: looks that beget looks would leave no time for anything else."""
    started = Started()
    started.start()
    looks: list[float] = []
    output = started.outside.service.output
    output.drain = lambda: looks.append(started.outside.clock.seconds()) or []  # type: ignore[func-returns-value, method-assign]
    output.behind = True
    for _ in range(10):
        started.daemon.drain()
    del looks[:]
    started.outside.clock.advance(OUTPUT_SOON)
    assert len(looks) == 1


@pytest.mark.parametrize("stage", [None, Stage.NONE])
def test_a_failure_that_the_former_daemon_could_not_note_is_reported(stage: Stage | None) -> None:
    """It was killed between two writes."""
    started = Started()
    failed = replace(RUNNING, phase=Phase.FAILED)
    if stage:
        failed = replace(failed, failure=Failure(7, "killed"), incident=Incident("a", "killed", stage))
    started.outside.survives = False
    started.daemon.resume(failed)
    started.outside.clock.advance(RESUME_QUIET)
    assert started.outside.cluster.count("crm_mon") == 1


def test_a_resource_whose_record_is_lost_is_neither_running_nor_stopped() -> None:
    """Until it is stopped: then whatever is found of it is ended."""
    started = Started()
    started.daemon.lose("web", "truncated")
    answer = started.ask("MONITOR")
    assert answer.code == 1 and "truncated" in answer.text
    started.daemon.ask(Request("", "STOP", "web"))
    assert started.outside.service.events == ["clear"]
    started.outside.service.on_cleared()
    assert started.ask("MONITOR") == Answer(7)


def test_one_unreadable_output_keeps_no_other_from_being_read() -> None:
    """It is said, and the rest goes on."""
    started = Started()
    started.start()

    def unreadable() -> list[str]:
        raise PermissionError(13, "Permission denied")

    started.outside.service.output.drain = unreadable  # type: ignore[method-assign]
    started.daemon.drain()
    assert "cannot be read" in started.outside.logged[0]


@pytest.mark.parametrize("text", ["[" * 60_000, '{"definition":"abc"}'])
def test_rubbish_in_a_body_is_refused(text: str) -> None:
    """Root's own, but by mistake."""
    assert Started().ask("START", text=text).code in (2, 6)


def test_a_ping_is_answered_from_nothing() -> None:
    """Whoever wants to know whether the daemon is frozen."""
    assert Started().ask("PING", "-").code == 0
