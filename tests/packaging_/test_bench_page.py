"""What is rendered of the results of ./dev bench: ratios, promises kept and missed, a figure that is well-formed."""

from __future__ import annotations

import copy
from typing import Any
from xml.etree import ElementTree

import pytest

import bench_figure
import bench_page


def spread(middle: float) -> dict[str, float]:
    """Return a spread around this."""
    return {"n": 20, "p50": middle, "p99": 2 * middle, "max": 3 * middle}


def grown(services: int) -> dict[str, Any]:
    """Return a row of so many services."""
    one = {"detected": spread(0.5), "crm_resource": spread(3.0)}
    row = {"services": services, "check": "process only", "cold_start_s": 0.5, "starts_s": 1.0, "cpu_percent": 0.5}
    row.update(rss_mib=50.0, monitor_ms=0.5, monitor_cpu_ms=0.2, readopted_s=0.7, one=one)
    return row if services == 1 else {**row, "all": {**one, "cpu_ms_each": 2.0}}


def called(cpu: float) -> dict[str, float]:
    """Return what a call cost."""
    return {"runs": 60, "cpu_ms": cpu, "wall_ms": cpu}


def died(milliseconds: float) -> dict[str, dict[str, float]]:
    """Return the steps of a death."""
    return {"reported": spread(milliseconds / 2), "recovered": spread(milliseconds)}


RESULTS: dict[str, Any] = {
    "failover": {"tocsin, injection": {"kills": 20, "p50": 400.0, "max": 600.0}},
    "machine": {
        "date": "2026-01-01",
        "cores": 2,
        "cpu": "a cpu",
        "kernel": "6.1",
        "versions": {"pacemaker": "2.1.5"},
        "load_before": 0.1,
        "load_after": 1.2,
        "minutes": 9.5,
    },
    "actions": {bench_page.BARE: called(6.0), bench_page.OURS: called(8.4), bench_page.ANYTHING: called(6.0)},
    "deaths": {
        bench_page.INJECTION: died(100.0),
        bench_page.HELD: died(80.0),
        bench_page.POLLED[1]: died(600.0),
        bench_page.POLLED[10]: died(5000.0),
    },
    "scale": [grown(services) for services in (1, 300, 1000)],
}


def test_kept_promises_are_shown_with_their_figures() -> None:
    """By their ratios."""
    found = {what: (got, kept) for what, _, got, kept in bench_page.goals(RESULTS)}
    assert all(kept for _, kept in found.values())
    assert [got for got, _ in found.values()] == ["1.40", "50 x", "40 x", "6.0 ms", "0.50 %"]
    assert "missed" not in bench_page.short(RESULTS)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("actions", bench_page.OURS, "cpu_ms"), 9.1),
        (("deaths", bench_page.POLLED[10], "recovered", "p50"), 2900.0),
        (("scale", 2, "cpu_percent"), 60.0),
        (("scale", 1, "one", "crm_resource", "p99"), 10.5),
    ],
)
def test_a_missed_promise_is_called_missed(path: tuple[str | int, ...], value: float) -> None:
    """In the README and on the page."""
    results: Any = copy.deepcopy(RESULTS)
    place = results
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert "missed" in bench_page.short(results)
    assert "missed" in bench_page.whole(results)


def test_hours_of_cpu_count_agent_and_daemon() -> None:
    """Sixty monitors of 8.6 ms, and a thousandth of what the daemon takes."""
    first, alone, *polled = bench_page.hours(RESULTS).values()
    assert first == pytest.approx(60 * 0.0086 + 3600 * 0.005 / 1000)
    assert alone == pytest.approx(60 * 0.0086 + 3600 * 0.005)
    assert polled[:2] == pytest.approx([21.6, 2.16])
    assert polled[2] == pytest.approx(0.006 * 3600 / 0.1)


def test_the_figure_is_xml_inside_its_frame() -> None:
    """Every mark lies where it can be seen."""
    root = ElementTree.fromstring(bench_figure.draw(RESULTS))
    circles = [one for one in root if one.tag.endswith("circle")]
    assert len(circles) == 3 + 2 + 3
    for one in circles:
        assert 0 < float(one.attrib["cx"]) < bench_figure.WIDTH
        assert 0 < float(one.attrib["cy"]) < bench_figure.HEIGHT
    for one in (one for one in root if one.tag.endswith("rect")):
        assert float(one.attrib["width"]) > 0
