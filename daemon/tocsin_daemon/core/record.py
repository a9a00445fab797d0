"""
What is known of a resource, as one frozen value: kept in memory, written to disk, shown by `tocsin status`.

The record on disk is how a service outlives the daemon: it names the main process beyond doubt (pid, start
time, boot), how far a report has got, and every definition that a restart of the daemon needs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.report import FINAL, Stage

VERSION = 4
_SINCE_4: dict[str, Any] = {"role": "", "ready": False}
_SINCE_3: dict[str, Any] = {"next": None, "config": "", "degraded": "", "refused": "", **_SINCE_4}
OLDER: dict[int, dict[str, Any]] = {1: {"restarts": [], "warning": "", **_SINCE_3}, 2: _SINCE_3, 3: _SINCE_4}
"""What the fields that came later mean in a record of an older version."""
JOURNAL_LENGTH = 200
"""Entries kept of a resource's journal: some ten incidents with all that led to and followed them."""

MARKS = ("detected", "decided", "reported", "acknowledged", "recovered")
"""The steps of an incident in their order; each is marked with the wall-clock time when it is reached."""


PROMOTED, UNPROMOTED = "promoted", "unpromoted"
"""Roles of a service that has them, as a check's `role` spells them."""


class BadRecord(Exception):
    """Text that is not a record: truncated, corrupt, or of a version that this daemon does not know."""


@dataclass(frozen=True)
class Main:
    """The main process; `start` in clock ticks since boot and the boot's id make the pid unmistakable."""

    pid: int
    start: int
    boot: str
    cgroup: str = ""


@dataclass(frozen=True)
class Failure:
    """
    Why a service is not up: an OCF exit code, the cause in words, and whether it `lives`, so that it may pass.

    What `stays` does not pass: only a stop mends a service whose role nobody knows.
    """

    code: int
    text: str
    lives: bool = False
    stays: bool = False


@dataclass(frozen=True)
class Entry:
    """One line of the journal: wall-clock seconds, and what was seen, decided or done."""

    at: float
    text: str


@dataclass(frozen=True)
class Incident:
    """One failure of one incarnation: its cause, its evidence, and how far the report of it has got."""

    incarnation: str
    cause: str
    stage: Stage = Stage.NONE
    why: str = ""
    attempts: int = 0
    injections: int = 0
    call_before: int = 0
    marks: Mapping[str, float] = field(default_factory=dict)
    output: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()

    def marked(self, name: str, at: float) -> Incident:
        """Return the incident with a step reached at `at`; the first time counts."""
        return self if name in self.marks else replace(self, marks={**self.marks, name: at})

    @property
    def pending(self) -> bool:
        """Tell whether a report is still under way."""
        return self.stage not in FINAL


@dataclass(frozen=True)
class Record:
    """
    A resource on this node.

    `definition` is what runs, `next` what the next start is to run, and `config` the file that it came from, if any.
    `degraded` says why a service that runs is not quite well, `refused` what is wrong with a changed definition. `role`
    is PROMOTED from the moment on when the service is being promoted, until it has been demoted or is started anew.
    """

    resource: str
    node: str = ""
    phase: Phase = Phase.STOPPED
    since: float = 0.0
    incarnation: str = ""
    definition: Mapping[str, Any] | None = None
    next: Mapping[str, Any] | None = None
    config: str = ""
    main: Main | None = None
    members: Mapping[int, int] = field(default_factory=dict)
    failure: Failure | None = None
    incident: Incident | None = None
    incidents: int = 0
    restarts: tuple[float, ...] = ()
    warning: str = ""
    degraded: str = ""
    refused: str = ""
    role: str = ""
    ready: bool = False
    """It has said READY=1 (sd_notify(3)), which it says but once."""
    journal: tuple[Entry, ...] = ()

    def noted(self, at: float, text: str) -> Record:
        """Return the record with one more line in its bounded journal."""
        return replace(self, journal=(*self.journal, Entry(at, text))[-JOURNAL_LENGTH:])


def dump(record: Record) -> str:
    """Return the record as JSON, with the names that the agent reads when no daemon can be asked."""
    fields = asdict(record)
    fields["version"] = VERSION
    fields["phase"] = record.phase.value
    fields["process"] = fields.pop("main")
    fields["members"] = {str(pid): start for pid, start in record.members.items()}
    fields["journal"] = [[entry.at, entry.text] for entry in record.journal]
    if record.incident:
        fields["incident"]["stage"] = record.incident.stage.value
    return json.dumps(fields, separators=(",", ":"))


def load(text: str) -> Record:
    """Return the record in `text`; BadRecord where it is not one."""
    try:
        fields = json.loads(text)
        version = fields.pop("version")
        if version != VERSION and version not in OLDER:
            raise BadRecord(f"version {version!r} is not known here, but {VERSION}")
        return _record({**OLDER.get(version, {}), **fields})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadRecord(f"not a record: {error!r:.200}") from None


def _record(fields: dict[str, Any]) -> Record:
    main, failure, incident = fields.pop("process"), fields.pop("failure"), fields.pop("incident")
    return Record(
        phase=Phase(fields.pop("phase")),
        main=_main(main) if main else None,
        members={int(pid): int(start) for pid, start in fields.pop("members").items()},
        failure=_failure(failure) if failure else None,
        incident=_incident(incident) if incident else None,
        restarts=tuple(map(float, fields.pop("restarts"))),
        warning=str(fields.pop("warning")),
        role=str(fields.pop("role")),
        ready=bool(fields.pop("ready")),
        degraded=str(fields.pop("degraded")),
        refused=str(fields.pop("refused")),
        journal=tuple(Entry(float(at), str(said)) for at, said in fields.pop("journal")),
        **fields,
    )


def _failure(fields: Mapping[str, Any]) -> Failure:
    code, lives, stays = int(fields["code"]), bool(fields.get("lives", False)), bool(fields.get("stays", False))
    return Failure(code, str(fields["text"]), lives, stays)


def _main(fields: Mapping[str, Any]) -> Main:
    return Main(int(fields["pid"]), int(fields["start"]), str(fields["boot"]), str(fields.get("cgroup", "")))


def _incident(fields: dict[str, Any]) -> Incident:
    stage = Stage(fields.pop("stage"))
    output, processes = tuple(map(str, fields.pop("output"))), tuple(map(str, fields.pop("processes")))
    return Incident(stage=stage, output=output, processes=processes, **fields)
