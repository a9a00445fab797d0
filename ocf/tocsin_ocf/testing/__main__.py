"""`python -m tocsin_ocf.testing AGENT`: the conformance run, one line per rule."""

from __future__ import annotations

import argparse
import json
import sys

from tocsin_ocf.testing.observed import Observations
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
    pairs = {"metavar": "NAME=VALUE", "type": _pair}
    one.add_argument("agent", metavar="AGENT", help="the agent's file")
    one.add_argument("-o", "--option", action="append", default=[], help="a parameter of the resource", **pairs)  # type: ignore[arg-type]
    one.add_argument("--wrong", help="what validate-all has to refuse", **pairs)  # type: ignore[arg-type]
    one.add_argument("--no-probe", action="store_true", help="call no monitor")
    one.add_argument("--run", action="store_true", help="start, stop and all the rest; needs root")
    one.add_argument("--kill", metavar="COMMAND", default="", help="with --run: how a shell kills the service")
    one.add_argument("--host", action="store_true", help="no namespaces: on this machine as it is, whatever it does")
    one.add_argument("--see", metavar="PATH", action="append", default=[], help="what it needs of /run, /tmp, /var")
    one.add_argument("--keep", metavar="PATTERN", action="append", default=[], help="what may stay: a path, a command")
    one.add_argument(
        "--settle", metavar="SECONDS", type=float, default=0.0, help="what it leaves may take so long to end"
    )
    one.add_argument("--timeout", metavar="SECONDS", type=float, default=20.0, help="of each call (default: 20)")
    one.add_argument("--json", action="store_true", help="print JSON, with all that was seen")
    return one


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def main(arguments: list[str], name: str = "python -m tocsin_ocf.testing") -> int:
    """Test what the command line names, print the report, and return the exit status."""
    one = parser(name)
    asked = one.parse_args(arguments)
    if (asked.kill or asked.settle) and not asked.run:
        one.error("--kill and --settle need --run")
    options = Options(
        dict(asked.option),
        asked.wrong,
        asked.timeout,
        probe=not asked.no_probe,
        run=asked.run,
        kill=asked.kill,
        settle=asked.settle,
        see=tuple(asked.see),
        keep=tuple(asked.keep),
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
