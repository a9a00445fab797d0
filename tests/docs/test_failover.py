"""What docs/failover.md shows of `tocsin` is what `tocsin` prints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.world import Outside, status_xml
from tocsin_daemon import screen, status_screen
from tocsin_daemon.resource import Resource
from tocsin_daemon.view import as_json, timeline_json

PAGE = (Path(__file__).resolve().parents[2] / "docs/failover.md").read_text()
NIGHT = 1795222982.412
"""21 November 2026, 01:03 UTC."""
LAST_WORDS = ["Ready to accept connections", "Out of memory allocating 1048576 bytes"]


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def web(outside: Outside) -> Resource:
    """Return a service that has run for more than an hour."""
    outside.clock.advance(NIGHT - outside.clock.seconds())
    resource = outside.running()
    outside.clock.advance(4200)
    return resource


def died(outside: Outside) -> Resource:
    """Let it end, be reported, and be stopped by Pacemaker, each a moment later."""
    resource, clock, cluster = web(outside), outside.clock, outside.cluster
    outside.service.output.tail.extend(LAST_WORDS)
    outside.service.on_end(1)
    for pause, reply in ((0.019, status_xml()), (0.021, ""), (0.018, status_xml(call=12))):
        clock.advance(pause)
        cluster.reply(0, reply)
    clock.advance(0.004)
    resource.stop(20.0)
    clock.advance(0.002)
    outside.service.on_cleared()
    return resource


def held(outside: Outside) -> Resource:
    """Let it die while the cluster is in maintenance."""
    resource = web(outside)
    outside.service.on_end(-9)
    outside.cluster.reply(0, status_xml(maintenance=True))
    return resource


def shown(lines: str) -> str:
    """Return what a terminal shows: no blanks at the ends."""
    return "\n".join(line.rstrip() for line in lines.strip().splitlines())


@pytest.mark.parametrize(("happen", "nodes"), [(died, ["n2"]), (held, None)])
def test_status_is_what_the_page_shows(
    happen: Callable[[Outside], Resource], nodes: list[str] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of what failed and moved, and of what is held."""
    outside = Outside()
    row = as_json(happen(outside).record, outside.clock.seconds())
    status_screen.show_status([{**row, "runs_on": nodes}])
    assert shown(capsys.readouterr().out) in PAGE


def test_explain_is_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """Word for word."""
    screen.show_timeline(timeline_json(died(Outside()).record))
    assert shown(capsys.readouterr().out) in PAGE
