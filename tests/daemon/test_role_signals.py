"""A signal that changes the role of a service: to whom, in which order, and what is said where nobody hears it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.asking import now
from tests.fakes.world import Outside
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase


def test_signals_keep_their_order_with_what_is_asked_in_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that did not run for a while finds several requests; what it is asked last is what holds."""
    outside = Outside()
    monkeypatch.setattr("tocsin_daemon.roles.processes.look", lambda pid: _Alive(pid))
    monkeypatch.setattr(
        "tocsin_daemon.roles.processes.send_signal", lambda _, number: outside.service.events.append(f"signal {number}")
    )
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    for ask in (resource.promote, resource.demote, resource.promote):
        ask(20.0, {})
    outside.clock.advance(0)
    assert (resource.record.phase, resource.record.role) == (Phase.PROMOTED, "promoted")
    resource.demote(20.0, {})
    resource.stop(20.0)
    outside.clock.advance(0)
    assert outside.service.events == ["start", "signal 10", "signal 12", "signal 10", "signal 12", "clear"]


def test_a_service_that_is_no_process_hears_no_signal() -> None:
    """Which is said at once."""
    outside = Outside()
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    resource.service.up(None)
    assert now(resource.promote(20.0, {})) == Answer(
        1, "promote: promote_signal is not heard: there is no main process"
    )


def test_a_signal_to_what_has_ended_is_answered_by_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which the driver is about to tell."""
    monkeypatch.setattr("tocsin_daemon.roles.processes.look", lambda pid: None)
    outside = Outside()
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    got = resource.promote(20.0, {})
    outside.service.on_end(-9)
    answer = now(got)
    assert answer is not None and "was killed" in answer.text
    outside.clock.advance(30)
    assert resource.record.phase is Phase.FAILED


def test_a_signal_changes_the_role_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of exactly the main process."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr("tocsin_daemon.roles.processes.look", lambda pid: _Alive(pid))
    monkeypatch.setattr("tocsin_daemon.roles.processes.send_signal", lambda p, number: sent.append((p.pid, number)))
    outside = Outside()
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    got = resource.promote(20.0, {})
    outside.clock.advance(0)
    assert now(got) == Answer(0)
    now(resource.demote(20.0, {}))
    outside.clock.advance(0)
    assert sent == [(4711, 10), (4711, 12)]
    assert resource.record.phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("ways", "before", "after", "phase"),
    [
        (["promote"], {"degraded": "slow"}, {"degraded": ""}, Phase.PROMOTED),
        (["promote", "demote"], {}, {"degraded": "slow"}, Phase.RUNNING),
        (["promote", "demote"], {}, {"failed": "check one failed"}, Phase.FAILED),
    ],
)
def test_what_the_checks_of_the_new_role_say_counts(
    monkeypatch: pytest.MonkeyPatch,
    ways: list[str],
    before: dict[str, str],
    after: dict[str, str],
    phase: Phase,
) -> None:
    """Though the role changes within the request, and nobody tells that those of the old one are over."""
    monkeypatch.setattr("tocsin_daemon.roles.processes.look", lambda pid: _Alive(pid))
    monkeypatch.setattr("tocsin_daemon.roles.processes.send_signal", lambda *_: None)
    outside = Outside()
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    outside.watch.say(**before)
    for way in ways[:-1]:
        getattr(resource, way)(20.0, {})
        outside.clock.advance(0)
    watch = outside.watch

    def silently(role: str, *, settled: bool) -> None:
        watch.role, watch.settled, watch.verdict = role, settled, replace(watch.verdict, **after)  # type: ignore[arg-type]

    monkeypatch.setattr(watch, "set_role", silently)
    getattr(resource, ways[-1])(20.0, {})
    outside.clock.advance(0)
    assert resource.record.phase is phase
    assert resource.record.degraded == after.get("degraded", "")


def test_a_stopped_process_hears_no_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would change its role when it goes on, and until then somebody else is promoted."""
    sent: list[int] = []
    monkeypatch.setattr("tocsin_daemon.roles.processes.look", lambda pid: _Alive(pid, "T"))
    monkeypatch.setattr("tocsin_daemon.roles.processes.send_signal", lambda p, number: sent.append(number))
    outside = Outside()
    resource = outside.running(promote_signal="USR1", demote_signal="USR2")
    got = resource.promote(20.0, {})
    outside.clock.advance(0)
    answer = now(got)
    assert answer is not None and answer.code == 1
    assert answer.text.startswith("promote: promote_signal is not heard")
    assert sent == []


class _Alive:
    def __init__(self, pid: int, state: str = "S") -> None:
        self.pid, self.start, self.alive, self.state = pid, 99, True, state
