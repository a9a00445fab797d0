"""
Renew what is rendered from the code and kept in git, or --check that it is current.

The README's state table from the machine, ocf_tocsin_service(7) from the agent's tables, tocsin(1) and tocsind(8)
from their --help, and tocsin.yaml(5) and the example definition from the JSON Schema.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ocf"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "daemon"))

import command_pages
import example
import man
import yaml_page
from tocsin_daemon.core.life import LIFE

TOP = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- state table, rendered -->\n", "<!-- end of the state table -->\n"


def readme(text: str) -> str:
    """Return the README with the state table of the code between its two markers."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"README.md has no lines {BEGIN.strip()} and {END.strip()} for the state table")
    return f"{before}{BEGIN}\n{LIFE.markdown()}\n\n{END}{after}"


def main(arguments: "list[str]") -> int:
    """Write, or with --check only compare, and return the exit code."""
    front = TOP / "README.md"
    wanted = {
        front: readme(front.read_text() if front.exists() else ""),
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
