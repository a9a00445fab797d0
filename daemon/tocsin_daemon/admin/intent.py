"""`tocsin pause`, `resume` and `fail`: what an administrator wants of a resource's reports."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from tocsin_daemon import screen
from tocsin_daemon.admin.daemons import Place, Refused, Silent, port_of, question
from tocsin_daemon.core.answers import WELL
from tocsin_daemon.core.duration import duration
from tocsin_daemon.core.pause import LONGEST
from tocsin_daemon.core.report import Stage
from tocsin_ocf import values

F = TypeVar("F", bound=Callable[..., Any])

TOO_LATE = (Stage.SENDING.value, Stage.VERIFYING.value)
LOOK_EVERY = 0.1
DAY = 86400
UP = [phase.value for phase in WELL]
STAYS = 2.0
"""Seconds after which a service that was stopped is not about to be started again here."""


class Duration(click.ParamType):
    """A time as service definitions spell it, and days."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        """Return seconds."""
        try:
            text = str(value).strip()
            days = text[:-1] if text.endswith("d") and text.isascii() and text[:-1].isdigit() else ""
            found = values.duration(days) * DAY if days else values.duration(text)
        except values.Wrong as error:
            self.fail(str(error), param, ctx)
        if found > LONGEST:
            self.fail(f"at most {LONGEST / DAY:.0f}d: what is to be longer belongs into the cluster's configuration")
        return found


reason = click.option("-m", "--reason", required=True, help="Why; it is shown wherever this has consequences.")


def time_option(*names: str, default: str, meaning: str) -> Callable[[F], F]:
    """Return an option that takes a time."""
    return click.option(*names, default=default, show_default=True, metavar="TIME", type=Duration(), help=meaning)


@click.command()
@click.argument("resource")
@reason
@time_option("--for", "lasts", default="1h", meaning="How long: 90s, 30min, 2h, 1d.")
@click.pass_obj
def pause(place: Place, resource: str, reason: str, lasts: float) -> None:
    """
    Report no failure of RESOURCE on this node for a while.

    It is watched on, and a failure is held until the pause is over, or `tocsin resume`; then the cluster is looked at
    as ever. A monitor of Pacemaker still tells the truth: at its next one Pacemaker knows, and recovers. If it must
    not, use `pcs resource unmanage`. The pause outlives the daemon, and stands in `tocsin status`, `tocsin explain` and
    the node attribute tocsin-paused-RESOURCE (`crm_mon -A`).

    Exit status: 0 paused; 1 there is no such resource, or no daemon; 2 usage; 4 not allowed.
    """
    body = {"seconds": lasts, "reason": reason, "by": caller()}
    answer = _asked(place, resource, "PAUSE", body)
    until = f"{screen.day(answer['until'])} {screen.clock(answer['until'])[:8]}"
    click.echo(f"{resource}: paused for {duration(lasts)}, until {until}; end it with `tocsin resume {resource}`")
    if answer["report"] in TOO_LATE:
        click.echo(f"{resource}: the report of its last incident is under way already, and is not stopped by this")


@click.command()
@click.argument("resource")
@click.pass_obj
def resume(place: Place, resource: str) -> None:
    """
    End the pause of RESOURCE: what was held back meanwhile is reported now, if it is still failed.

    Exit status: 0 it is not paused any more; 1 there is no such resource, or no daemon; 2 usage; 4 not allowed.
    """
    paused = _asked(place, resource, "RESUME", {"by": caller()})["paused"]
    click.echo(f"{resource}: failures are reported again" if paused else f"{resource}: it was not paused")


@click.command()
@click.argument("resource")
@reason
@time_option("--wait", "patience", default="1min", meaning="How long to wait for the end.")
@click.pass_obj
def fail(place: Place, resource: str, reason: str, patience: float) -> None:
    """
    Hold a drill: let RESOURCE, which is well, fail, and tell what follows.

    It is an incident like any other: recovered by Pacemaker, counted in its fail-count, restarted here first where
    `restart_attempts` says so, and held in maintenance or in a pause. Its cause says that it is a drill, and whose. The
    service is not touched until Pacemaker stops it.

    Exit status: 0 the service is up again, here or, as far as can be told, elsewhere; 1 it is not, or it was not well;
    2 usage; 4 not allowed.
    """
    drilled = _asked(place, resource, "FAIL", {"reason": reason, "by": caller()})
    restarted = drilled["phase"] == "restarting"
    timeline = _followed(place, resource, patience, restarted=restarted)
    if not restarted:
        screen.show_timeline(timeline)
    over = _is_over(timeline, restarted=restarted)
    click.echo(f"{resource}: {_end(timeline, restarted=restarted) if over else f'not over after {duration(patience)}'}")
    raise SystemExit(0 if over else 1)


def _followed(place: Place, resource: str, patience: float, *, restarted: bool) -> dict[str, Any]:
    """Return the timeline of a drill when it is over, or when there is no more patience."""
    port, deadline = port_of(place, resource), time.monotonic() + patience
    while True:
        timeline = _timeline(place, port, resource)
        if _is_over(timeline, restarted=restarted) or time.monotonic() >= deadline:
            return timeline
        time.sleep(LOOK_EVERY)


def _is_over(timeline: dict[str, Any], *, restarted: bool) -> bool:
    if restarted:
        return timeline["phase"] in UP
    incident = timeline["incident"]
    told = incident["report"] in (Stage.ACKNOWLEDGED.value, Stage.LEARNED.value, Stage.TOLD.value)
    return "recovered" in incident["times"] or (
        told and timeline["phase"] == "stopped" and time.time() - timeline["since"] > STAYS
    )


def _end(timeline: dict[str, Any], *, restarted: bool) -> str:
    if restarted:
        return "restarted here, within restart_attempts; Pacemaker was not told"
    if "recovered" in timeline["incident"]["times"]:
        return "recovered here"
    return "stopped here; `crm_mon -1r` shows where it runs now"


def _timeline(place: Place, port: int, resource: str) -> dict[str, Any]:
    try:
        timeline: dict[str, Any] = question(place, port, "EXPLAIN", resource)
    except (Refused, Silent) as error:
        raise click.ClickException(f"the drill has begun, but cannot be followed: {error}") from None
    return timeline


def _asked(place: Place, resource: str, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    port = port_of(place, resource)
    try:
        answer: dict[str, Any] = question(place, port, verb, resource, body)
    except Silent as error:
        raise click.ClickException(f"{error}: nothing is reported now either; the next monitor starts it") from None
    except Refused as error:
        raise click.ClickException(str(error)) from None
    return answer


def caller() -> str:
    """Return who asks, by name: whoever became root by sudo is meant by the name they had."""
    sudo = os.environ.get("SUDO_USER", "")
    if sudo and sudo != "root" and sudo.isprintable():
        return sudo[:64]
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
