"""The daemons of this node, asked one after the other; where one does not answer, what it left on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import click

from tocsin_daemon.core.record import BadRecord, Record
from tocsin_daemon.store import read_record
from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import OCF_ERR_PERM, OCF_NOT_RUNNING, OCF_SUCCESS
from tocsin_ocf.rundir import Rundir
from tocsin_ocf.wire import WireError, valid_resource

SECONDS = 5.0
"""How long the daemon may take; it answers from memory."""


@dataclass(frozen=True)
class Place:
    """Where the daemons keep their state, and where Pacemaker's tools are."""

    state_dir: str
    pacemaker_bin: str


class Silent(Exception):
    """A daemon that does not answer; the text says why. `runs`: it should, for its port or its lock is held."""

    def __init__(self, port: int, why: str, *, runs: bool) -> None:
        """Keep the reason."""
        super().__init__(f"port {port}: {why}")
        self.runs = runs


class Refused(Exception):
    """A daemon that does not do what it was asked; the text says why."""


def ports(place: Place) -> list[int]:
    """Return the ports of which there is state; ends the command where that is not for this user to see."""
    try:
        names = [name for name in os.listdir(place.state_dir) if os.path.isdir(f"{place.state_dir}/{name}")]
        found = sorted(int(name) for name in names if name.isascii() and name.isdigit() and name == str(int(name)))
        for port in found:
            os.listdir(f"{place.state_dir}/{port}")
    except FileNotFoundError:
        return []
    except PermissionError as error:
        refuse(f"{error.filename} is for root alone; try sudo")
    return found


def refuse(why: str) -> NoReturn:
    """End the command: it is not for this user."""
    click.echo(f"tocsin: {why}", err=True)
    raise SystemExit(OCF_ERR_PERM)


def asked(place: Place, port: int, verb: str, resource: str, body: str = "") -> tuple[int, str]:
    """Ask the daemon on a port, and return its OCF code and its text; Silent, WireError."""
    try:
        return ask(Rundir(place.state_dir, port), port, verb, resource, body, SECONDS)
    except NoDaemon:
        raise Silent(port, "no tocsind is running", runs=False) from None
    except (Mute, Stranger, PermissionError) as error:
        raise Silent(port, f"not answered by tocsind ({error})", runs=True) from None


def question(place: Place, port: int, verb: str, resource: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    """Ask the daemon on a port, and return its answer; Silent, Refused."""
    try:
        code, answer = asked(place, port, verb, resource, json.dumps(body) if body else "")
    except WireError as error:
        raise Refused(str(error)) from None
    if code == OCF_NOT_RUNNING:
        raise Refused(f"the daemon on port {port} does not know {resource}")
    if code != OCF_SUCCESS:
        raise Refused(answer)
    return json.loads(answer)


def records(place: Place, port: int) -> Iterator[Record]:
    """Yield the records on disk that can be read."""
    directory = Rundir(place.state_dir, port).resources
    if not os.path.isdir(directory):
        return
    for name in sorted(os.listdir(directory)):
        if name.endswith(".json"):
            try:
                yield read_record(f"{directory}/{name}")
            except BadRecord as error:
                click.echo(f"tocsin: {directory}/{name}: {error}", err=True)


def port_of(place: Place, resource: str) -> int:
    """Return the port of the daemon that has a resource; ClickException where none has."""
    for port in ports(place):
        if valid_resource(resource) and Rundir(place.state_dir, port).has_record(resource):
            return port
    raise click.ClickException(f"no resource {resource} in {place.state_dir}; `tocsin status` names those there are")
