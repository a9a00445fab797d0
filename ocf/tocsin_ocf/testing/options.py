"""The options of the conformance run, as its own command line and tocsin's take them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """One option, for this command line and for tocsin's; without a metavar it is a flag."""

    names: tuple[str, ...]
    help: str
    metavar: str = ""
    many: bool = False
    default: str | None = None


OPTIONS = (
    Option(("-o", "--option"), "A parameter of the resource; may be repeated.", "NAME=VALUE", many=True),
    Option(("--wrong",), "What validate-all has to refuse; otherwise letters for the first integer.", "NAME=VALUE"),
    Option(("--no-probe",), "Call no monitor."),
    Option(("--run",), "Start, stop, promote, notify and so on; needs root."),
    Option(
        ("--kill",), "With --run: how a shell kills the service; then a monitor has to notice.", "COMMAND", default=""
    ),
    Option(("--host",), "No namespaces: on this machine as it is, whatever the agent does."),
    Option(
        ("--see",),
        "A file or directory below /run, /tmp or /var that the agent needs; it stays readable.",
        "PATH",
        many=True,
    ),
    Option(("--keep",), "What may stay after a stop: a path, or a command line.", "PATTERN", many=True),
    Option(("--settle",), "What a stop leaves may take so long to end. Default: not at all.", "SECONDS", default="0"),
    Option(("--timeout",), "How long a call may take. Default: 20.", "SECONDS", default="20"),
    Option(("--json",), "Print JSON, with all that was seen."),
)
