"""
What the state of a systemd unit means for the service that it is: systemd's properties in, a judgement out.

See org.freedesktop.systemd1(5) and systemd.service(5). A unit that is being restarted on somebody's word is on its way
back, and one whose state is not known has not failed: only what systemd has said ends a service here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tocsin_daemon.core import cause

EXITED, KILLED, DUMPED = 1, 2, 3
"""waitid(2): CLD_EXITED, CLD_KILLED, CLD_DUMPED."""
NOT_INSTALLED = frozenset({"not-found", "masked", "bad-setting", "error"})
"""LoadState of what cannot be started on this node, whoever tries."""
BRINGING = frozenset({"start", "restart", "try-restart", "reload-or-start"})
"""Jobs after which a unit that is down now is up."""
OF_MAIN = frozenset({"exit-code", "signal", "core-dump"})
"""Results that only repeat how the main process has ended."""
RESULTS = {
    "protocol": "it did not do what its Type= promises, such as write its pid file or say that it is ready",
    "timeout": "it took longer to start or stop than its unit allows",
    "watchdog": "it missed the watchdog that its unit asks for",
    "oom-kill": "a process of it was killed for lack of memory",
    "start-limit-hit": "systemd refuses to start it so often (start-limit-hit; systemctl reset-failed allows it again)",
    "resources": "systemd lacked something to start it with, such as a file or a right",
    "exec-condition": "its ExecCondition= says that it is not to run",
}
KEPT_WITH_MAIN = frozenset({"simple", "exec", "idle"})
"""Types of service whose end is their main process's, whatever else they do; others may pass it on to another."""


class State(Enum):
    """What a unit is for its service."""

    RUNNING = "running"
    COMING = "on its way up"
    GOING = "on its way down"
    GONE = "stopped"
    FAILED = "failed"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Unit:
    """A unit as systemd sees it at one moment; `job` 0 is none, `main` 0 no main process."""

    name: str
    load: str = "loaded"
    load_error: str = ""
    active: str = "inactive"
    sub: str = "dead"
    result: str = "success"
    main: int = 0
    last_main: int = 0
    """The main process that runs, or has run last."""
    code: int = 0
    status: int = 0
    job: int = 0
    job_type: str = ""
    cgroup: str = ""
    invocation: str = ""
    """Another one each time that the unit is started."""
    restarts: int = 0
    """How often systemd has restarted it by itself (Restart=)."""
    type: str = "simple"
    remains: bool = False
    kill_mode: str = "control-group"
    restart: str = "no"
    reload_needed: bool = False
    drop_ins: tuple[str, ...] = ()
    condition: bool = True
    """Its conditions held when it was started last; true where it never was."""
    enabled: str = ""

    @property
    def exit_status(self) -> int | None:
        """How its last main process has ended, negative for a signal; None while it runs or where there was none."""
        if self.code == EXITED:
            return self.status
        return -self.status if self.code in (KILLED, DUMPED) else None

    @property
    def ends_with_main(self) -> bool:
        """Tell whether the end of the main process is the end of the service: nobody follows it."""
        return self.type in KEPT_WITH_MAIN and not self.remains and self.restart == "no"

    @property
    def leaves_processes(self) -> bool:
        """Tell whether its unit says that processes of it are to outlive it."""
        return self.kill_mode in ("process", "none")


def unit_of(found: Mapping[str, Any]) -> Unit:
    """Return the unit in its properties, of Unit and Service together; what is no service lacks the latter."""
    return Unit(
        name=found.get("Id", ""),
        load=found.get("LoadState", ""),
        load_error=(found.get("LoadError") or ("", ""))[1],
        active=found.get("ActiveState", ""),
        sub=found.get("SubState", ""),
        result=found.get("Result", "success"),
        main=found.get("MainPID", 0),
        last_main=found.get("ExecMainPID", 0),
        code=found.get("ExecMainCode", 0),
        status=found.get("ExecMainStatus", 0),
        job=(found.get("Job") or (0, ""))[0],
        cgroup=found.get("ControlGroup", ""),
        invocation=bytes(found.get("InvocationID") or b"").hex(),
        restarts=found.get("NRestarts", 0),
        type=found.get("Type", ""),
        remains=found.get("RemainAfterExit", False),
        kill_mode=found.get("KillMode", "control-group"),
        restart=found.get("Restart", "no"),
        reload_needed=found.get("NeedDaemonReload", False),
        drop_ins=tuple(found.get("DropInPaths", ())),
        condition=found.get("ConditionResult", True) or not found.get("ConditionTimestamp", 0),
        enabled=found.get("UnitFileState", ""),
    )


