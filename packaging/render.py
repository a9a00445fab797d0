"""
Renew what is rendered from the code and kept in git, or --check that it is current.

The page of the state table from the machine, ocf_tocsin_service(7) from the agent's tables, tocsin(1) and tocsind(8)
from their --help, and tocsin.yaml(5) and the example definition from the JSON Schema.
"""

import inspect
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ocf"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "daemon"))

import command_pages
import example
import man
import yaml_page
from tocsin_daemon.core import life as machine

TOP = Path(__file__).resolve().parents[1]
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


def main(arguments: "list[str]") -> int:
    """Write, or with --check only compare, and return the exit code."""
    wanted = {
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
