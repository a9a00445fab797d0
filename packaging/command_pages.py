"""
Render the manual pages tocsin(1) and tocsind(8) from the commands themselves: what --help says, and more room for it.

A paragraph of a command's docstring that begins "Exit status:" becomes the section of that name.
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ocf"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "daemon"))

import click

from man import DATE
from roff import code, escape, fill, item, section, subsection
from tocsin_daemon import __main__ as tocsind_command
from tocsin_daemon import cli
from tocsin_ocf import __version__

STATUS = "Exit status: "
AS_IT_IS = "\b\n"
"""How click is told not to fill a paragraph."""
FILES = {
    "tocsin": (
        (
            "/run/tocsin/PORT/",
            "What the daemon on a port knows, incidents included; for root alone, gone after a reboot.",
        ),
        ("/var/log/tocsin/tocsind-PORT.log", "The log of the daemon, with the output of its services."),
        ("/etc/tocsin/NAME.yaml", "Service definitions, see tocsin.yaml(5)."),
    ),
    "tocsind": (
        ("/run/tocsin/PORT/", "What it knows: the next daemon on this port takes it up. For root alone."),
        (
            "/var/log/tocsin/tocsind-PORT.log",
            "Where the agent and the unit have it log; rotated at 10 MiB, four older ones are kept.",
        ),
        ("/usr/lib/systemd/system/tocsind@.service", "Its unit, where systemd runs; the instance is the port."),
        (
            "/etc/tocsin/hooks.conf",
            "What it runs, or posts to, on an incident, a report, a recovery. /usr/share/doc/tocsin/examples has one "
            "that tells all about it, the schema of the events, and alert rules and a dashboard for the metrics.",
        ),
    ),
}
SIGNALS = (
    ("TERM, INT", "It ends, and touches no service; systemctl restart does the same, and starts the next one."),
    ("HUP", "Changed definition files, and the file of hooks, are read again at once."),
    (
        "USR1",
        "What every resource is, each request, look of a check and tool of Pacemaker's is logged for ten minutes.",
    ),
    ("USR2", "No longer."),
)
SEE = ("tocsin 1", "tocsind 8", "tocsin.yaml 5", "ocf_tocsin_service 7", "crm_mon 8", "pcs 8")


def tocsin() -> str:
    """Return the page of the administrator's command."""
    context = click.Context(cli.main, info_name="tocsin", **cli.main.context_settings)
    commands = [cli.main.get_command(context, name) for name in cli.main.list_commands(context)]
    own = [(click.Context(command, context, command.name), command) for command in commands if command]
    usage = "\n.br\n".join(_usage(*one) for one in own)
    return _page(context, cli.main, 1, "User commands", usage, section("COMMANDS", *(_command(*one) for one in own)))


def tocsind() -> str:
    """Return the page of the daemon."""
    command = tocsind_command.main
    context = click.Context(command, info_name="tocsind", **command.context_settings)
    signals = section("SIGNALS", *(item(name, text) for name, text in SIGNALS))
    return _page(context, command, 8, "System administration", _usage(context, command), signals)


def _page(context: click.Context, command: click.Command, number: int, kind: str, usage: str, more: str) -> str:
    name = str(context.info_name)
    first, *rest = _paragraphs(command)
    others = [page.split() for page in SEE if page.split()[0] != name]
    parts = (
        f'.TH {name.upper()} {number} {DATE} "tocsin {__version__}" "{kind}"',
        section("NAME", f"{name} \\- {escape(first[0].lower() + first[1:].rstrip('.'))}"),
        section("SYNOPSIS", usage),
        section("DESCRIPTION", *map(_paragraph, rest or [first])),
        section("OPTIONS", *_options(context, command)),
        more,
        section("EXIT STATUS", *(item(number, f"{text[0].upper()}{text[1:]}.") for number, text in _statuses(command))),
        section("FILES", *(item(path, text) for path, text in FILES[name])),
        section("SEE ALSO", ",\n".join(f".BR {page} ({volume})" for page, volume in others)),
    )
    return "\n".join(parts) + "\n"


def _command(context: click.Context, command: click.Command) -> str:
    usage = " ".join([str(command.name), *command.collect_usage_pieces(context)[1:]])
    first, *rest = _paragraphs(command)
    body = "\n.PP\n".join(map(_paragraph, [first, *rest]))
    status = [item("Exit status", "; ".join(f"{code} {text}" for code, text in _statuses(command)) + ".")]
    return subsection(usage, body, *_options(context, command), *(status if _statuses(command) else []))


def _usage(context: click.Context, command: click.Command) -> str:
    pieces = " ".join(command.collect_usage_pieces(context))
    return f".B {escape(context.command_path)}\n{escape(pieces)}"


def _options(context: click.Context, command: click.Command) -> "Iterator[str]":
    """Yield every option in the order of --help; that one itself stands in the page only once."""
    for option in command.get_params(context):
        known = context.parent and "--help" in option.opts
        if isinstance(option, click.Option) and not option.hidden and not known:
            names = ", ".join(sorted([*option.opts, *option.secondary_opts], key=len))
            value = "" if option.is_flag or option.count else f" {option.metavar or str(option.name).upper()}"
            default = f" Default: {option.default}." if option.show_default and option.default is not None else ""
            yield item(f"{names}{value}", f"{option.help or ''}{default}")


def _paragraphs(command: click.Command) -> "list[str]":
    """Return what the docstring says, without its exit status."""
    return [text for text in _docstring(command) if not text.startswith(STATUS)]


def _paragraph(text: str) -> str:
    if text.startswith(AS_IT_IS):
        return code(text[len(AS_IT_IS) :]).partition("\n")[2]  # without .PP: the section sets it
    return fill(" ".join(text.split()))


def _statuses(command: click.Command) -> "list[tuple[str, str]]":
    """Return each exit status and its meaning, as the docstring tells them: `Exit status: 0 well; 2 usage.`."""
    found = [text for text in _docstring(command) if text.startswith(STATUS)]
    entries = " ".join(found[0].split())[len(STATUS) :].rstrip(".").split("; ") if found else []
    return [(number, meaning) for number, _, meaning in (entry.partition(" ") for entry in entries)]


def _docstring(command: click.Command) -> "list[str]":
    return inspect.cleandoc(command.help or "").split("\n\n")


if __name__ == "__main__":
    sys.stdout.write({"tocsin": tocsin, "tocsind": tocsind}[sys.argv[1]]())
