"""./dev rpm: build the RPM into dist/, as far as Debian's rpmbuild can, and let rpmlint judge it and its spec."""

import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import source
from source import Source

CONFIGURATION = Path(__file__).parents[1] / "rpm/rpmlint.toml"


def build(made_from: Source, output: Path) -> Path:
    """Build the package of a tree, and return its file in `output`."""
    top = made_from.tree.parent / "rpmbuild"
    name = f"tocsin-{made_from.version}"
    (top / "SOURCES").mkdir(parents=True)
    with tarfile.open(top / "SOURCES" / f"{name}.tar.gz", "w:gz") as tar:
        tar.add(made_from.tree, name)
    spec = Path(shutil.copy(made_from.tree / "packaging/rpm/tocsin.spec", top))
    made_from.fill_in(spec, VERSION=made_from.version, CHANGELOG=changelog(made_from))
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(made_from.date)}
    nodeps = "--nodeps"  # Debian's are no RPMs
    command = ["rpmbuild", "-bb", "--quiet", nodeps, "--define", f"_topdir {top}", str(spec)]
    source.run(command, environment, top)
    source.empty(output, "tocsin-*.rpm")
    shutil.copy2(spec, output)
    (built,) = (top / "RPMS").rglob("*.rpm")
    return Path(shutil.copy2(built, output))


def changelog(made_from: Source) -> str:
    """Return the topmost section of the changelog, in RPM's form."""
    day = time.strftime("%a %b %d %Y", time.gmtime(made_from.date))
    items = (f"- {text}".replace("%", "%%") for text in made_from.changes)
    return "\n".join([f"* {day} {made_from.maintainer} - {made_from.version}-1", *items])


def lint(package: Path) -> None:
    """Let rpmlint judge the package and the spec; anything that it finds is a failure, unless there is a reason."""
    subprocess.run(
        ["rpmlint", "--strict", "--config", CONFIGURATION, package, package.parent / "tocsin.spec"], check=True
    )


def main() -> int:
    """Build, judge, and return the exit code."""
    return source.make("rpm", build, lint)


if __name__ == "__main__":
    sys.exit(main())
