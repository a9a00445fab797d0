"""What `tocsin doctor` makes of the cluster: each situation has its finding, and what is well has none."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from tests.core.test_guard import WEB, WELL
from tocsin_daemon.core import diagnosis
from tocsin_daemon.core.diagnosis import Finding, Grade
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.pause import Pause
from tocsin_daemon.core.record import PROMOTED, Incident, Record
from tocsin_daemon.core.report import Stage
from tocsin_ocf.pacemaker import Cluster, Failure, Operation, Primitive, Role, Setting, Version
from tocsin_ocf.pacemaker.configured import Configured

UP = Record("web", node="n1", phase=Phase.RUNNING)
MONITOR = Operation("monitor", interval=60)


def grades(found: list[Finding]) -> set[Grade]:
    """Return how bad it is."""
    return {finding.grade for finding in found}


def thought(record: Record, cluster: Cluster = WELL) -> list[Finding]:
    """Return what is found of `web` on n1."""
    return diagnosis.thought(record, cluster, "n1", 1000.0)


def with_web(**changes: object) -> Cluster:
    """Return the well cluster with the resource changed."""
    return replace(WELL, instances=(replace(WEB, **changes),))


def test_what_both_think_is_well() -> None:
    """One line, no cure."""
    (finding,) = thought(UP)
    assert finding.grade is Grade.WELL and finding.cure == ""


@pytest.mark.parametrize(
    ("record", "cluster", "grade", "says", "cure"),
    [
        (UP, with_web(nodes=("n2",)), Grade.PROBLEM, "runs here, but for Pacemaker on n2", "pcs resource refresh web"),
        (UP, with_web(nodes=()), Grade.PROBLEM, "nowhere", "pcs resource refresh web"),
        (UP, replace(WELL, instances=()), Grade.PROBLEM, "not in the cluster's configuration", "service stop"),
        (replace(UP, phase=Phase.STOPPED), WELL, Grade.PROBLEM, "but is stopped", "pcs resource refresh web"),
        (replace(UP, phase=Phase.FAILED), WELL, Grade.PROBLEM, "has failed", "tocsin explain web"),
        (
            replace(UP, phase=Phase.FAILED, incident=Incident("a", "b", Stage.HELD)),
            *(WELL, Grade.PROBLEM, "its report is held", "tocsin explain web"),
        ),
        (replace(UP, phase=Phase.STARTING), WELL, Grade.NOTE, "is starting", ""),
        (UP, with_web(role=Role.PROMOTED), Grade.PROBLEM, "is unpromoted, for Pacemaker not", "refresh"),
        (
            replace(UP, phase=Phase.PROMOTED, role=PROMOTED),
            *(with_web(role=Role.UNPROMOTED), Grade.PROBLEM, "is promoted, for Pacemaker not", "refresh"),
        ),
        (UP, with_web(managed=False), Grade.NOTE, "is unmanaged", "pcs resource manage web"),
        (UP, with_web(maintenance=True, managed=False), Grade.NOTE, "maintenance", "pcs"),
        (
            replace(UP, pause=Pause("disk", "bob", 0, 2000)),
            WELL,
            Grade.NOTE,
            "paused by bob: disk",
            "tocsin resume web",
        ),
        (replace(UP, degraded="slow"), WELL, Grade.NOTE, "is degraded: slow", "tocsin status"),
        (replace(UP, refused="f:1: x", config="/e/web.yaml"), WELL, Grade.PROBLEM, "f:1: x", "check /e/web.yaml"),
        (UP, replace(WELL, failures=(Failure("web_monitor_60000", "n1", 4),)), Grade.NOTE, "remembers", "cleanup web"),
    ],
)
def test_what_differs_is_found_with_its_cure(
    record: Record, cluster: Cluster, grade: Grade, says: str, cure: str
) -> None:
    """One finding each."""
    (finding,) = thought(record, cluster)
    assert (finding.subject, finding.grade) == ("web", grade)
    assert says in finding.text and cure in finding.cure


@pytest.mark.parametrize(
    ("record", "cluster"),
    [
        (replace(UP, phase=Phase.STOPPED), replace(WELL, instances=())),
        (replace(UP, phase=Phase.STOPPED), with_web(nodes=("n2",))),
        (replace(UP, phase=Phase.PROMOTED, role=PROMOTED), with_web(role=Role.PROMOTED)),
        (UP, with_web(role=Role.UNPROMOTED)),
        (UP, with_web(role=Role.STARTED)),
        (UP, replace(WELL, failures=(Failure("web_monitor_60000", "n2", 4), Failure("website_start_0", "n1", 4)))),
        (replace(UP, pause=Pause("disk", "bob", 0, 999)), WELL),
    ],
)
def test_what_is_no_difference_is_not_found(record: Record, cluster: Cluster) -> None:
    """Others' failures, a pause that is over, what is stopped on both sides."""
    assert grades(thought(record, cluster)) <= {Grade.WELL}


