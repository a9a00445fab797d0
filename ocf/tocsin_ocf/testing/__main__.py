"""`python -m tocsin_ocf.testing AGENT`: the conformance run, one line per rule."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from tocsin_ocf.testing.observed import Observations
from tocsin_ocf.testing.options import OPTIONS
from tocsin_ocf.testing.plan import Options
from tocsin_ocf.testing.rule import Line
from tocsin_ocf.testing.rules import report
from tocsin_ocf.testing.session import Unusable, observe

CLEAN, DEVIATIONS, USAGE = 0, 1, 2
MEANING = """\
Without --run only meta-data, usage, validate-all, an unknown action and probes are called, as root in namespaces of
their own with a read-only system and empty /run, /tmp and /var. Nothing is started or stopped.

Exit status: 0 every rule that applies is kept; 1 there are deviations; 2 usage, or nothing could be called.
"""


def parser(name: str) -> argparse.ArgumentParser:
    """Return the command line of the command of that name."""
    one = argparse.ArgumentParser(
        prog=name,
        description="Test an OCF resource agent, in any language, against the standard: one line per rule.",
        epilog=MEANING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("agent", metavar="AGENT", help="the agent's file")
    for row in OPTIONS:
        if not row.metavar:
            one.add_argument(*row.names, action="store_true", help=row.help)
            continue
        kind = KINDS.get(row.metavar, str)
        action = "append" if row.many else "store"
        one.add_argument(*row.names, metavar=row.metavar, type=kind, action=action, default=row.default, help=row.help)
    return one


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


KINDS: dict[str, Callable[[str], object]] = {"NAME=VALUE": _pair, "SECONDS": float}
"""How a value is read, by its name in the help; all others are text."""


def main(arguments: list[str], name: str = "python -m tocsin_ocf.testing") -> int:
    """Test what the command line names, print the report, and return the exit status."""
    one = parser(name)
    asked = one.parse_args(arguments)
    if (asked.kill or asked.settle) and not asked.run:
        one.error("--kill and --settle need --run")
    options = Options(
        dict(asked.option or ()),
        asked.wrong,
        asked.timeout,
        probe=not asked.no_probe,
        run=asked.run,
        kill=asked.kill,
        settle=asked.settle,
        see=tuple(asked.see or ()),
        keep=tuple(asked.keep or ()),
        host=asked.host,
    )
    try:
        seen = observe(asked.agent, options)
    except Unusable as fault:
        sys.stderr.write(f"{one.prog}: {fault}\n")
        return USAGE
    lines = report(seen)
    sys.stdout.write(as_json(seen, lines) if asked.json else as_text(lines))
    return DEVIATIONS if any(line.verdict.result == "FAIL" for line in lines) else CLEAN


def as_text(lines: list[Line]) -> str:
    """Return the report, with a sum as its last line."""
    results = [line.verdict.result for line in lines]
    total = ", ".join(f"{results.count(result)} {result}" for result in ("PASS", "FAIL", "SKIP"))
    return "".join(f"{line}\n" for line in lines) + f"{total}\n"


def as_json(seen: Observations, lines: list[Line]) -> str:
    """Return the report as JSON: the agent's path, its version of OCF, and one object per rule."""
    rows = [
        {
            "rule": line.rule.name,
            "result": line.verdict.result,
            "seen": line.verdict.seen,
            "section": line.rule.section,
            "severity": line.rule.severity,
        }
        for line in lines
    ]
    version = seen.document.version if seen.document else None
    return json.dumps({"agent": seen.path, "ocf": version, "isolated": seen.isolated, "rules": rows}, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
