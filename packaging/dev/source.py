"""How a package is made: of a copy of the working tree, with the version and the changes that it tells of."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import venvs
from venvs import TOP

DIST = TOP / "dist"
"""Where packages are put."""
PARTS = ("agent", "daemon", "ocf", "packaging", "LICENSE", "README.md", "pyproject.toml")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")
VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)
SECTION = re.compile(r"^## (\S+)(?: .*)?$", re.MULTILINE)


class Rejected(Exception):
    """A package is not what it should be, or nobody can tell; the text says why."""


@dataclass(frozen=True)
class Source:
    """A tree, and what its packages are called; `date` is in seconds since 1970, for the build's clock."""

    tree: Path
    version: str
    date: int

    @property
    def changes(self) -> "list[str]":
        """The items of the changelog's topmost section, each in one line."""
        section = SECTION.split((self.tree / "packaging/CHANGELOG.md").read_text())[2]
        return [" ".join(item.split()) for item in re.split(r"^- ", section, flags=re.MULTILINE)[1:]]

    @property
    def maintainer(self) -> str:
        """Name and address of who packs it."""
        (found,) = re.findall(r"^Maintainer: (.+)$", (self.tree / "packaging/debian/control").read_text(), re.MULTILINE)
        return str(found)

    def fill_in(self, file: Path, **words: str) -> None:
        """Replace @NAME@ in a file by each word, and @END_DAEMONS@ by the script of that name."""
        words["END_DAEMONS"] = (self.tree / "packaging/end_daemons.sh").read_text().rstrip()
        text = file.read_text()
        for name, word in words.items():
            text = text.replace(f"@{name}@", word)
        file.write_text(text)


def copy(to: Path, top: Path = TOP) -> Source:
    """Copy what packages are built from to `to`, which is not there yet."""
    to.mkdir(parents=True)
    for part in PARTS:
        if (top / part).is_dir():
            shutil.copytree(top / part, to / part, ignore=LEFT_OUT, symlinks=True)
        else:
            shutil.copy2(top / part, to / part)
    date = _date(top)
    return Source(to, version(to, date), date)


def empty(place: Path, pattern: str) -> None:
    """Make a directory, and remove older packages from it: `apt install dist/tocsin_*.deb` means the new one."""
    place.mkdir(parents=True, exist_ok=True)
    for old in place.glob(pattern):
        old.unlink()


def version(tree: Path, date: int) -> str:
    """
    Return what the packages are called, in words that dpkg and rpm order alike.

    What is not released is older than the release that it becomes, and newer than what was built of an older commit.
    """
    found = VERSION.search((tree / "ocf/tocsin_ocf/__init__.py").read_text())
    if not found:
        raise ValueError("ocf/tocsin_ocf/__init__.py has no line __version__ = ...")
    title = SECTION.search((tree / "packaging/CHANGELOG.md").read_text())
    if title and title.group(1) == found.group(1):
        return found.group(1)
    return f"{found.group(1)}~{time.strftime('%Y%m%d%H%M%S', time.gmtime(date))}"


def _date(top: Path) -> int:
    """Return when the last commit was made; where there is none, or it is not all, the time now."""
    status = subprocess.run(["git", "-C", top, "status", "--porcelain"], capture_output=True, check=False)
    if status.returncode != 0 or status.stdout:
        return int(time.time())
    return int(subprocess.check_output(["git", "-C", top, "log", "-1", "--format=%ct"]))


def make(kind: str, build: "Callable[[Source, Path], Path]", *judges: "Callable[[Path], None]") -> int:
    """Build a package of the working tree into dist/, have it judged, and return the exit code of `./dev KIND`."""
    try:
        with tempfile.TemporaryDirectory(prefix=f"tocsin-{kind}-") as scratch:
            package = build(copy(Path(scratch, "tocsin")), DIST)
        for judge in judges:
            judge(package)
    except (subprocess.CalledProcessError, OSError, Rejected) as fault:
        print(f"./dev {kind}: {fault}", file=sys.stderr)
        return 1
    venvs.give_back()
    print(f"./dev {kind}: {package.relative_to(TOP)}")
    return 0


def run(command: "Sequence[str]", environment: "dict[str, str]", place: Path) -> None:
    """Run the tool that packs; what it says is shown only where it fails, with CalledProcessError."""
    done = subprocess.run(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout)
        raise subprocess.CalledProcessError(done.returncode, command)
