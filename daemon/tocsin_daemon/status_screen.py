"""How `tocsin status` looks on a terminal, once or as it changes."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tocsin_daemon.core.duration import duration
from tocsin_daemon.screen import clock, day, paused, plain

LATE = 10.0
"""Seconds from which on nobody counts milliseconds."""
COLOURS = {
    "running": "green",
    "promoted": "green",
    "failed": "bold red",
    "starting": "yellow",
    "stopping": "yellow",
    "clearing": "yellow",
    "restarting": "yellow",
    "returning": "yellow",
    "promoting": "yellow",
    "demoting": "yellow",
    "held": "yellow",
    "waiting": "yellow",
    "paused": "bold yellow",
}


def show_status(rows: list[dict[str, Any]]) -> None:
    """Print one line per resource, and below it the last incident, if there was one."""
    console = plain()
    for part in _status(rows):
        console.print(part)


def watch(take: Callable[[], tuple[list[dict[str, Any]], list[str]]], interval: float) -> None:
    """Show what `take` returns, rows and problems, again and again; what needs somebody stands at the top."""
    console = Console(highlight=False, emoji=False)
    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="ellipsis") as live:
        while True:
            rows, problems = take()
            rows.sort(key=lambda row: (_trouble(row), row["resource"]))
            told = [Text(problem, style="bold red") for problem in problems]
            live.update(Group(_headline(rows), "", *told, *_status(rows)), refresh=True)
            time.sleep(interval)


def _headline(rows: list[dict[str, Any]]) -> Text:
    now = time.time()
    counted = Counter(row["phase"] for row in rows)
    phases = ", ".join(f"{count} {phase}" for phase, count in counted.most_common()) or "no resources"
    node = next((row["node"] for row in rows if row["node"]), os.uname().nodename)
    return Text(f"{node}  {day(now)} {clock(now)[:8]}  {phases}  (Ctrl-C ends)", style="bold")


def _trouble(row: dict[str, Any]) -> int:
    """Return how far down a resource may stand: 0 where somebody is needed."""
    if row["phase"] == "failed" or row["report_pending"]:
        return 0
    return 1 if row["degraded"] or row["warning"] or row["refused"] or row["paused"] else 2


def _status(rows: list[dict[str, Any]]) -> list[RenderableType]:
    if not rows:
        return ["no resources: tocsind starts with the first `start` of an ocf:tocsin:service"]
    scored = any(row["score"] is not None for row in rows)
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("RESOURCE", overflow="fold")  # where there is little room, a name is folded, and nothing else
    for head in ("PHASE", "ROLE", *(["SCORE"] if scored else []), "PID", "UPTIME", "INCIDENTS", "REPORT"):
        table.add_column(head, no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, scored=scored))
    return [table, *(Text(f"{row['resource']}: {line}") for row in rows for line in _told(row))]


def _cells(row: dict[str, Any], *, scored: bool) -> list[Text]:
    incident = row["last_incident"]
    report = incident["report"].split()[0] if incident else "-"  # "learned from a monitor": explain says the rest
    cells = [
        row["resource"],
        row["phase"],
        row["role"],
        *([str("-" if row["score"] is None else row["score"])] if scored else []),
        str(row["pid"] or "-"),
        "-" if row["uptime"] is None else duration(row["uptime"]),
        str(row["incidents"]),
        "paused" if row["paused"] and not row["report_pending"] else report,
    ]
    return [Text(cell, style=COLOURS.get(cell, "")) for cell in cells]


def _told(row: dict[str, Any]) -> list[str]:
    """Return what is wrong with a resource now, or was last."""
    incident = row["last_incident"]
    told = [*paused(row["paused"]), *_notes(row)]
    if row["failure"] and (incident is None or row["failure"] != incident["cause"]):
        told.append(row["failure"])  # of a start
    if incident is None:
        return told
    times = incident["times"]
    why = [f"report {incident['report']}: {incident['why']}"] if row["report_pending"] and incident["why"] else []
    at = f"{day(times['detected'])} {clock(times['detected'])}"
    return [f"{at} {incident['cause']}; {_end(row)}", *why, *told]


def _end(row: dict[str, Any]) -> str:
    """Return how an incident ended; where its resource runs now only Pacemaker knows."""
    times, nodes = row["last_incident"]["times"], row["runs_on"]
    if "recovered" in times:
        return f"recovered after {_short(times['recovered'] - times['detected'])}"
    if row["phase"] != "stopped":
        return "not recovered yet"
    if nodes is None:
        return "not started here since; where it runs now: crm_mon -1r"
    return f"runs on {', '.join(nodes)} now" if nodes else "Pacemaker runs it nowhere now: crm_mon -1rf"


def _short(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < LATE else duration(seconds)


def _notes(row: dict[str, Any]) -> list[str]:
    """Return what an administrator should know of a service that runs."""
    checks = [check for check in row["checks"] if check["state"] not in ("well", "unknown")]
    return [
        *([f"degraded: {row['degraded']}"] if row["degraded"] else []),
        *(f"check {check['name']} is {check['state']}: {check['text']}" for check in checks),
        *([f"warning: {row['warning']}"] if row["warning"] else []),
        *_restarts(row),
        *([f"says: {row['says']}"] if row["says"] else []),
        *([f"the old definition stays; a start would be refused: {row['refused']}"] if row["refused"] else []),
        *([f"needs a restart: {', '.join(row['waiting'])}"] if row["waiting"] else []),
    ]


def _restarts(row: dict[str, Any]) -> list[str]:
    if not row["restarts"]:
        return []
    often, last = "once" if row["restarts"] == 1 else f"{row['restarts']} times", row["last_restart"]
    return [f"restarted here {often}, last {day(last)} {clock(last)[:8]}; Pacemaker was not told"]
