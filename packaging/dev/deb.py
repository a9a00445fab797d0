"""./dev deb: build the Debian package into dist/, and let lintian judge it; --check uses it in a clean root."""

import argparse
import os
import shutil
import subprocess
import sys
import textwrap
from email.utils import formatdate
from pathlib import Path

import cleanroot
import source
from source import Source

LINTIAN = ["lintian", "--fail-on=error,warning", "--display-info", "--pedantic", "--allow-root"]


def build(made_from: Source, output: Path) -> Path:
    """Build the package of a tree, which gets a debian/ by it, and return its file in `output`."""
    debian = made_from.tree / "debian"
    shutil.copytree(made_from.tree / "packaging/debian", debian)
    (debian / "changelog").write_text(changelog(made_from))
    made_from.fill_in(debian / "tocsin.postrm")
    environment = {**os.environ, "DEB_BUILD_OPTIONS": "noautodbgsym", "SOURCE_DATE_EPOCH": str(made_from.date)}
    source.run(["dpkg-buildpackage", "--build=binary", "--unsigned-changes"], environment, made_from.tree)
    source.empty(output, "tocsin_*.deb")
    (built,) = made_from.tree.parent.glob(f"tocsin_{made_from.version}_*.deb")
    return Path(shutil.copy2(built, output))


def changelog(made_from: Source) -> str:
    """Return debian/changelog: the topmost section of ours, in Debian's form."""
    items = (textwrap.fill(text, 78, initial_indent="  * ", subsequent_indent="    ") for text in made_from.changes)
    title = f"tocsin ({made_from.version}) bookworm; urgency=medium"
    return "\n".join([title, "", *items, "", f" -- {made_from.maintainer}  {formatdate(made_from.date)}", ""])


def lint(package: Path) -> None:
    """Let lintian judge; anything that it finds is a failure, unless overridden with a reason."""
    subprocess.run([*LINTIAN, package], check=True)


def main() -> int:
    """Build, judge, and return the exit code."""
    parser = argparse.ArgumentParser(prog="./dev deb", description="Build the Debian package into dist/.")
    parser.add_argument("--check", action="store_true", help="install, use and remove it in a clean Debian 12 (root)")
    arguments = parser.parse_args()
    return source.make("deb", build, lint, *([cleanroot.check] if arguments.check else []))


if __name__ == "__main__":
    sys.exit(main())
