"""What the state of a systemd unit means: the whole table of states, and the words an administrator reads."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from tocsin_daemon.core.unit import (
    BRINGING,
    RESULTS,
    State,
    Unit,
    Verdict,
    judge,
    refusal,
    state_of,
    unit_of,
    why_ended,
    words,
)

UP = Unit("web.service", active="active", sub="running", main=7, last_main=7, invocation="a1")
DOWN = Unit("web.service")
KILLED = replace(DOWN, active="failed", sub="failed", result="signal", code=2, status=9, last_main=7)

STATES = [
    ("active", "running", "", State.RUNNING),
    ("active", "exited", "", State.RUNNING),
    ("active", "running", "stop", State.RUNNING),
    ("reloading", "reload", "", State.RUNNING),
    ("refreshing", "refresh", "", State.RUNNING),
    ("activating", "start-pre", "start", State.COMING),
    ("activating", "start", "", State.COMING),
    ("activating", "auto-restart", "", State.FAILED),
    ("activating", "auto-restart-queued", "restart", State.FAILED),
    ("deactivating", "stop-sigterm", "", State.GOING),
    ("deactivating", "stop-sigterm", "stop", State.GOING),
    ("deactivating", "stop-sigterm", "restart", State.COMING),
    ("deactivating", "stop-sigterm", "try-restart", State.COMING),
    ("inactive", "dead", "", State.GONE),
    ("inactive", "dead", "stop", State.GONE),
    ("inactive", "dead", "start", State.COMING),
    ("failed", "failed", "", State.FAILED),
    ("failed", "failed", "start", State.COMING),
    ("maintenance", "cleaning", "", State.UNKNOWN),
    ("", "", "", State.UNKNOWN),
]


@pytest.mark.parametrize(("active", "sub", "job", "state"), STATES)
def test_a_state_of_systemds_is_one_of_ours(active: str, sub: str, job: str, state: State) -> None:
    """Whatever is to come of it counts, if somebody has asked for it."""
    assert state_of(Unit("x.service", active=active, sub=sub, job_type=job)) is state


def test_what_nobody_says_is_not_known() -> None:
    """And never a failure."""
    assert state_of(None) is State.UNKNOWN
    assert judge(UP, None) is judge(None, None) is Verdict.WAIT


@pytest.mark.parametrize(("known", "job"), list(product((None, UP), sorted(BRINGING))))
@pytest.mark.parametrize("active", ["inactive", "failed", "deactivating"])
def test_a_unit_with_a_job_that_brings_it_back_has_not_ended(known: Unit, job: str, active: str) -> None:
    """While it is being started, and while an administrator restarts it."""
    assert judge(known, replace(DOWN, active=active, job_type=job)) is Verdict.WAIT


@pytest.mark.parametrize("known", [None, UP])
@pytest.mark.parametrize("now", [DOWN, KILLED, replace(UP, active="deactivating")])
def test_a_unit_that_is_not_up_has_ended(known: Unit, now: Unit) -> None:
    """Before or after it was up."""
    assert judge(known, now) is Verdict.ENDED


def test_a_unit_is_up_when_it_is_active() -> None:
    """Once; another main process is told again."""
    assert judge(None, UP) is Verdict.UP
    assert judge(UP, UP) is judge(UP, replace(UP, active="reloading", job=3)) is Verdict.WAIT
    assert judge(UP, replace(UP, main=8)) is Verdict.UP


def test_a_restart_on_somebodys_word_is_followed() -> None:
    """One that systemd made itself is the end of what it replaced."""
    again = replace(UP, invocation="b2", main=9)
    assert judge(UP, again) is Verdict.UP
    assert judge(UP, replace(again, restarts=1)) is Verdict.ENDED
    assert "restarted it" in why_ended(replace(again, restarts=1))


WHY = [
    (KILLED, "", "failed: main process 7 was killed by signal 9 (KILL)"),
    (replace(KILLED, result="exit-code", code=1, status=3), "", "failed: main process 7 exited with status 3"),
    (replace(KILLED, result="core-dump", code=3, status=6), "", "failed: main process 7 was killed by signal 6 (ABRT)"),
    (replace(KILLED, result="oom-kill"), "", "lack of memory; main process 7 was killed by signal 9 (KILL)"),
    (replace(KILLED, result="watchdog", code=3, status=6), "", "it missed the watchdog"),
    (replace(KILLED, result="timeout", code=1, status=0), "", "it took longer to start or stop than its unit allows"),
    (replace(DOWN, active="failed", result="start-limit-hit"), "", "start-limit-hit"),
    (replace(DOWN, active="failed", result="something-new"), "", "failed: something-new"),
    (DOWN, "", "stopped, and not by Pacemaker"),
    (replace(UP, active="deactivating", sub="stop"), "", "stopped, and not by Pacemaker"),
    (
        replace(DOWN, code=1, last_main=7),
        "done",
        "ended, and not by Pacemaker (systemctl stop?): main process 7 exited with status 0",
    ),
    (
        replace(DOWN, code=2, status=15, last_main=7),
        "",
        "not by Pacemaker (systemctl stop?): main process 7 was killed by signal 15 (TERM)",
    ),
    (replace(DOWN, type="oneshot", remains=True, code=1), "", "stopped, and not by Pacemaker"),
    (DOWN, "dependency", "something that it requires could not be started"),
    (DOWN, "canceled", "its job was canceled"),
    (replace(DOWN, condition=False), "done", "a condition or assertion of the unit does not hold"),
    (replace(DOWN, type="oneshot"), "done", "a service needs RemainAfterExit=yes"),
    (replace(DOWN, active="failed", sub="failed"), "", "failed (failed)"),
]


@pytest.mark.parametrize(("unit", "job", "said"), WHY)
def test_why_a_unit_is_down_is_said_in_words(unit: Unit, job: str, said: str) -> None:
    """All that systemd tells of it."""
    assert why_ended(unit, job).startswith("web.service") and said in why_ended(unit, job)


@pytest.mark.parametrize("result", RESULTS)
def test_a_result_has_words(result: str) -> None:
    """And they say that it failed."""
    assert words(replace(DOWN, active="failed", result=result)) == f"web.service failed: {RESULTS[result]}"


def test_a_state_that_is_no_failure_is_only_named() -> None:
    """It may be what somebody wants."""
    assert words(UP) == "web.service is active (running)"
    assert words(DOWN) == "web.service is inactive (dead)"


@pytest.mark.parametrize(
    ("code", "status", "exit_status"), [(0, 0, None), (1, 0, 0), (1, 3, 3), (2, 9, -9), (3, 6, -6)]
)
def test_an_exit_status_is_negative_for_a_signal(code: int, status: int, exit_status: "int | None") -> None:
    """None while it runs."""
    assert replace(DOWN, code=code, status=status).exit_status == exit_status


REFUSED = [
    ("masked", "", "is masked; systemctl unmask web.service"),
    ("not-found", "Unit web.service not found.", "does not know a unit web.service"),
    ("bad-setting", "no ExecStart=", "cannot load web.service: no ExecStart="),
    ("error", "", "cannot load web.service: error"),
]


@pytest.mark.parametrize(("load", "error", "said"), REFUSED)
def test_what_is_not_installed_is_refused(load: str, error: str, said: str) -> None:
    """With what would help."""
    assert said in refusal(Unit("web.service", load=load, load_error=error))


@pytest.mark.parametrize("load", ["loaded", "merged", "stub"])
def test_what_is_installed_is_not_refused(load: str) -> None:
    """Systemd has the last word."""
    assert refusal(Unit("web.service", load=load)) == ""


@pytest.mark.parametrize(
    ("ends", "changed"),
    [
        (True, {}),
        (True, {"type": "exec"}),
        (False, {"type": "forking"}),
        (False, {"type": "notify"}),
        (False, {"remains": True}),
        (False, {"restart": "always"}),
    ],
)
def test_the_end_of_a_main_process_is_the_end_of_a_simple_service(ends: bool, changed: "dict[str, Any]") -> None:
    """Others may pass the service on, or be restarted."""
    assert replace(UP, **changed).ends_with_main is ends


@pytest.mark.parametrize("mode", ["process", "none", "control-group", "mixed"])
def test_a_unit_says_whether_processes_of_it_stay(mode: str) -> None:
    """Then nobody kills them."""
    assert replace(UP, kill_mode=mode).leaves_processes is (mode in ("process", "none"))


def test_a_unit_is_read_from_its_properties() -> None:
    """Those that are missing, for it is no service, have no effect."""
    found: dict[str, Any] = {
        "Id": "web.service",
        "LoadState": "loaded",
        "LoadError": ("", ""),
        "ActiveState": "active",
        "SubState": "running",
        "MainPID": 7,
        "ExecMainPID": 7,
        "InvocationID": b"\xa1",
        "Job": (3, "/org/freedesktop/systemd1/job/3"),
        "Type": "simple",
        "ConditionResult": False,
    }
    assert unit_of(found) == replace(UP, job=3)
    assert unit_of({**found, "ConditionTimestamp": 5}).condition is False
    socket = unit_of({"Id": "x.socket", "ActiveState": "active", "SubState": "listening"})
    assert state_of(socket) is State.RUNNING and socket.main == 0
