#!/usr/bin/env python3
"""
Render the manual page ocf_tocsin_service(7) from the agent's tables.

    man.py > ocf_tocsin_service.7

The second rendering of what meta-data prints; a test says that the committed page is current.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "ocf"))

from roff import code, escape, fill, item, paragraphs, section
from tocsin_ocf import __version__, exit_codes
from tocsin_ocf.advertised import ACTIONS
from tocsin_ocf.declared import Action, Parameter
from tocsin_ocf.parameters import LONG, PARAMETERS, SHORT

DATE = "2026-11-21"
"""When the text last changed; a build's date would make every build another page."""

EXAMPLES = (
    (
        "A web server; a failure is reported at once, and after three failures within ten minutes it moves:",
        """\
pcs resource create web ocf:tocsin:service \\
    command="/usr/sbin/nginx -g 'daemon off;'" stop_signal=QUIT \\
    op monitor interval=60s timeout=20s \\
    meta migration-threshold=3 failure-timeout=10min""",
    ),
    (
        "A failure that is reported at once shall fence the node, as one that a monitor finds:",
        """\
pcs resource create db ocf:tocsin:service config=/etc/tocsin/db.yaml \\
    op monitor interval=60s on-fail=fence \\
    op asyncmon interval=0 on-fail=fence""",
    ),
    (
        "A database with one primary. The two monitors need different intervals:",
        """\
pcs resource create db ocf:tocsin:service config=/etc/tocsin/db.yaml \\
    op monitor interval=60s op monitor interval=59s role=Promoted \\
    promotable promoted-max=1 notify=true""",
    ),
)

CODES = (
    ("OCF_SUCCESS", "The action succeeded; for monitor: the service runs."),
    (
        "OCF_ERR_GENERIC",
        "The service failed and something of it still runs, it did not start or stop, or nobody can tell.",
    ),
    ("OCF_ERR_ARGS", "The service definition on this node is faulty."),
    ("OCF_ERR_UNIMPLEMENTED", "The agent has no such action, or a service shall be promoted that has no roles."),
    ("OCF_ERR_PERM", "Rights are missing."),
    ("OCF_ERR_INSTALLED", "A program, account, directory or file is not on this node."),
    ("OCF_ERR_CONFIGURED", "A parameter has a value that no node could accept."),
    ("OCF_NOT_RUNNING", "The service does not run; with a reason where it should."),
    ("OCF_RUNNING_PROMOTED", "The service runs, and is promoted."),
    ("OCF_FAILED_PROMOTED", "The service was promoted, and failed; something of it still runs."),
    (
        "OCF_DEGRADED",
        "The service runs, but a check found less than a failure or cannot be made, or no daemon watches it and none "
        "could be started. Pacemaker shows it and moves nothing.",
    ),
    ("OCF_DEGRADED_PROMOTED", "The same, of a service that is promoted."),
)

FILES = (
    ("/etc/tocsin/NAME.yaml", "Service definitions, for the parameter config; see tocsin.yaml(5)."),
    ("/run/tocsin/PORT/", "What the daemon on a port knows, incidents included; for root alone, gone after a reboot."),
    ("/run/tocsin/PORT/tocsind.out", "What the daemon printed before its log was open."),
    (
        "/var/log/tocsin/tocsind-PORT.log",
        "The log of the daemon, with the output of its services; rotated at 10 MiB, four older ones are kept.",
    ),
    (
        "/usr/lib/systemd/system/tocsind@.service",
        "The daemon's unit, where systemd runs. What it says before its log is open is in the journal.",
    ),
)


def render() -> str:
    """Return the page."""
    parts = (
        f'.TH OCF_TOCSIN_SERVICE 7 {DATE} "tocsin {__version__}" "OCF resource agents"',
        section("NAME", f"ocf_tocsin_service \\- {escape(SHORT[0].lower() + SHORT[1:])}"),
        section("SYNOPSIS", ".B service\n" + escape("|".join(dict.fromkeys(action.name for action in ACTIONS)))),
        section("DESCRIPTION", paragraphs(LONG)),
        section("PARAMETERS", *map(_parameter, PARAMETERS)),
        section("ACTIONS", "Advertised times; an operation of the resource may have others.", *map(_action, ACTIONS)),
        section("EXAMPLES", *(f"{fill(text)}\n{code(lines)}" for text, lines in EXAMPLES)),
        section("EXIT STATUS", *(item(str(getattr(exit_codes, name)), f"{name}. {text}") for name, text in CODES)),
        section("FILES", *(item(path, text) for path, text in FILES)),
        section(
            "SEE ALSO",
            ".BR tocsin (1),\n.BR tocsin.yaml (5),\n.BR tocsind (8),\n.BR pcs (8),\n.BR crm_resource (8)",
        ),
    )
    return "\n".join(parts) + "\n"


def _parameter(row: "Parameter[object]") -> str:
    notes = [f"default: {row.default}"] if row.default else []
    notes += ["unique"] if row.unique else []
    more = f" ({', '.join(notes)})" if notes else ""
    return item(row.name, f"{row.short}{more}.\n\n{row.long}")


def _action(row: Action) -> str:
    interval = f", interval {row.interval}" if row.interval else ""
    role = f", role {row.role}" if row.role else ""
    return item(row.name, f"timeout {row.timeout}{interval}{role}")


if __name__ == "__main__":
    sys.stdout.write(render())