def state_of(unit: Unit | None) -> State:
    """Return what a unit is for its service; None is one that nothing is known of."""
    if unit is None:
        return State.UNKNOWN
    coming = unit.job_type in BRINGING
    if unit.active in ("active", "reloading", "refreshing"):
        return State.RUNNING
    if unit.active == "activating":
        # It has ended, and systemd would start it again; then somebody overrides our Restart=no.
        return State.FAILED if unit.sub.startswith("auto-restart") else State.COMING
    if unit.active == "deactivating":
        return State.COMING if coming else State.GOING
    if unit.active in ("inactive", "failed"):
        down = State.FAILED if unit.active == "failed" else State.GONE
        return State.COMING if coming else down
    return State.UNKNOWN


class Verdict(Enum):
    """What a unit's state means for its driver."""

    WAIT = "nothing to tell"
    UP = "it runs, perhaps with another main process"
    ENDED = "it has ended"


def judge(known: Unit | None, now: Unit | None) -> Verdict:
    """
    Judge a unit of ours; `known` is how it was when it was last up, None while it is being started.

    A restart on somebody's word (systemctl restart, a package's upgrade) is followed: the service is up again, with
    another main process. One that systemd made because the service had failed is its end.
    """
    state = state_of(now)
    if now is None or state in (State.COMING, State.UNKNOWN):
        return Verdict.WAIT
    if state is not State.RUNNING:
        return Verdict.ENDED
    if known is None:
        return Verdict.UP
    if now.invocation != known.invocation and now.restarts > known.restarts:
        return Verdict.ENDED
    same = (now.invocation, now.main) == (known.invocation, known.main)
    return Verdict.WAIT if same else Verdict.UP


def refusal(unit: Unit) -> str:
    """Return why a unit cannot be started here at all; "" where it can."""
    if unit.load == "masked":
        return f"{unit.name} is masked; systemctl unmask {unit.name} allows to start it"
    if unit.load == "not-found":
        return f"systemd does not know a unit {unit.name}"
    if unit.load in NOT_INSTALLED:
        return f"systemd cannot load {unit.name}: {unit.load_error or unit.load}"
    return ""


def words(unit: Unit) -> str:
    """Say what a unit is, and how it has failed if it has."""
    said = [part for part in (_result(unit), _end(unit)) if part]
    if state_of(unit) is State.RUNNING or not said:
        return f"{unit.name} is {unit.active} ({unit.sub})"
    return f"{unit.name} failed: {'; '.join(said)}"


def why_ended(unit: Unit, job_result: str = "") -> str:
    """Say why a unit of ours is not up, which is not Pacemaker's doing; `job_result` is that of the job to start it."""
    if state_of(unit) is State.RUNNING:
        return (
            f"{unit.name} ended, and systemd restarted it: Restart={unit.restart} of another drop-in counts, not ours"
        )
    return words(unit) if _result(unit) or _end(unit) else f"{unit.name}: {_why_down(unit, job_result)}"


def _result(unit: Unit) -> str:
    if unit.result == "success" or unit.result in OF_MAIN:
        return ""
    return RESULTS.get(unit.result, unit.result)


def _end(unit: Unit) -> str:
    """Say how the main process has ended, if that is a part of its failure."""
    status = unit.exit_status
    if status is None or unit.result == "success" or (unit.result not in OF_MAIN and status == 0):
        return ""
    return cause.ended(unit.last_main, status)


def _why_down(unit: Unit, job_result: str) -> str:
    if job_result == "dependency":
        return "something that it requires could not be started"
    if not unit.condition:
        return "a condition or assertion of the unit does not hold"
    if job_result not in ("", "done"):
        return f"its job was {job_result}"
    if unit.type == "oneshot" and not unit.remains:
        return "it did its work and ended; a service needs RemainAfterExit=yes, or another Type="
    if unit.active != "inactive" and state_of(unit) is not State.GOING:
        return f"{unit.active} ({unit.sub})"
    status = unit.exit_status
    if status is None or unit.remains:
        return "stopped, and not by Pacemaker (systemctl stop?)"
    return f"ended, and not by Pacemaker (systemctl stop?): {cause.ended(unit.last_main, status)}"
