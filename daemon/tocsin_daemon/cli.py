"""`tocsin`: what the administrator asks at night."""

from __future__ import annotations

import click

from tocsin_daemon.admin.daemons import Place
from tocsin_daemon.admin.doctor import doctor
from tocsin_daemon.admin.history import events, explain
from tocsin_daemon.admin.intent import fail, pause, resume
from tocsin_daemon.admin.log import log
from tocsin_daemon.admin.status import status
from tocsin_daemon.admin.test_agent import test_agent
from tocsin_ocf import __version__
from tocsin_ocf.pacemaker import BIN
from tocsin_ocf.rundir import STATE_DIR


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tocsin")
@click.option("--state-dir", default=STATE_DIR, show_default=True, help="Where the daemons keep their state.")
@click.option("--pacemaker-bin", default=BIN, show_default=True, help="Where crm_mon and cibadmin are.")
@click.pass_context
def main(context: click.Context, state_dir: str, pacemaker_bin: str) -> None:
    """
    Ask tocsind about the services that it watches.

    For root. Where no daemon runs or answers, what the last one left on disk is shown, and that it is so.

    Exit status: 0 answered; 1 a daemon did not answer, there is no such resource, or something is wrong with it; 2
    usage; 4 not allowed; 78 faults in a service definition.
    """
    context.obj = Place(state_dir, pacemaker_bin)


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


@main.command()
@click.argument("agent", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The one file to write.")
@click.option("--path", multiple=True, type=click.Path(), help="Where modules of your own lie; can be repeated.")
def fold(agent: str, output: str, path: tuple[str, ...]) -> None:
    """
    Fold AGENT, an agent of your own, and the modules that it imports into one file that starts in milliseconds.

    Exit status: 0 written; 1 it cannot be made one file, and why.
    """
    from tocsin_ocf import fold as folding  # noqa: PLC0415 for this command alone

    words = [word for directory in path for word in ("--path", directory)]
    raise SystemExit(folding.main([agent, "--output", output, *words]))


for command in (status, explain, events, log, doctor, pause, resume, fail, test_agent):
    main.add_command(command)
