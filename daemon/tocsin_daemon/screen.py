"""How status and timeline look on a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocsin_daemon.core.record import MARKS

COLOURS = {
    "running": "green",
    "promoted": "green",
    "failed": "bold red",
    "starting": "yellow",
    "stopping": "yellow",
    "clearing": "yellow",
}
BEFORE = 0.5
"""Seconds of the journal that are shown before an incident: what led to it."""
SAID = {
    "detected": "the service was seen to have failed",
    "decided": "the cluster agreed; crm_resource --fail was executed",
    "reported": "Pacemaker's controller took it",
    "acknowledged": "Pacemaker recorded it, or began to recover",
    "recovered": "the service is up again",
}


def show_status(rows: list[dict[str, Any]]) -> None:
    """Print one line per resource, and below it the last incident, if there was one."""
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    if not rows:
        console.print("no resources: tocsind starts with the first `start` of an ocf:tocsin:service")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("RESOURCE", "PHASE", "ROLE", "PID", "UPTIME", "INCIDENTS", "REPORT"):
        table.add_column(head, no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)
    for row in rows:
        for line in _told(row):
            console.print(f"{row['resource']}: {line}", markup=False)


def _cells(row: dict[str, Any]) -> list[Text]:
    incident = row["last_incident"]
    cells = [
        row["resource"],
        row["phase"],
        row["role"],
        str(row["pid"] or "-"),
        "-" if row["uptime"] is None else duration(row["uptime"]),
        str(row["incidents"]),
        incident["report"] if incident else "-",
    ]
    return [Text(cell, style=COLOURS.get(cell, "")) for cell in cells]


def _told(row: dict[str, Any]) -> list[str]:
    """Return what is wrong with a resource now, or was last."""
    incident = row["last_incident"]
    warning = _notes(row)
    if row["failure"] and (incident is None or row["failure"] != incident["cause"]):
        warning.append(row["failure"])  # of a start
    if incident is None:
        return warning
    times = incident["times"]
    end = "not recovered yet"
    if "recovered" in times:
        end = f"recovered after {(times['recovered'] - times['detected']) * 1000:.0f} ms"
    why = [f"report {incident['report']}: {incident['why']}"] if row["report_pending"] and incident["why"] else []
    at = f"{day(times['detected'])} {clock(times['detected'])}"
    return [f"{at} {incident['cause']}; {end}", *why, *warning]


def _notes(row: dict[str, Any]) -> list[str]:
    """Return what an administrator should know of a service that runs."""
    checks = [check for check in row["checks"] if check["state"] not in ("well", "unknown")]
    return [
        *([f"degraded: {row['degraded']}"] if row["degraded"] else []),
        *(f"check {check['name']} is {check['state']}: {check['text']}" for check in checks),
        *([f"warning: {row['warning']}"] if row["warning"] else []),
        *([f"says: {row['says']}"] if row["says"] else []),
        *([f"the old definition stays; a start would be refused: {row['refused']}"] if row["refused"] else []),
        *([f"needs a restart: {', '.join(row['waiting'])}"] if row["waiting"] else []),
    ]


def show_timeline(timeline: dict[str, Any]) -> None:
    """Print the last incident of a resource."""
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    incident = timeline["incident"]
    name = timeline["resource"]
    if incident is None:
        console.print(f"{name}: no incident. Now {timeline['phase']}.")
        if timeline["failure"]:
            console.print(f"  cause   {timeline['failure']}", markup=False)
    else:
        on = f"on {timeline['node'] or 'this node'}, {day(incident['times']['detected'])}"
        console.print(Text(f"{name}: incident {timeline['incidents']} {on}", "bold"))
        console.print(f"  cause   {incident['cause']}", markup=False)
        console.print(
            f"  report  {incident['report']}" + (f": {incident['why']}" if incident["why"] else ""), markup=False
        )
        _show_steps(console, incident["times"], pending=incident["pending"])
        _show_lines(console, "last output", timeline["output"])
        _show_lines(console, "left running", timeline["processes"])
    _show_lines(console, "journal", [f"{clock(at)} {text}" for at, text in _around(timeline)])


def _around(timeline: dict[str, Any]) -> list[tuple[float, str]]:
    """Return the journal from shortly before the last incident on, or its last lines where there was none."""
    journal: list[tuple[float, str]] = timeline["journal"]
    incident = timeline["incident"]
    if incident is None:
        return journal[-10:]
    return [(at, text) for at, text in journal if at >= incident["times"]["detected"] - BEFORE]


def _show_steps(console: Console, times: dict[str, float], *, pending: bool) -> None:
    """Print when each step was reached, and those that are still to come: a report that is over takes no more."""
    begun = times.get("detected", 0.0)
    for name in MARKS:
        if name in times:
            after = f"+{(times[name] - begun) * 1000:.0f} ms"
            console.print(f"  {clock(times[name])}  {after:>9}  {name:<12}  {SAID[name]}", markup=False)
        elif pending or name == "recovered":
            console.print(f"  {'-':<12}  {'':>9}  {name:<12}  not yet", markup=False)


def _show_lines(console: Console, title: str, lines: list[str]) -> None:
    if lines:
        console.print(Text(f"{title}:", "bold"))
        for line in lines:
            console.print(f"  {line}", markup=False)


def clock(at: float) -> str:
    """Return a time of day with milliseconds."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]


def day(at: float) -> str:
    """Return a date, as the log has it."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d")


def duration(seconds: float) -> str:
    """Return a duration in its two largest units."""
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    whole = int(seconds)
    parts: list[str] = []
    for name, size in units:
        count, whole = divmod(whole, size)
        if count or (name == "s" and not parts):
            parts.append(f"{count}{name}")
    return " ".join(parts[:2])
