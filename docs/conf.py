"""Sphinx builds the documentation site from docs/ and the docstrings: ./dev docs."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "daemon"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "ocf"))

from tocsin_ocf import __version__

project = "Tocsin"
version = release = __version__
copyright = "The Tocsin developers"  # noqa: A001 Sphinx's name for it
extensions = ["sphinx.ext.autodoc", "myst_parser"]
exclude_patterns = ["examples"]
html_theme = "furo"
html_title = f"Tocsin {__version__}"
html_copy_source = False
html_show_sphinx = False
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "special-members": "__getitem__"}
autoclass_content = "both"
smartquotes = False
add_module_names = False

MARKUP = re.compile(r"\*|\||\w_(?!\w)|\\")
"""What means something to reStructuredText, and is meant as it stands in a docstring; not what is between backticks."""


def plain(lines: "list[str]") -> "list[str]":
    """Return a docstring as reStructuredText: it is plain text, with `code` and indented examples."""
    found: list[str] = []
    quoted = False
    for line in lines:
        indented = line.startswith("    ")
        if indented and not quoted and found and not found[-1].strip():
            found += ["::", ""]
        quoted = indented or (quoted and not line.strip())
        found.append(line if quoted or not line.strip() else _escaped(line))
    return found


def _escaped(line: str) -> str:
    start = line.index(line.strip()[0]) + (2 if line.lstrip().startswith("* ") else 0)
    parts = line[start:].split("`")
    parts[::2] = [MARKUP.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", part) for part in parts[::2]]
    return line[:start] + "`".join(parts)


def setup(app: object) -> None:
    """Have every docstring go through `plain`."""
    connect = app.connect  # type: ignore[attr-defined] # Sphinx is not there where types are checked
    connect("autodoc-process-docstring", lambda _app, _what, _name, _object, _options, lines: _replace(lines))


def _replace(lines: "list[str]") -> None:
    lines[:] = plain(lines)
