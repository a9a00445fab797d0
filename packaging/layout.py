"""
What is installed where: the one list, for `./dev install`, the Debian package and the RPM.

What is rendered from the code is taken as it lies in git, current by `./dev check`; so that this list needs nothing
but Python, and a package is built without the daemon's libraries. Only the completion comes from the installed click.
"""

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ocf"))

import completion
from tocsin_ocf import fold

TOP = Path(__file__).resolve().parents[1]
LIB = "usr/lib/tocsin"
DOC = "usr/share/doc/tocsin"
PAIR = "examples/redis-replication"
AGENT = "usr/lib/ocf/resource.d/tocsin/service"
UNIT = "usr/lib/systemd/system/tocsind@.service"
SUCCESSION = f"{LIB}/succession.py"
COMMANDS = {"tocsin": "tocsin_daemon.cli", "tocsind": "tocsin_daemon.__main__"}
PACKAGES = {"ocf": "tocsin_ocf", "daemon": "tocsin_daemon"}
"""Room of the repository to the package in it."""
SUFFIXES = (".py", ".typed", ".json")
DIRECTORIES = ("etc/tocsin",)
"""Made empty: the administrator's."""
EXAMPLES = ("hooks.conf", "event.schema.json", "prometheus-rules.yaml", "grafana-dashboard.json")
"""To be copied and changed."""
COPIES = {
    UNIT: "packaging/systemd/tocsind@.service",
    "usr/share/tocsin/definition.schema.json": "daemon/tocsin_daemon/definition.schema.json",  # editors are told of it
    "usr/share/man/man1/tocsin.1": "packaging/tocsin.1",
    "usr/share/man/man5/tocsin.yaml.5": "packaging/tocsin.yaml.5",
    "usr/share/man/man7/ocf_tocsin_service.7": "packaging/ocf_tocsin_service.7",
    "usr/share/man/man8/tocsind.8": "packaging/tocsind.8",
    f"{DOC}/tocsin.yaml": "packaging/examples/tocsin.yaml",
    f"{DOC}/{PAIR}/README.md": f"packaging/{PAIR}/README.md",
    f"{DOC}/{PAIR}/redis.yaml": f"packaging/{PAIR}/redis.yaml",
    f"{DOC}/{PAIR}/redis-role": f"packaging/{PAIR}/redis-role",
    **{f"{DOC}/examples/{name}": f"packaging/examples/{name}" for name in EXAMPLES},
    f"{DOC}/NEWS.md": "packaging/CHANGELOG.md",
    f"{DOC}/README.md": "README.md",
}
LAUNCHER = '''#!/usr/bin/python3 -I
"""Run {module} on Debian's Python and Twisted, whatever the caller's environment says."""

import sys

sys.path.insert(0, "/{lib}")

from {module} import main

sys.exit(main())
'''


@dataclass(frozen=True)
class Places:
    """Where distributions differ: the Python modules of all, and zsh's completions by packages."""

    python: str = "usr/lib/python3/dist-packages"
    zsh: str = "usr/share/zsh/vendor-completions"


DEBIAN = Places()


@dataclass(frozen=True)
class File:
    """One file: its content, and its mode; of a symbolic link where it leads, and `S_IFLNK`."""

    content: bytes
    mode: int = 0o644

    @property
    def is_link(self) -> bool:
        """Tell whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)


Layout = dict[str, File]


def layout(places: Places = DEBIAN) -> Layout:
    """Return path below the root to file; the agent last, for it calls the rest."""
    files = {path: File(content) for path, content in _modules()}
    for name, module in COMMANDS.items():
        files[f"usr/bin/{name}"] = File(LAUNCHER.format(module=module, lib=LIB).encode(), 0o755)
    files[SUCCESSION] = File((TOP / "packaging/succession.py").read_bytes(), 0o755)
    files.update((path, File((TOP / source).read_bytes())) for path, source in COPIES.items())
    files.update((path, File(text.encode())) for path, text in completion.files(COMMANDS, places.zsh))
    files.update((f"{places.python}/{name}", _link(places.python, name)) for name in PACKAGES.values())
    files[AGENT] = File(fold.fold(TOP / "agent/service", [TOP / "ocf"]).encode(), 0o755)
    return files


def _modules() -> "Iterator[tuple[str, bytes]]":
    for room, package in PACKAGES.items():
        for source in sorted((TOP / room / package).rglob("*")):
            if source.suffix in SUFFIXES:
                yield f"{LIB}/{source.relative_to(TOP / room)}", source.read_bytes()


def _link(python: str, package: str) -> File:
    """
    Return the link by which everybody's Python finds a package.

    Ours is found by its own path, so that nothing that pip put into /usr/local comes between.
    """
    return File(os.path.relpath(f"{LIB}/{package}", python).encode(), stat.S_IFLNK | 0o777)
