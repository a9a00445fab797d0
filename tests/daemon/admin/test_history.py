"""`tocsin explain` and `tocsin events`, from what a daemon left."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.daemon.admin.node import WEB, Node, history
from tocsin_daemon import screen
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Failure, Record


def test_any_incident_that_is_kept_can_be_explained(node: Node) -> None:
    """With its own evidence, and the journal up to the next one."""
    node.leave(history(14))
    last = node("explain", "web").output
    assert "incident 14 on n1" in last and "cause 14" in last and "bye 14" in last and "seen 14" in last
    assert " 13  " in last and "cause 13" in last and "bye 13" not in last
    for number in range(4, 14):
        said = node("explain", "web", str(number)).output
        assert f"incident {number} of 14" in said and f"bye {number}" in said
        journal = said.partition("journal:\n")[2].splitlines()
        assert journal == [f"  {screen.clock(1000.0 * number)} seen {number}"]
    told = json.loads(node("explain", "--json", "web", "7").output)
    assert (told["number"], told["incident"]["cause"], told["until"]) == (7, "cause 7", 8000.0)


@pytest.mark.parametrize(
    ("kept", "number", "says"), [(14, 3, "4 to 14 are kept"), (1, 2, "only 1 is kept"), (0, 5, "none")]
)
def test_an_incident_that_is_not_kept_is_not_explained(node: Node, kept: int, number: int, says: str) -> None:
    """And it is said which are."""
    node.leave(history(kept))
    result = node("explain", "web", str(number))
    assert result.exit_code == 1 and says in result.output


def test_a_failed_start_is_explained_with_its_last_output(node: Node) -> None:
    """Alone, and after an incident."""
    failure = Failure(1, "start: exited with 3", output=("cannot read web.conf",))
    node.leave(replace(WEB, phase=Phase.FAILED, failure=failure))
    said = node("explain", "web").output
    assert "cause   start: exited with 3" in said and "  cannot read web.conf" in said
    node.leave(replace(history(1), phase=Phase.FAILED, failure=failure))
    said = node("explain", "web").output
    assert "cause   cause 1" in said and "then    start: exited with 3" in said and "  cannot read web.conf" in said


def test_events_are_merged_limited_and_in_json(node: Node) -> None:
    """From what a daemon left, too."""
    node.leave(WEB.noted(1.0, "a").noted(3.0, "c"), Record("db").noted(2.0, "b"))
    assert [line.split(" ", 2)[2] for line in node("events").output.splitlines()] == ["web: a", "db: b", "web: c"]
    assert node("events", "-n", "1", "--json").output == '{"at": 3.0, "resource": "web", "text": "c"}\n'
    assert node("events", "db").output.endswith(" db: b\n")
    assert node("events", "nobody").exit_code == 1
    assert node("events", "-n", "0").output == ""