@pytest.mark.parametrize(("phase", "active"), list(product(Phase, [True, False])))
def test_in_every_phase_something_is_said_and_nothing_raises(phase: Phase, active: bool) -> None:
    """A resource without a line was forgotten."""
    assert thought(replace(UP, phase=phase), with_web(nodes=("n1",) if active else ()))


@pytest.mark.parametrize(
    ("version", "threshold", "expected"),
    [
        (Version(2, 1, 5), "3", {Grade.NOTE}),
        (Version(2, 1, 5), "2", {Grade.NOTE, Grade.PROBLEM}),
        (Version(2, 1, 5), "1", {Grade.NOTE}),
        (Version(2, 0, 5), "", {Grade.NOTE}),
        (Version(2, 1, 6), "2", {Grade.WELL}),
        (Version(3, 0, 2), "2", {Grade.WELL}),
        (None, "", {Grade.PROBLEM}),
    ],
)
def test_the_version_that_counts_twice_is_known(version: Version | None, threshold: str, expected: set[Grade]) -> None:
    """Up to 2.1.5; a problem where one failure may then look like two that are too many."""
    primitive = Configured(Primitive("web"), {"migration-threshold": threshold} if threshold else {})
    assert grades(diagnosis.version(version, [primitive])) == expected


def configured(
    *operations: Operation, promotable: bool = False, remote: str = "", notify: str = "", **parameters: str
) -> list[Finding]:
    """Return what is found of the configuration of `web`."""
    settings = tuple(Setting(name, value) for name, value in parameters.items())
    primitive = Primitive("web", settings=settings, operations=operations)
    return diagnosis.configured(Configured(primitive, {"notify": notify}), promotable, remote)


def test_the_configuration_that_keeps_a_failure_from_being_told_is_found() -> None:
    """Each with the pcs command that mends it, and all at once."""
    assert configured(MONITOR) == []
    (mismatch,) = configured(replace(MONITOR, on_fail="fence"))
    assert "on-fail of monitor is fence" in mismatch.text and "op asyncmon" in mismatch.cure
    (unwatched,) = configured(MONITOR, promotable=True)
    assert "role=Promoted" in unwatched.text and "pcs resource op add web monitor" in unwatched.cure
    (remote,) = configured(MONITOR, remote="r1")
    assert "r1 is a Pacemaker Remote node" in remote.text and "monitor_hold=45" in remote.cure
    assert configured(MONITOR, remote="r1", monitor_hold="45") == []
    (deaf,) = configured(MONITOR, notify_command="/bin/x")
    assert "notify_command is never run" in deaf.text and "notify=true" in deaf.cure
    assert configured(MONITOR, notify_command="/bin/x", notify="True") == []
    assert len(configured(replace(MONITOR, on_fail="fence"), promotable=True, remote="r1", notify_command="/x")) == 4


def test_what_is_active_here_without_a_record_is_found() -> None:
    """By its primitive: web:0 is an instance of web."""
    primitives = [Configured(Primitive("web")), Configured(Primitive("db"))]
    clone = replace(WELL, instances=(replace(WEB, id="web:0"), replace(WEB, id="db", nodes=("n2",))))
    (finding,) = diagnosis.unknown(primitives, set(), clone, "n1")
    assert finding.subject == "web" and finding.grade is Grade.PROBLEM
    assert diagnosis.unknown(primitives, {"web"}, clone, "n1") == []
