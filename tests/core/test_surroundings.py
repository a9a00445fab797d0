"""What `tocsin doctor` makes of the machine."""

from __future__ import annotations

import pytest

from tocsin_daemon.core import surroundings
from tocsin_daemon.core.diagnosis import Finding, Grade
from tocsin_daemon.core.surroundings import Path

WELL, NOTE, PROBLEM = Grade.WELL, Grade.NOTE, Grade.PROBLEM


@pytest.mark.parametrize(
    ("found", "grade", "says"),
    [
        (surroundings.software((3, 9, 2), (5, 4, 0), []), WELL, "3.9.2"),
        (surroundings.software((3, 8, 9), (6, 1), []), PROBLEM, "older than 3.9"),
        (surroundings.software((3, 11, 2), (4, 18), []), PROBLEM, "older than 5.4"),
        (surroundings.software((3, 11, 2), (6, 1), ["psutil"]), PROBLEM, "psutil"),
        (surroundings.programs([]), WELL, "are there"),
        (surroundings.programs(["/usr/lib/ocf/resource.d/tocsin/service"]), PROBLEM, "service"),
        (surroundings.rights(1, [Path("/r", 0, 0o700), Path("/r/secret", 0, 0o600)]), WELL, "root alone"),
        (surroundings.rights(1, [Path("/r", 0, None)]), WELL, "root alone"),
        (surroundings.rights(1, [Path("/r/secret", 0, 0o640)]), PROBLEM, "open to others (0640)"),
        (surroundings.rights(1, [Path("/r", 33, 0o700)]), PROBLEM, "belongs to user 33"),
        (surroundings.daemon(1, True, "tocsind 1.0", "1.0"), WELL, "answers"),
        (surroundings.daemon(1, True, "tocsind 0.9", "1.0"), PROBLEM, "tocsind 1.0 is installed"),
        (surroundings.daemon(1, True, "", "1.0"), PROBLEM, "no tocsind answers"),
        (surroundings.daemon(1, False, "", "1.0"), WELL, "none is needed"),
        (surroundings.port_taken(1, "port 1 is held by nc[7] of user bob, not by our daemon"), PROBLEM, "nc[7]"),
        (surroundings.clock(100.0, 99.0, True), WELL, "synchronised"),
        (surroundings.clock(100.0, 99.0, None), WELL, "no record"),
        (surroundings.clock(100.0, 99.0, False), NOTE, "not synchronised"),
        (surroundings.clock(100.0, 104.0, True), WELL, "synchronised"),
        (surroundings.clock(100.0, 200.0, True), PROBLEM, "100 s from now"),
        (surroundings.cgroups(["/c"], True, []), WELL, "/c"),
        (surroundings.cgroups([], False, []), NOTE, "no cgroup2"),
        (surroundings.cgroups(["/c"], False, []), NOTE, "cannot be written"),
        (surroundings.cgroups(["/c"], True, ["web"]), NOTE, "web"),
        (surroundings.disk("/run", 4096), PROBLEM, "4 KiB"),
        (surroundings.definition("/e/web.yaml", []), WELL, "is well"),
        (surroundings.definition("/e/web.yaml", ["/e/web.yaml:1: a", "b", "c"]), PROBLEM, "(and 2 more)"),
    ],
)
def test_each_situation_has_its_finding(found: list[Finding], grade: Grade, says: str) -> None:
    """A problem with a cure, and what is well without one."""
    assert [finding.grade for finding in found] == [grade]
    assert says in found[0].text
    assert bool(found[0].cure) == (grade is not WELL)


def test_what_is_no_news_is_not_said() -> None:
    """Room enough, a port that nobody took."""
    assert surroundings.disk("/run", 1 << 30) == surroundings.disk("/run", None) == surroundings.port_taken(1, "") == []
