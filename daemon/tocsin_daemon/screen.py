"""How timelines and findings look on a terminal, and what all that is shown there has in common."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from tocsin_daemon.core.record import MARKS

GRADES = {"ok": "green", "note": "yellow", "problem": "bold red"}
LONG = 10000
"""Columns of what is no terminal."""
BEFORE = 0.5
"""Seconds of the journal that are shown before an incident: what led to it."""
SAID = {
    "detected": "the service was seen to have failed",
    "decided": "the cluster agreed; crm_resource --fail was executed",
    "reported": "Pacemaker's controller took it",
    "acknowledged": "Pacemaker recorded it, or began to recover",
    "recovered": "the service is up again",
}


def plain() -> Console:
    """Return the terminal; what is not one gets lines as long as they are, for `grep`."""
    wide = None if sys.stdout.isatty() else LONG
    return Console(highlight=False, soft_wrap=True, emoji=False, width=wide)


def paused(pause: dict[str, Any] | None) -> list[str]:
    """Return in words that a resource is paused; nothing where it is not, or not any more."""
    if not pause or pause["until"] <= time.time():  # without a daemon nobody has ended it
        return []
    until = f"{day(pause['until'])} {clock(pause['until'])[:8]}"
    return [f"failures are not reported until {until}: paused by {pause['by']}: {pause['reason']}"]


def show_timeline(timeline: dict[str, Any]) -> None:
    """Print one incident of a resource, and which others are known."""
    console = plain()
    incident, name = timeline["incident"], timeline["resource"]
    for line in paused(timeline["paused"]):
        console.print(f"{name}: {line}", markup=False)
    if incident is None:
        console.print(f"{name}: no incident. Now {timeline['phase']}.")
    else:
        on = f"on {timeline['node'] or 'this node'}, {day(incident['times']['detected'])}"
        which = f"incident {timeline['number']}" + f" of {timeline['incidents']}" * (timeline["until"] is not None)
        console.print(Text(f"{name}: {which} {on}", "bold"))
        console.print(f"  cause   {incident['cause']}", markup=False)
        why = f": {incident['why']}" if incident["why"] else ""
        console.print(f"  report  {incident['report']}{why}", markup=False)
        _show_steps(console, incident["times"], pending=incident["pending"])
        _show_lines(console, "last output", timeline["output"])
        _show_lines(console, "left running", timeline["processes"])
    _show_failure(console, timeline)
    _show_lines(console, "journal", [f"{clock(at)} {text}" for at, text in _around(timeline)])
    if timeline["until"] is None:
        _show_lines(console, f"earlier, see `tocsin explain {name} NUMBER`", list(map(_brief, timeline["earlier"])))


def _show_failure(console: Console, timeline: dict[str, Any]) -> None:
    """Print what has failed without being an incident: a start, a promote, a demote, which Pacemaker asked for."""
    failure, incident = timeline["failure"], timeline["incident"]
    if timeline["until"] is None and failure and (incident is None or failure != incident["cause"]):
        console.print(f"  {'cause' if incident is None else 'then':<5}   {failure}", markup=False)
        _show_lines(console, "its last output", timeline["failure_output"])


def _brief(incident: dict[str, Any]) -> str:
    at = incident["times"]["detected"]
    return f"{incident['number']:>3}  {day(at)} {clock(at)[:8]}  {incident['cause']}"


def _around(timeline: dict[str, Any]) -> list[tuple[float, str]]:
    """Return the journal from shortly before an incident to the next, or its last lines where there was none."""
    journal: list[tuple[float, str]] = timeline["journal"]
    incident, until = timeline["incident"], timeline["until"]
    if incident is None:
        return journal[-10:]
    begun = incident["times"]["detected"] - BEFORE
    return [(at, text) for at, text in journal if begun <= at and (until is None or at < until)]


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


def show_findings(found: list[tuple[str, str, str, str]]) -> None:
    """Print grade, subject and text of each finding, and its cure below."""
    console = plain()
    wide = max((len(subject) for _, subject, _, _ in found), default=0)
    for grade, subject, text, cure in found:
        line = Text(f"{grade:<7}  ", style=GRADES[grade])
        console.print(line.append(f"{subject:<{wide}}  {text}", style=""))
        if cure:
            console.print(Text(f"{'':<7}  {'':<{wide}}  -> {cure}"))
