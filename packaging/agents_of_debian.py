#!/usr/bin/env python3
"""
Write docs/agents-of-debian.md: what the conformance run says of every agent that is installed.

    sudo packaging/agents_of_debian.py [--output FILE] [--jobs N]

Nothing is started or stopped; every agent is called in namespaces of its own.
"""

import argparse
import os
import re
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ocf"))

from tocsin_ocf.testing.observed import Observations
from tocsin_ocf.testing.plan import Options
from tocsin_ocf.testing.rule import Line
from tocsin_ocf.testing.rules import RULES, report
from tocsin_ocf.testing.session import Unusable, observe

TOP = Path(__file__).resolve().parents[1]
AGENTS = Path("/usr/lib/ocf/resource.d")
OURS = "tocsin"
PACKAGES = ("resource-agents", "pacemaker-resource-agents", "pcs", "libxml2-utils")
LONGEST = 160
HOMES = re.compile(r"/(?:root|home/\w+)/\S*")
HEAD = """\
# What the conformance run says of Debian's agents

Rendered by `packaging/agents_of_debian.py` (as root), which runs `python -m tocsin_ocf.testing` on every agent below
`/usr/lib/ocf/resource.d`, without parameters, without starting or stopping anything, in namespaces without a network, a
cluster or systemd. Versions: {versions}.

{agents} agents, {clean} of them without a deviation; {deviations} deviations, from {rules} rules. A probe has to say 7
or 5 also where a program is not installed, and no cluster or cloud can be reached: it runs on every node, before
anything was started there. An agent that declares a required parameter is not blamed for what it says without it.
"""


def main() -> int:
    """Test all agents, write the page, and return the exit status."""
    parser = argparse.ArgumentParser(description="Write what the conformance run says of every agent installed.")
    parser.add_argument("--output", type=Path, default=TOP / "docs/agents-of-debian.md", help="the page to write")
    parser.add_argument("--jobs", type=int, default=2, help="how many agents are tested at once (default: 2)")
    asked = parser.parse_args()
    if os.geteuid() != 0:
        print("agents_of_debian.py: needs root, for namespaces; try sudo", file=sys.stderr)
        return 2
    files = sorted(file for file in AGENTS.glob("*/[!.]*") if file.is_file() and file.parent.name != OURS)
    with ThreadPoolExecutor(asked.jobs) as pool:
        try:
            seen = list(pool.map(lambda file: observe(str(file), Options()), files))
        except Unusable as fault:
            print(f"agents_of_debian.py: {fault}", file=sys.stderr)
            return 2
    asked.output.parent.mkdir(exist_ok=True)
    asked.output.write_text(page([(one, report(one)) for one in seen], versions()))
    return 0


def versions() -> str:
    """Return the versions of the packages that the agents and schemas are of."""
    form = "--showformat=${Package} ${Version}\\n"
    done = subprocess.run(["dpkg-query", "--show", form, *PACKAGES], capture_output=True, text=True, check=False)
    return ", ".join(done.stdout.splitlines())


def page(reports: "list[tuple[Observations, list[Line]]]", packages: str) -> str:
    """Return the page: a table of rules with how many agents break each, then what was seen of each agent."""
    broken = {name(seen): [line for line in lines if line.verdict.result == "FAIL"] for seen, lines in reports}
    by_rule: dict[str, int] = defaultdict(int)
    for line in (line for lines in broken.values() for line in lines):
        by_rule[line.rule.name] += 1
    clean = sum(not lines for lines in broken.values())
    figures = {"agents": len(reports), "clean": clean, "deviations": sum(by_rule.values()), "rules": len(by_rule)}
    text = HEAD.format(versions=packages, **figures)
    text += "\n| rule | broken by | written in |\n|---|---:|---|\n"
    rows = sorted((rule for rule in RULES if by_rule[rule.name]), key=lambda rule: -by_rule[rule.name])
    text += "".join(f"| {rule.name} | {by_rule[rule.name]} | {rule.section} |\n" for rule in rows)
    versions_of = {name(seen): seen.document.version if seen.document else None for seen, _ in reports}
    for agent, lines in broken.items():
        text += f"\n## {agent}, OCF {versions_of[agent] or 'not declared'}\n\n"
        text += "".join(f"- {line.rule.name}: {shown(line)}\n" for line in lines) or "No deviation seen.\n"
    return text


def name(seen: Observations) -> str:
    """Return an agent's name as Pacemaker's tools spell it."""
    return f"ocf:{seen.provider}:{seen.name}"


def shown(line: Line) -> str:
    """Return what was seen on one line of Markdown, without what is only this machine's: homes, process ids."""
    text = " ".join(HOMES.sub("~", line.verdict.seen).split())
    text = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)
    text = re.sub(r"killed after [0-9.]+ s", "killed at its timeout", text)
    text = re.sub(r"[0-9]+ ms of CPU, [0-9]+ ms in all", "too slow", text)
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return "`" + short.replace("`", "'") + "`"


if __name__ == "__main__":
    sys.exit(main())
