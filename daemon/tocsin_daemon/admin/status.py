"""`tocsin status`: every resource of this node, once or as it changes."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from typing import Any

import click

from tocsin_daemon import status_screen
from tocsin_daemon.admin.daemons import Place, Refused, Silent, ports, question, records
from tocsin_daemon.core.guard import instances_of
from tocsin_daemon.view import OLDER_ROW, as_json
from tocsin_ocf import pacemaker
from tocsin_ocf.pacemaker import Cluster, Fault, Runner
from tocsin_ocf.wire import EVERY_RESOURCE

CLUSTER_EVERY = 5.0
"""Seconds between two questions to the cluster while its answer is shown: each costs as much as a hundred of ours."""


@click.command()
@click.option("--json", "as_text", is_flag=True, help="Print JSON.")
@click.option("--watch", "watched", is_flag=True, help="Show it as it changes, on a terminal, until Ctrl-C.")
@click.option(
    "--interval",
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(0.1, 3600),
    help="How often --watch looks.",
)
@click.pass_obj
def status(place: Place, *, as_text: bool, watched: bool, interval: float) -> None:
    """
    Show every resource of this node: phase, role, process, uptime, last incident, and what is wrong.

    Without a daemon the state on disk is shown. Of a resource that failed here and was not started again, Pacemaker is
    asked where it runs now.

    Exit status: 0 shown; 1 a daemon that should answer did not; 2 usage; 4 not allowed.
    """
    if watched and as_text:
        raise click.UsageError("--watch is for people and --json for programs: give one of them")
    if watched and not sys.stdout.isatty():
        raise click.UsageError("--watch needs a terminal; a program uses --json, or `tocsin events --follow --json`")
    look = Look(place)
    if watched:
        with suppress(KeyboardInterrupt):
            status_screen.watch(look.take, interval)
        return
    rows, problems = look.take()
    click.echo(json.dumps(rows, indent=2)) if as_text else status_screen.show_status(rows)
    for problem in problems:
        click.echo(f"tocsin: {problem}", err=True)
    raise SystemExit(1 if problems else 0)


class Look:
    """What there is to see; the cluster is asked now and then only."""

    def __init__(self, place: Place) -> None:
        """Look here."""
        self._place = place
        self._cluster: Cluster | None = None
        self._asked = -CLUSTER_EVERY

    def take(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Return a row per resource, and what is wrong with the daemons."""
        rows, problems = [], []
        for port in ports(self._place):
            found, problem = status_of(self._place, port)
            rows += [{**row, "port": port, "runs_on": self._elsewhere(row)} for row in found]
            problems += [problem] if problem else []
        return rows, problems

    def _elsewhere(self, row: dict[str, Any]) -> list[str] | None:
        """Return where Pacemaker runs what failed here and is stopped; None where it need not, or cannot, be asked."""
        incident = row["last_incident"]
        if row["phase"] != "stopped" or not incident or "recovered" in incident["times"]:
            return None
        if time.monotonic() - self._asked >= CLUSTER_EVERY:
            self._cluster = self._look_at_cluster()
            self._asked = time.monotonic()
        if self._cluster is None:
            return None
        found = instances_of(self._cluster, row["resource"], row["node"])
        return sorted({node for instance in found for node in instance.nodes})

    def _look_at_cluster(self) -> Cluster | None:
        try:
            return Runner().ask(pacemaker.status(self._place.pacemaker_bin))
        except Fault:
            return None


def status_of(place: Place, port: int) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of one daemon, and what is wrong with it; without a daemon the state on disk speaks."""
    try:
        return [{**OLDER_ROW, **row} for row in question(place, port, "STATUS", EVERY_RESOURCE)], ""
    except Refused as error:
        return [], f"port {port}: {error}"
    except Silent as error:
        rows = [as_json(record, time.time()) for record in records(place, port)]
        idle = not error.runs and all(row["phase"] == "stopped" for row in rows)
        return rows, "" if idle else f"{error}; shown is the state on disk"
