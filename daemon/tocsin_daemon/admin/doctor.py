"""`tocsin doctor`: is everything here as it should be, before a failure asks."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict

import click

from tocsin_daemon import screen
from tocsin_daemon.admin.daemons import Place, refuse


@click.command()
@click.option("--json", "as_text", is_flag=True, help="Print JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Leave out what is well.")
@click.pass_obj
def doctor(place: Place, *, as_text: bool, quiet: bool) -> None:
    """
    Examine this node, its daemons and resources, and the cluster; tell a cure for whatever is wrong.

    Looked at are versions and programs, the rights on the token, who has the port, the clock, cgroups, room on the
    disks, service definitions, on-fail and monitors in the configuration, and whether Pacemaker and tocsind think the
    same of each resource. Nothing is changed. A note is worth knowing, and no problem.

    Exit status: 0 no problem; 1 a problem; 2 usage; 4 not allowed.
    """
    from tocsin_daemon.admin.examination import Examination  # noqa: PLC0415 - it loads YAML and its schema

    if os.geteuid() != 0:
        refuse("the examination is for root alone: it reads what others must not; try sudo")
    found = [finding for finding in Examination(place).findings() if not quiet or finding.grade.value != "ok"]
    counted = Counter(finding.grade.value for finding in found)
    if as_text:
        click.echo(json.dumps([{**asdict(finding), "grade": finding.grade.value} for finding in found], indent=2))
    else:
        screen.show_findings([(f.grade.value, f.subject, f.text, f.cure) for f in found])
        click.echo(f"problems: {counted['problem']}, notes: {counted['note']}, well: {counted['ok']}")
    raise SystemExit(1 if counted["problem"] else 0)
