"""
Renew what is rendered from the code and kept in git, or --check that it is current.

The page of the state table from the machine, ocf_tocsin_service(7) from the agent's tables, tocsin(1) and tocsind(8)
from their --help, tocsin.yaml(5) and the example definition from the JSON Schema; the figures, in the README and in
docs/, from the results of the last whole `./dev bench`.
"""

import inspect
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ocf"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "daemon"))

import bench_figure
import bench_page
import command_pages
import example
import man
import yaml_page
from tocsin_daemon.core import life as machine

TOP = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- figures of ./dev bench, rendered -->\n", "<!-- end of the figures -->\n"
LIFE_PAGE = """\
# The life of a resource

{theory}

Whatever is not in the table is refused, logged, and changes nothing. Rendered from `tocsin_daemon.core.life`.

{table}
"""


def life() -> str:
    """Return the page of the life machine: its module's own words, and its table."""
    _title, _, theory = inspect.cleandoc(machine.__doc__ or "").partition("\n\n")
    return LIFE_PAGE.format(theory=theory, table=machine.LIFE.markdown())


def figures() -> "dict[Path, str]":
    """Return what shows the results of the benchmark, if there are any."""
    if not bench_page.RESULTS.exists():
        return {}
    results, front = json.loads(bench_page.RESULTS.read_text()), TOP / "README.md"
    before, begin, rest = front.read_text().partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"README.md has no lines {BEGIN.strip()} and {END.strip()}")
    return {
        front: f"{before}{begin}\n{bench_page.short(results)}\n\n{end}{after}",
        bench_page.PAGE: bench_page.whole(results),
        bench_page.FIGURE: bench_figure.draw(results),
    }


def main(arguments: "list[str]") -> int:
    """Write, or with --check only compare, and return the exit code."""
    wanted = {
        **figures(),
        TOP / "docs/life.md": life(),
        TOP / "packaging/ocf_tocsin_service.7": man.render(),
        TOP / "packaging/tocsin.1": command_pages.tocsin(),
        TOP / "packaging/tocsind.8": command_pages.tocsind(),
        TOP / "packaging/tocsin.yaml.5": yaml_page.render(),
        TOP / "packaging/examples/tocsin.yaml": example.render(),
    }
    stale = [file for file, text in wanted.items() if not file.exists() or file.read_text() != text]
    if "--check" in arguments:
        for file in stale:
            print(
                f"{file.relative_to(TOP)} is not what the code renders: /usr/bin/python3 packaging/render.py renews it"
            )
        return int(bool(stale))
    for file in stale:
        file.parent.mkdir(exist_ok=True)
        file.write_text(wanted[file])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
