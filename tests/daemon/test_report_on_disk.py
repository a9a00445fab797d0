"""A report as the next daemon finds it: wherever the former one died, nothing is sent twice, and nothing in vain."""

from __future__ import annotations

import pytest

from tests.fakes.asking import failed, incident, stage
from tests.fakes.world import DEFINITION, Outside, status_xml
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.core.report import FINAL, Stage
from tocsin_daemon.daemon import RESUME_QUIET


def test_the_stage_is_on_disk_before_the_injection_runs() -> None:
    """A daemon that dies now is followed by one that looks before it sends again."""
    outside = Outside()
    failed(outside)
    outside.cluster.reply(0, status_xml())
    on_disk = outside.store.load("web").incident
    assert on_disk is not None
    assert (on_disk.stage, on_disk.injections) == (Stage.SENDING, 1)


@pytest.mark.parametrize("cut", range(4))
def test_a_report_cut_at_any_step_and_resumed_from_disk_ends_in_the_same_place(cut: int) -> None:
    """Kill -9 of the daemon after each step: one more look, at most the one injection, acknowledged."""
    before = Outside()
    failed(before)
    steps = [(0, status_xml()), (0, ""), (0, status_xml(call=5))]
    sent = 0
    for code, xml in steps[:cut]:
        sent += "--fail" in before.cluster.reply(code, xml)
    record = before.store.load("web")

    after = Outside()
    after.survives = False
    resource = after.take_up(record)
    assert resource.record.phase is Phase.FAILED
    after.clock.advance(RESUME_QUIET)
    while stage(resource) not in FINAL:
        command = after.cluster.asked[-1][0]
        taken = sent or after.cluster.count("--fail")
        after.cluster.reply(0, "" if "--fail" in command else status_xml(call=5 if taken else 0))
        after.clock.pump([0.25, 0.25])
    assert stage(resource) is Stage.ACKNOWLEDGED
    assert sent + after.cluster.count("--fail") == 1


@pytest.mark.parametrize("how", ["stop", "start", "heal"])
def test_at_no_moment_is_a_report_on_disk_that_would_fail_what_has_failed_no_more(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was held; the end of a pause would have it looked at again, find the service managed, and fail it."""
    outside = Outside()
    resource = outside.running()
    outside.watch.say(failed="check http failed")
    outside.cluster.reply(0, status_xml(maintenance=True))
    assert stage(resource) is Stage.HELD
    saved: list[Record] = []
    monkeypatch.setattr(outside.store, "save", saved.append)
    asked = {
        "stop": lambda: resource.stop(20.0),
        "start": lambda: resource.start(DEFINITION, "n1", 20.0),
        "heal": lambda: outside.watch.say(failed=""),
    }
    asked[how]()
    assert len(saved) > 1
    for record in saved:
        after = Outside()
        assert not incident(after.take_up(record)).pending


def test_at_no_moment_is_a_second_failure_on_disk_with_what_was_known_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first has passed, and its report with it: a daemon that dies there is followed by one that reports."""
    outside = Outside()
    resource = outside.running()
    outside.watch.say(failed="check http failed")
    outside.watch.say(failed="")
    assert stage(resource) is Stage.WITHDRAWN
    saved: list[Record] = []
    monkeypatch.setattr(outside.store, "save", saved.append)
    outside.service.on_end(-9)
    failed = [record for record in saved if record.phase is Phase.FAILED]
    assert len(failed) > 1
    for record in failed:
        after = Outside()
        after.survives = False
        assert stage(after.take_up(record)) is Stage.CHECKING


def test_a_daemon_that_has_just_begun_listens_before_it_reports() -> None:
    """A stop may have started it."""
    before = Outside()
    failed(before)
    after = Outside()
    resource = after.take_up(before.store.load("web"))
    assert after.cluster.asked == []
    resource.stop(20.0)
    after.clock.advance(60)
    assert after.cluster.asked == []
