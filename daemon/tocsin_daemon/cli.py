"""`tocsin`: what the administrator asks at night."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import click

from tocsin_daemon import screen
from tocsin_daemon.core.record import BadRecord
from tocsin_daemon.store import read_record
from tocsin_daemon.view import as_json, timeline_json
from tocsin_ocf import __version__
from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import OCF_ERR_PERM, OCF_SUCCESS
from tocsin_ocf.rundir import STATE_DIR, Rundir
from tocsin_ocf.testing.options import OPTIONS, Option
from tocsin_ocf.wire import EVERY_RESOURCE, WireError

SECONDS = 5.0
"""How long the daemon may take; it answers from memory."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tocsin")
@click.option("--state-dir", default=STATE_DIR, show_default=True, help="Where the daemons keep their state.")
@click.pass_context
def main(context: click.Context, state_dir: str) -> None:
    """
    Ask tocsind about the services that it watches.

    For root. Where no daemon runs or answers, what the last one left on disk is shown, and that it is so.

    Exit status: 0 answered; 1 a daemon did not answer, or there is no such resource; 2 usage; 4 not allowed;
    78 faults in a service definition.
    """
    context.obj = state_dir


@main.command()
@click.option("--json", "as_text", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(state_dir: str, *, as_text: bool) -> None:
    """Show every resource: phase, process, uptime, last incident."""
    rows, problems = [], []
    for port in ports(state_dir):
        found, problem = status_of(state_dir, port)
        rows += [{**row, "port": port} for row in found]
        problems += [problem] if problem else []
    click.echo(json.dumps(rows, indent=2)) if as_text else screen.show_status(rows)
    for problem in problems:
        click.echo(f"tocsin: {problem}", err=True)
    raise SystemExit(1 if problems else 0)


@main.command()
@click.argument("resource")
@click.option("--json", "as_text", is_flag=True, help="Print JSON.")
@click.pass_obj
def explain(state_dir: str, resource: str, *, as_text: bool) -> None:
    """Tell the last incident of RESOURCE step by step, with its evidence."""
    for port in ports(state_dir):
        timeline = timeline_of(state_dir, port, resource)
        if timeline:
            click.echo(json.dumps(timeline, indent=2)) if as_text else screen.show_timeline(timeline)
            return
    raise click.ClickException(f"no resource {resource} in {state_dir}; `tocsin status` names those there are")


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("--anywhere", is_flag=True, help="Leave out what only this machine lacks: programs, accounts, files.")
def check(files: tuple[str, ...], *, anywhere: bool) -> None:
    """
    Check service definitions, such as /etc/tocsin/NAME.yaml, and print every fault as FILE:LINE: key: what is wrong.

    Needs no daemon and no cluster.

    Exit status: 0 all are well; 78 there are faults.
    """
    from tocsin_daemon import file_check  # noqa: PLC0415 YAML and its schema are for this command alone

    found = [file_check.check(file, here=not anywhere) for file in files]
    for line in (line for _, lines in found for line in lines):
        click.echo(line)
    raise SystemExit(max(status for status, _ in found))


def as_click(row: Option) -> click.Option:
    """Return an option of the conformance run as one of ours."""
    return click.Option(
        row.names, is_flag=not row.metavar, multiple=row.many, metavar=row.metavar or None, help=row.help
    )


def given_again(options: dict[str, Any]) -> list[str]:
    """Return what was given of the conformance run's options, as its own command line takes it."""
    words = []
    for row in OPTIONS:
        value = options[row.names[-1].strip("-").replace("-", "_")]
        if not row.metavar:
            words += [row.names[-1]] if value else []
        else:
            words += [f"{row.names[-1]}={one}" for one in (value if row.many else [value]) if one is not None]
    return words


def test_agent(agent: str, **options: Any) -> None:  # noqa: ANN401 they are the table's
    """
    Test the OCF resource agent AGENT, in any language, against the standard: one line per rule.

    Without --run only meta-data, usage, validate-all, an unknown action and probes are called, as root in namespaces
    of their own with a read-only system and empty /run, /tmp and /var. Nothing is started or stopped.

    Exit status: 0 every rule that applies is kept; 1 there are deviations; 2 usage, or nothing could be called.
    """
    from tocsin_ocf.testing.__main__ import main as test  # noqa: PLC0415 the rules are for this command alone

    raise SystemExit(test([*given_again(options), agent], "tocsin test-agent"))


main.command("test-agent", params=[click.Argument(["agent"], type=click.Path()), *map(as_click, OPTIONS)])(test_agent)


def ports(state_dir: str) -> list[int]:
    """Return the ports of which there is state."""
    try:
        names = [name for name in os.listdir(state_dir) if os.path.isdir(f"{state_dir}/{name}")]
        found = sorted(int(name) for name in names if name.isascii() and name.isdigit() and name == str(int(name)))
        for port in found:
            os.listdir(f"{state_dir}/{port}")
    except FileNotFoundError:
        return []
    except PermissionError as error:
        click.echo(f"tocsin: {error.filename} is for root alone; try sudo", err=True)
        raise SystemExit(OCF_ERR_PERM) from None
    return found


def status_of(state_dir: str, port: int) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of one daemon, and what is wrong with it; without a daemon the state on disk speaks."""
    rundir = Rundir(state_dir, port)
    try:
        code, text = ask(rundir, port, "STATUS", EVERY_RESOURCE, "", SECONDS)
    except (Mute, Stranger, PermissionError) as error:
        return on_disk(rundir), f"port {port}: not answered by tocsind ({error}); shown is the state on disk"
    except NoDaemon:
        rows = on_disk(rundir)
        idle = all(row["phase"] == "stopped" for row in rows)
        return rows, "" if idle else f"port {port}: no tocsind is running; shown is the state on disk"
    return (json.loads(text), "") if code == OCF_SUCCESS else ([], f"port {port}: {text}")


def on_disk(rundir: Rundir) -> list[dict[str, Any]]:
    """Return the rows of the records that a daemon left."""
    return [as_json(record, time.time()) for record in records(rundir)]


def records(rundir: Rundir) -> Iterator[Any]:
    """Yield the records that can be read."""
    if not os.path.isdir(rundir.resources):
        return
    for name in sorted(os.listdir(rundir.resources)):
        if name.endswith(".json"):
            try:
                yield read_record(f"{rundir.resources}/{name}")
            except BadRecord as error:
                click.echo(f"tocsin: {rundir.resources}/{name}: {error}", err=True)


def timeline_of(state_dir: str, port: int, resource: str) -> dict[str, Any] | None:
    """Return the timeline of a resource, from the daemon or else from disk; None where there is no such resource."""
    rundir = Rundir(state_dir, port)
    try:
        code, text = ask(rundir, port, "EXPLAIN", resource, "", SECONDS)
    except (Mute, Stranger, NoDaemon, PermissionError, WireError):
        found = [timeline_json(record) for record in records(rundir) if record.resource == resource]
        return found[0] if found else None
    timeline: dict[str, Any] | None = json.loads(text) if code == OCF_SUCCESS else None
    return timeline
