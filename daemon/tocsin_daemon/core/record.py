"""
What is known of a resource, as one frozen value: kept in memory, written to disk, shown by `tocsin status`.

The record on disk is how a service outlives the daemon: it names the main process beyond doubt (pid, start
time, boot), how far a report has got, and every definition that a restart of the daemon needs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.pause import Pause
from tocsin_daemon.core.report import FINAL, Stage

VERSION = 5
_SINCE_5: dict[str, Any] = {"past": [], "pause": None, "lines": 0}
_SINCE_4: dict[str, Any] = {"role": "", "ready": False, **_SINCE_5}
_SINCE_3: dict[str, Any] = {"next": None, "config": "", "degraded": "", "refused": "", **_SINCE_4}
_SINCE_2: dict[str, Any] = {"restarts": [], "warning": "", **_SINCE_3}
OLDER: dict[int, dict[str, Any]] = {1: _SINCE_2, 2: _SINCE_3, 3: _SINCE_4, 4: _SINCE_5}
"""What the fields that came later mean in a record of an older version."""
JOURNAL_LENGTH = 200
"""Entries kept of a resource's journal: some ten incidents with all that led to and followed them."""
PAST_LENGTH = 10
"""Incidents kept before the last one."""
PAST_LINES, PAST_LINE = 10, 160
"""Lines of output and processes kept of each of those, and characters of a line: every change writes all of it."""

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

    What `stays` does not pass: only a stop mends a service whose role nobody knows. `output` are the last lines of one
    that is no incident, which would have them.
    """

    code: int
    text: str
    lives: bool = False
    stays: bool = False
    output: tuple[str, ...] = ()


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
    drill: bool = False

    def marked(self, name: str, at: float) -> Incident:
        """Return the incident with a step reached at `at`; the first time counts."""
        return self if name in self.marks else replace(self, marks={**self.marks, name: at})

    @property
    def pending(self) -> bool:
        """Tell whether a report is still under way."""
        return self.stage not in FINAL

    def shortened(self) -> Incident:
        """Return the incident with as much of its evidence as is kept when another one has followed."""
        output = tuple(line[:PAST_LINE] for line in self.output[-PAST_LINES:])
        return replace(self, output=output, processes=tuple(line[:PAST_LINE] for line in self.processes[:PAST_LINES]))


@dataclass(frozen=True)
class Record:
    """
    A resource on this node.

    `definition` is what runs, `next` what the next start is to run, and `config` the file that it came from, if any.
    `degraded` says why a service that runs is not quite well, `refused` what is wrong with a changed definition. `role`
    is PROMOTED from the moment on when the service is being promoted, until it has been demoted or is started anew.
    `incidents` were counted, the last of them is `incident`, and those before it are `past`, the oldest first. `lines`
    were ever written to the journal, of which the last are kept.
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
    past: tuple[Incident, ...] = ()
    restarts: tuple[float, ...] = ()
    warning: str = ""
    degraded: str = ""
    refused: str = ""
    role: str = ""
    ready: bool = False
    """It has said READY=1 (sd_notify(3)), which it says but once."""
    pause: Pause | None = None
    journal: tuple[Entry, ...] = ()
    lines: int = 0

    def noted(self, at: float, text: str) -> Record:
        """Return the record with one more line in its bounded journal."""
        return replace(self, journal=(*self.journal, Entry(at, text))[-JOURNAL_LENGTH:], lines=self.lines + 1)

    def with_incident(self, incident: Incident) -> Record:
        """Return the record with one more incident; the last one is kept among the past."""
        past = (*self.past, self.incident.shortened()) if self.incident else self.past
        return replace(self, incident=incident, incidents=self.incidents + 1, past=past[-PAST_LENGTH:])


def role_of(record: Record) -> str:
    """Return the role that it has, as far as is known: while it is being changed the one from before."""
    promoted = record.role == PROMOTED and record.phase is not Phase.PROMOTING
    return PROMOTED if promoted else UNPROMOTED


def dump(record: Record) -> str:
    """
    Return the record as JSON, with the names that the agent reads when no daemon can be asked.

    It is written at every change, also between a death and its report: nothing is copied that need not be.
    """
    fields = dict(vars(record))
    fields["version"] = VERSION
    fields["phase"] = record.phase.value
    fields["process"] = _plain(fields.pop("main"))
    fields["failure"], fields["pause"] = _plain(record.failure), _plain(record.pause)
    fields["incident"] = _dump_incident(record.incident) if record.incident else None
    fields["past"] = list(map(_dump_incident, record.past))
    fields["members"] = {str(pid): start for pid, start in record.members.items()}
    fields["journal"] = [[entry.at, entry.text] for entry in record.journal]
    return json.dumps(fields, separators=(",", ":"))


def _plain(value: object) -> dict[str, Any] | None:
    return None if value is None else vars(value)


def _dump_incident(incident: Incident) -> dict[str, Any]:
    return {**vars(incident), "stage": incident.stage.value, "marks": dict(incident.marks)}


def load(text: str) -> Record:
    """Return the record in `text`; BadRecord where it is not one."""
    try:
        fields = json.loads(text)
        version = fields.pop("version")
        if version != VERSION and version not in OLDER:
            raise BadRecord(f"version {version!r} is not known here, but {VERSION}")
        return _record({**OLDER.get(version, {}), **fields})
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise BadRecord(f"not a record: {error!r:.200}") from None


def _record(fields: dict[str, Any]) -> Record:
    main, failure, incident = fields.pop("process"), fields.pop("failure"), fields.pop("incident")
    pause, journal = fields.pop("pause"), tuple(Entry(float(at), str(said)) for at, said in fields.pop("journal"))
    return Record(
        phase=Phase(fields.pop("phase")),
        main=_main(main) if main else None,
        members={int(pid): int(start) for pid, start in fields.pop("members").items()},
        failure=_failure(failure) if failure else None,
        incident=_incident(incident) if incident else None,
        past=tuple(map(_incident, fields.pop("past"))),
        pause=_pause(pause) if pause else None,
        restarts=tuple(map(float, fields.pop("restarts"))),
        warning=str(fields.pop("warning")),
        role=str(fields.pop("role")),
        ready=bool(fields.pop("ready")),
        degraded=str(fields.pop("degraded")),
        refused=str(fields.pop("refused")),
        journal=journal,
        lines=max(int(fields.pop("lines")), len(journal)),
        **fields,
    )


def _failure(fields: Mapping[str, Any]) -> Failure:
    code, lives, stays = int(fields["code"]), bool(fields.get("lives", False)), bool(fields.get("stays", False))
    return Failure(code, str(fields["text"]), lives, stays, tuple(map(str, fields.get("output", ()))))


def _pause(fields: Mapping[str, Any]) -> Pause:
    return Pause(str(fields["reason"]), str(fields["by"]), float(fields["since"]), float(fields["until"]))


def _main(fields: Mapping[str, Any]) -> Main:
    return Main(int(fields["pid"]), int(fields["start"]), str(fields["boot"]), str(fields.get("cgroup", "")))


def _incident(fields: dict[str, Any]) -> Incident:
    stage = Stage(fields.pop("stage"))
    output, processes = tuple(map(str, fields.pop("output"))), tuple(map(str, fields.pop("processes")))
    return Incident(stage=stage, output=output, processes=processes, **fields)
