"""The record: what is written is what is read, and rubbish is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.pause import Pause
from tocsin_daemon.core.record import (
    JOURNAL_LENGTH,
    PAST_LENGTH,
    PAST_LINE,
    PAST_LINES,
    BadRecord,
    Entry,
    Failure,
    Incident,
    Main,
    Record,
    dump,
    load,
)
from tocsin_daemon.core.report import FINAL, Stage

WHOLE = Record(
    "web",
    node="n1",
    phase=Phase.FAILED,
    since=12.5,
    incarnation="abc",
    definition={"command": ["/bin/true"], "stop_signal": 15},
    main=Main(4711, 99, "boot"),
    members={4711: 99, 4712: 100},
    failure=Failure(7, "killed"),
    incident=Incident("abc", "killed", Stage.SENDING, "", 1, 1, 7, {"detected": 1.5}, ("bye",), ("x[1] S",)),
    incidents=3,
    restarts=(1.5, 2.5),
    warning="on-fail differs",
    journal=(Entry(1.0, "begun"),),
    past=(Incident("aaa", "drill", Stage.LEARNED, drill=True), Incident("aab", "killed", Stage.DROPPED)),
    pause=Pause("new disk", "alice", 1.0, 3601.0),
    lines=7,
)


def test_a_record_survives_the_disk() -> None:
    """Written and read again it is the same."""
    assert load(dump(WHOLE)) == WHOLE
    assert load(dump(Record("web"))) == Record("web")


@given(st.text(), st.sampled_from(Phase), st.sampled_from(Stage), st.lists(st.text(), max_size=3))
def test_any_text_survives_the_disk(text: str, phase: Phase, stage: Stage, lines: list[str]) -> None:
    """Whatever a service writes, quotes, newlines, emoji."""
    incident = Incident(text, text, stage, output=tuple(lines))
    record = Record("web", phase=phase, failure=Failure(1, text), incident=incident).noted(1.0, text)
    assert load(dump(record)) == record


def test_a_record_cut_at_any_length_is_refused_not_misread() -> None:
    """A torn file is a BadRecord at every length but the whole."""
    text = dump(WHOLE)
    for length in range(len(text)):
        with pytest.raises(BadRecord):
            load(text[:length])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "7",
        '"x"',
        '{"version":2}',
        '{"version":1}',
        '{"version":4}',
        '{"version":5}',
        '{"version":3,"phase":"running"}',
        "\0" * 100,
        "[" * 100_000,
        dump(WHOLE).replace('"pid":', '"pid":1e999,"was":'),
    ],
)
def test_rubbish_is_refused(text: str) -> None:
    """Other JSON, other versions, no JSON."""
    with pytest.raises(BadRecord):
        load(text)


@pytest.mark.parametrize("name", json.loads(dump(WHOLE)))
def test_a_missing_or_wrong_field_is_refused_or_defaulted(name: str) -> None:
    """Never another exception than BadRecord."""
    for wrong in ("missing", 3.5, "x", [1], {"a": "b"}):
        fields = json.loads(dump(WHOLE))
        fields.pop(name)
        if wrong != "missing":
            fields[name] = wrong
        try:
            load(json.dumps(fields))
        except BadRecord:
            continue


SINCE = {
    2: {"restarts": (), "warning": ""},
    3: {"next": None, "config": "", "degraded": "", "refused": ""},
    4: {"role": "", "ready": False},
    5: {"past": (), "pause": None, "lines": 1},
}
"""The fields that came with each version, and what they mean in a record without them."""


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_record_of_an_older_version_is_read(version: int) -> None:
    """Written by the daemon before an upgrade; what it did not know yet gets its meaning from then."""
    later = {name: value for since, fields in SINCE.items() if since > version for name, value in fields.items()}
    older = replace(WHOLE, **later)  # type: ignore[arg-type]
    fields = {name: value for name, value in json.loads(dump(older)).items() if name not in later}
    assert load(json.dumps({**fields, "version": version})) == older


def test_the_journal_is_bounded() -> None:
    """The oldest lines go."""
    record = Record("web")
    for number in range(JOURNAL_LENGTH + 5):
        record = record.noted(float(number), str(number))
    assert len(record.journal) == JOURNAL_LENGTH
    assert record.journal[0].text == "5"
    assert record.lines == JOURNAL_LENGTH + 5


def test_the_incidents_before_the_last_are_kept_shortened_and_bounded() -> None:
    """Every change of the record writes all of them."""
    record = Record("web")
    evidence = tuple(f"{number}{'x' * 1000}" for number in range(20))
    for number in range(PAST_LENGTH + 3):
        record = record.with_incident(Incident(str(number), "killed", output=evidence, processes=evidence))
    assert record.incidents == PAST_LENGTH + 3
    assert record.incident is not None and record.incident.output == evidence
    assert [incident.incarnation for incident in record.past] == [str(number) for number in range(2, PAST_LENGTH + 2)]
    for incident in record.past:
        assert len(incident.output) == len(incident.processes) == PAST_LINES
        assert incident.output[-1] == evidence[-1][:PAST_LINE]
    assert load(dump(record)) == record


def test_a_step_is_marked_once() -> None:
    """The first time counts."""
    assert Incident("a", "b").marked("detected", 1.0).marked("detected", 2.0).marks == {"detected": 1.0}


def test_pending_is_what_is_not_final() -> None:
    """`status` shows it."""
    assert {stage for stage in Stage if not Incident("a", "b", stage).pending} == FINAL
