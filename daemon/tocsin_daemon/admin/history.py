"""`tocsin explain` and `tocsin events`: what happened, from the journals of the resources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from tocsin_daemon import screen
from tocsin_daemon.admin.daemons import Place, Refused, Silent, port_of, ports, question, records
from tocsin_daemon.admin.following import go_on, lines_option
from tocsin_daemon.core.journal import after
from tocsin_daemon.view import OLDER_TIMELINE, NoSuchIncident, events_json, timeline_json
from tocsin_ocf.wire import EVERY_RESOURCE

FOLLOW_EVERY = 0.5
"""Seconds between two questions for what is new."""


@click.command()
@click.argument("resource")
@click.argument("incident", required=False, type=click.IntRange(min=1))
@click.option("--json", "as_text", is_flag=True, help="Print JSON.")
@click.pass_obj
def explain(place: Place, resource: str, incident: int | None, *, as_text: bool) -> None:
    """
    Tell an incident of RESOURCE step by step, with its evidence: its last one, or INCIDENT by its number.

    Incidents are counted from 1 on; the last eleven are kept until a reboot, and the older ones are listed below the
    last. Works without a daemon, from what it left on disk.

    Exit status: 0 told; 1 there is no such resource or incident; 2 usage; 4 not allowed.
    """
    port = port_of(place, resource)
    try:
        told = question(place, port, "EXPLAIN", resource, {"incident": incident} if incident else None)
        timeline = {**OLDER_TIMELINE, **told}
    except Refused as error:
        raise click.ClickException(str(error)) from None
    except Silent:
        timeline = _on_disk(place, port, resource, incident)
    click.echo(json.dumps(timeline, indent=2)) if as_text else screen.show_timeline(timeline)


def _on_disk(place: Place, port: int, resource: str, incident: int | None) -> dict[str, Any]:
    try:
        found = [timeline_json(record, incident) for record in records(place, port) if record.resource == resource]
    except NoSuchIncident as error:
        raise click.ClickException(str(error)) from None
    if not found:
        raise click.ClickException(f"what is known of {resource} cannot be read")
    return found[0]


@click.command()
@click.argument("resource", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens from now on, until Ctrl-C.")
@lines_option
@click.option("--json", "as_text", is_flag=True, help="Print JSON, one object a line: at, resource, text.")
@click.pass_obj
def events(place: Place, resource: str | None, lines: int, *, follow: bool, as_text: bool) -> None:
    """
    Print what was seen, decided and done: the journals of all resources, or of RESOURCE, by time.

    Each journal has its last 200 lines. With --follow a daemon that ends is waited for, and its successor goes on where
    it stopped.

    Exit status: 0 printed; 1 there is no such resource; 2 usage; 4 not allowed.
    """
    read: dict[int, dict[str, int]] = {}
    if resource:
        port_of(place, resource)
    found = _new(place, resource, read)
    _print(found[max(0, len(found) - lines) :], as_text=as_text)
    if follow:
        go_on(lambda: _print(_new(place, resource, read), as_text=as_text), FOLLOW_EVERY)


def _new(place: Place, resource: str | None, read: dict[int, dict[str, int]]) -> list[tuple[float, str, str]]:
    """Return what is new since the last time, by time, and count it as read."""
    found: list[tuple[float, str, str]] = []
    for port in ports(place):
        answer = _events(place, port, resource, read.get(port, {}))
        read[port] = {**read.get(port, {}), **answer["after"]}
        found += [(at, name, text) for at, name, text in answer["events"]]
    return sorted(found, key=lambda event: event[0])


def _events(place: Place, port: int, resource: str | None, read: Mapping[str, int]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = question(place, port, "EVENTS", resource or EVERY_RESOURCE, {"after": read})
    except Refused as error:
        if resource:  # it is another daemon's
            return {"events": [], "after": {}}
        raise click.ClickException(f"port {port}: {error}") from None
    except Silent:
        return events_json(*after([r for r in records(place, port) if resource in (None, r.resource)], read))
    return answer


def _print(found: list[tuple[float, str, str]], *, as_text: bool) -> None:
    for at, resource, text in found:
        if as_text:
            click.echo(json.dumps({"at": at, "resource": resource, "text": text}))
        else:
            click.echo(f"{screen.day(at)} {screen.clock(at)} {resource}: {text}")
