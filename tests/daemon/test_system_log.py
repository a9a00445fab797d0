"""The log in journald and syslog, and debug lines on demand."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.logger import LogEvent, Logger, LogLevel, globalLogPublisher

from tocsin_daemon import tracing
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.check import Outcome, Result
from tocsin_daemon.core.edges import edges
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Incident, Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.system_log import (
    LONGEST,
    Datagrams,
    SystemLog,
    fields_of,
    is_stderr,
    journal_entry,
    syslog_lines,
    system_log,
)
from tocsin_daemon.tracing import FOR, Debug
from tocsin_ocf.pacemaker import Command, Reply
from tocsin_ocf.wire import Request

EVENT = {
    "log_level": LogLevel.error,
    "log_format": "{resource}: {said}",
    "resource": "web",
    "said": "oh",
    "phase": "failed",
}


def test_an_entry_is_in_journalds_own_protocol() -> None:
    """NAME=value, one a line; a value of several lines goes by its length."""
    entry = journal_entry("web: oh", 3, {"TOCSIN_RESOURCE": "web"})
    assert entry == b"MESSAGE=web: oh\nPRIORITY=3\nSYSLOG_IDENTIFIER=tocsind\nTOCSIN_RESOURCE=web\n"
    assert journal_entry("a\nb", 3, {}).startswith(b"MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\nPRIORITY=3\n")


def test_lines_are_in_syslogs_own_protocol() -> None:
    """Facility daemon; each line of a message is one."""
    assert syslog_lines("web: oh\n\n  more", 3, 7) == [b"<27>tocsind[7]: web: oh", b"<27>tocsind[7]:   more"]


def test_only_known_fields_go_out() -> None:
    """Another value may be one that the text leaves out."""
    assert fields_of({**EVENT, "token": "s", "why": ""}, 9909) == {
        "TOCSIN_PORT": "9909",
        "TOCSIN_RESOURCE": "web",
        "TOCSIN_PHASE": "failed",
    }


class Ears:
    """Stands for Datagrams."""

    def __init__(self) -> None:
        """Hear."""
        self.heard: list[bytes] = []
        self.deaf = False

    def send(self, data: bytes) -> bool:
        """Take one, or not."""
        if not self.deaf:
            self.heard.append(data)
        return not self.deaf


def test_what_cannot_be_sent_is_counted_and_told_when_it_can_again() -> None:
    """A journald that hangs holds up nobody."""
    ears = Ears()
    log = SystemLog(ears, 9909, journal=True)  # type: ignore[arg-type]
    ears.deaf = True
    log(EVENT)
    log(EVENT)
    ears.deaf = False
    log(EVENT)
    assert [entry.partition(b"\n")[0] for entry in ears.heard] == [
        b"MESSAGE=2 lines were lost here",
        b"MESSAGE=web: oh",
    ]


def test_a_long_message_is_cut_and_an_empty_one_left_out() -> None:
    """A datagram has its limit."""
    ears = Ears()
    log = SystemLog(ears, 9909, journal=True)  # type: ignore[arg-type]
    log({**EVENT, "said": "x" * LONGEST * 2})
    log({"log_level": LogLevel.info, "log_format": ""})
    assert len(ears.heard) == 1 and len(ears.heard[0]) < LONGEST + 200


def test_the_journal_goes_before_syslog_and_neither_is_needed(tmp_path: Path) -> None:
    """Over real sockets: nobody there, somebody who does not read, somebody who does."""
    journal, syslog = tmp_path / "journal", tmp_path / "log"
    assert system_log(9909, str(journal), str(syslog)) is None
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as two,
    ):
        one.bind(str(syslog))
        found = system_log(9909, str(journal), str(syslog))
        assert found
        found(EVENT)
        found._to._socket.close()
        assert one.recv(4096).startswith(b"<27>tocsind[")
        two.bind(str(journal))
        found = system_log(9909, str(journal), str(syslog))
        assert found
        found(EVENT)
        found._to._socket.close()
        assert b"TOCSIN_RESOURCE=web\n" in two.recv(4096)
        to = Datagrams(str(journal))
        assert [to.send(b"x") for _ in range(10000)][-1] is False
    assert not to.send(b"x")
    to._socket.close()


def test_standard_error_may_be_the_journal() -> None:
    """As systemd says it."""
    assert not is_stderr("") and not is_stderr("1:2")
    found = Path("/proc/self/fd/2").stat()
    assert is_stderr(f"{found.st_dev}:{found.st_ino}")


@pytest.fixture
def lines() -> Iterator[list[LogEvent]]:
    """Return what is logged."""
    seen: list[LogEvent] = []
    globalLogPublisher.addObserver(seen.append)
    yield seen
    globalLogPublisher.removeObserver(seen.append)


def said(events: list[LogEvent]) -> list[str]:
    """Return the lines of the module under test."""
    return [str(event["log_format"]).format(**event) for event in events if event["log_namespace"] == tracing.__name__]


def test_each_step_of_a_report_is_a_line_with_fields(lines: list[LogEvent]) -> None:
    """And so is the recovery; a look that finds nothing new is none."""
    before = Record("web", phase=Phase.FAILED, incident=Incident("i1", "it died"), incidents=3)
    assert before.incident
    held = replace(before, incident=replace(before.incident, stage=Stage.HELD, why="maintenance")).noted(
        1, "report: held"
    )
    assert held.incident
    well = replace(held, incident=held.incident.marked("recovered", 9.0))
    for one, two in ((before, held), (held, held), (held, well)):
        tracing.follow(edges(one, two), one, two)
    assert said(lines) == ["web: report: held (maintenance)", "web: recovered"]
    fields = fields_of(lines[0], 1)
    assert (
        fields["TOCSIN_REPORT"] == "held" and fields["TOCSIN_INCIDENT"] == "3" and fields["TOCSIN_CAUSE"] == "it died"
    )


class Debugged:
    """What debug follows."""

    def __init__(self) -> None:
        """Off."""
        self.clock = Clock()
        self.debug = Debug(self.clock)
        self.ask = self.debug.asked(lambda _: succeed(Answer(7, "secret reason")))
        self.run = self.debug.executed(lambda _: succeed(Reply(0)))

    def happen(self) -> None:
        """Let one of each happen."""
        self.ask(Request("token", "MONITOR", "web", '{"password": 1}'))
        self.run(Command(("/usr/sbin/crm_mon", "--secret"), 1.0))
        self.debug.looked("web", "tcp:1", Outcome(Result.BAD, "refused"))
        after = Record("web").noted(1.0, "started")
        self.debug.follow(edges(Record("web"), after), Record("web"), after)


def test_debug_is_off_until_asked_for_and_ends_by_itself(lines: list[LogEvent]) -> None:
    """Not even made before; and no argument, body or token in it."""
    debugged = Debugged()
    debugged.happen()
    assert said(lines) == []
    debugged.debug.begin([Record("web", phase=Phase.RUNNING)])
    debugged.happen()
    assert said(lines) == [
        "debug is on for 600 s; SIGUSR2 ends it",
        "web: is running, main process none",
        "web: MONITOR is answered 7 after 0.000 s",
        "crm_mon: exit status 0 after 0.000 s",
        "web: look of tcp:1: failed: refused",
        "web: journal: started",
    ]
    debugged.clock.advance(FOR)
    del lines[:]
    debugged.happen()
    assert said(lines) == [] and not debugged.debug.on


def test_debug_asked_again_lasts_from_then_on(lines: list[LogEvent]) -> None:
    """And ends when it is told to."""
    debugged = Debugged()
    debugged.debug.begin([])
    debugged.clock.advance(FOR - 1)
    debugged.debug.begin([])
    debugged.clock.advance(FOR - 1)
    assert debugged.debug.on
    debugged.debug.end()
    assert not debugged.debug.on and debugged.clock.getDelayedCalls() == []


def test_a_log_event_of_ours_has_what_the_fields_need(lines: list[LogEvent]) -> None:
    """A Logger's keywords are the event's keys."""
    Logger().info("{resource} | {line}", resource="web", line="hello")
    assert fields_of(lines[-1], 1)["TOCSIN_RESOURCE"] == "web"
