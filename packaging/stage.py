"""
Lay the files of a package out below its build root: `stage.py DIRECTORY [--rpm FILE --python DIR --zsh DIR]`.

For the tools that pack it: no manifest, for they keep one of their own.
"""

import argparse
import os
import sys
from pathlib import Path

from install import compile_module, write
from layout import DIRECTORIES, LIB, Layout, Places, layout

OURS = (LIB, "usr/share/tocsin", "usr/share/doc/tocsin", "usr/lib/ocf/resource.d/tocsin", *DIRECTORIES)
"""Directories that belong to the package, with those below them."""


def stage(root: Path, files: Layout) -> None:
    """Write the files below `root`, whatever is there."""
    for directory in DIRECTORIES:
        (root / directory).mkdir(parents=True, exist_ok=True)
    for path, file in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        write(root / path, file)


def compile_all(root: Path, files: Layout) -> None:
    """Compile the modules, where a package brings them compiled; Debian's compile when they are installed."""
    for path in files:
        if path.endswith(".py"):
            compile_module(root, path)


def rpm_files(root: Path) -> str:
    """Return the list that %files reads: what lies below `root`, and the directories that are ours."""
    paths = sorted(path.relative_to(root) for path in root.rglob("*"))
    return "".join(f"{line}\n" for path in paths for line in _rpm_line(root, path))


def _rpm_line(root: Path, path: Path) -> "list[str]":
    name = f"/{path}"
    if (root / path).is_dir() and not (root / path).is_symlink():
        ours = any(own in (path, *path.parents) for own in map(Path, OURS))
        return [f"%dir {name}"] if ours else []
    if "man" in path.parts:
        return [f"{name}*"]  # rpm compresses it
    return [f"%doc {name}" if "doc" in path.parts else name]


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Lay out the files of a package below its build root.")
    parser.add_argument("root", type=Path, help="the build root")
    parser.add_argument("--rpm", type=Path, metavar="FILE", help="compile the modules, and write the list for %%files")
    parser.add_argument("--python", default=Places.python, help="where modules are (default: %(default)s)")
    parser.add_argument("--zsh", default=Places.zsh, help="where zsh's completions are (default: %(default)s)")
    arguments = parser.parse_args()
    os.umask(0o022)
    files = layout(Places(arguments.python.lstrip("/"), arguments.zsh.lstrip("/")))
    stage(arguments.root, files)
    if arguments.rpm:
        compile_all(arguments.root, files)
        arguments.rpm.write_text(rpm_files(arguments.root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
