"""
Put the working tree where Pacemaker and the shell find it, or remove just that: `install|uninstall [--root DIR]`.

A manifest on the node says what was put there, directories included, so that `uninstall` also knows the layout
of an older tree. Every file appears by one rename, for Pacemaker may call the agent any time.
"""

import argparse
import os
import py_compile
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import example
import fold
import man
import yaml_page

TOP = Path(__file__).resolve().parents[1]
LIB = "usr/lib/tocsin"
MANIFEST = f"{LIB}/manifest"
AGENT = "usr/lib/ocf/resource.d/tocsin/service"
UNIT = "usr/lib/systemd/system/tocsind@.service"
MAN_PAGE = "usr/share/man/man7/ocf_tocsin_service.7"
YAML_PAGE = "usr/share/man/man5/tocsin.yaml.5"
EXAMPLE = "usr/share/doc/tocsin/tocsin.yaml"
SCHEMA = "daemon/tocsin_daemon/definition.schema.json"
SCHEMA_PLACES = (f"{LIB}/tocsin_daemon/definition.schema.json", "usr/share/tocsin/definition.schema.json")
"""Where the daemon reads it, and where an editor is told to."""
COMMANDS = {"tocsin": "tocsin_daemon.cli", "tocsind": "tocsin_daemon.__main__"}
LAUNCHER = '''#!/usr/bin/python3 -I
"""Run {module} on Debian's Python and Twisted, whatever the caller's environment says."""

import sys

sys.path.insert(0, "/{lib}")

from {module} import main

sys.exit(main())
'''

Layout = dict[str, tuple[bytes, int]]


class Refused(Exception):
    """Nothing was changed; the text says why and what to do."""


def layout() -> Layout:
    """Return path below the root to content and mode; the agent last, for it calls the rest."""
    files: Layout = {}
    for room in ("ocf", "daemon"):
        for source in sorted((TOP / room).rglob("*.py")):
            files[f"{LIB}/{source.relative_to(TOP / room)}"] = (source.read_bytes(), 0o644)
    for command, module in COMMANDS.items():
        files[f"usr/bin/{command}"] = (LAUNCHER.format(module=module, lib=LIB).encode(), 0o755)
    files[UNIT] = ((TOP / "packaging/systemd/tocsind@.service").read_bytes(), 0o644)
    files[MAN_PAGE] = (man.render().encode(), 0o644)
    files[YAML_PAGE] = (yaml_page.render().encode(), 0o644)
    files[EXAMPLE] = (example.render().encode(), 0o644)
    files.update((place, ((TOP / SCHEMA).read_bytes(), 0o644)) for place in SCHEMA_PLACES)
    files[AGENT] = (fold.fold(TOP / "agent/service", [TOP / "ocf"]).encode(), 0o755)
    return files


def install(root: Path) -> str:
    """Install below `root`, over what an earlier run put there, and return what to tell the caller."""
    new, old = layout(), _manifest(root)
    _refuse_strangers(root, [path for path in new if path not in old])
    _refuse_without_rights(root, [*new, MANIFEST])
    made = [path for path in old if path.endswith("/")]
    made += [f"{path}/" for path in _make_directories(root, [*new, MANIFEST])]
    _write(root / MANIFEST, _lines({*old, *new, *made}), 0o644)  # first: an install cut off can be removed
    for path, (content, mode) in new.items():
        _write(root / path, content, mode)
    _remove(root, [path for path in old if path not in new and not path.endswith("/")])
    _write(root / MANIFEST, _lines({*new, *made}), 0o644)
    for path in new:
        if path.endswith(".py"):
            _compile(root, path)
    return f"installed {len(new)} files: ocf:tocsin:service, {', '.join(COMMANDS)}, below {root}"


def uninstall(root: Path) -> str:
    """Remove what the manifest names, and the directories of it that are empty then."""
    old = _manifest(root)
    if not old:
        return f"nothing to remove: no ./dev install below {root}"
    files = [path for path in old if not path.endswith("/")]
    _refuse_without_rights(root, [*files, MANIFEST])
    _remove(root, [*files, MANIFEST])
    for path in sorted((path for path in old if path.endswith("/")), key=len, reverse=True):
        with suppress(OSError):  # somebody else has put something there
            (root / path).rmdir()
    return f"removed {len(files)} files below {root}; services and daemons that run are left alone"


def _manifest(root: Path) -> "set[str]":
    file = root / MANIFEST
    return set(file.read_text().splitlines()) if file.exists() else set()


def _lines(paths: "set[str]") -> bytes:
    return "".join(f"{path}\n" for path in sorted(paths)).encode()


def _refuse_strangers(root: Path, paths: "list[str]") -> None:
    there = [str(root / path) for path in paths if os.path.lexists(root / path)]
    if there:
        raise Refused(f"not put there by ./dev install, and in the way: {' '.join(there)} (dpkg -S tells the package)")


def _refuse_without_rights(root: Path, paths: "list[str]") -> None:
    for path in paths:
        there = next(parent for parent in (root / path).parents if parent.exists())
        if not os.access(there, os.W_OK):
            raise Refused(f"no right to write in {there}: run as root, or name another root directory with --root")


def _make_directories(root: Path, paths: "list[str]") -> "Iterator[str]":
    """Make what is missing above `paths`, and yield what was made."""
    for path in paths:
        for directory in reversed(Path(path).parents):
            if not (root / directory).exists():
                (root / directory).mkdir(parents=True)
                yield str(directory)


def _write(file: Path, content: bytes, mode: int) -> None:
    """Replace `file` at once, but leave it, and with it the compiled one, where it is the same already."""
    if file.is_file() and file.read_bytes() == content and file.stat().st_mode & 0o7777 == mode:
        return
    fd, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(fd, "wb") as new:
            new.write(content)
            os.fchmod(fd, mode)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


def _compile(root: Path, path: str) -> None:
    """Compile for this Python, which is the launchers', so that a daemon of root starts fast and writes nothing."""
    source = root / path
    compiled = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
    if compiled.exists() and compiled.stat().st_mtime_ns >= source.stat().st_mtime_ns:
        return
    compiled.parent.mkdir(exist_ok=True)
    py_compile.compile(str(source), str(compiled), dfile=f"/{path}", doraise=True)


def _remove(root: Path, paths: "list[str]") -> None:
    for path in paths:
        file = root / path
        file.unlink(missing_ok=True)
        if path.endswith(".py"):
            _remove_compiled(file)


def _remove_compiled(source: Path) -> None:
    """Remove what any Python compiled of `source`, and the directories that are empty then."""
    cache = source.parent / "__pycache__"
    for compiled in cache.glob(f"{source.stem}.*.pyc"):
        compiled.unlink()
    for directory in (cache, source.parent):
        with suppress(OSError):  # not empty yet, or gone
            directory.rmdir()


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="./dev", description="Install the working tree, or remove it again.")
    parser.add_argument("command", choices=("install", "uninstall"))
    parser.add_argument("--root", type=Path, default=Path("/"), help="the directory that stands for / (default: /)")
    parser.add_argument("--quiet", action="store_true", help="say nothing where all is well")
    arguments = parser.parse_args()
    os.umask(0o022)  # Pacemaker's controller reads the agent as another user
    act = install if arguments.command == "install" else uninstall
    try:
        text = act(arguments.root.absolute())
    except (Refused, fold.CannotFold, OSError) as fault:
        print(f"./dev {arguments.command}: {fault}", file=sys.stderr)
        return 1
    if arguments.root == Path("/") and Path("/run/systemd/system").is_dir():
        subprocess.run(["systemctl", "daemon-reload"], check=False)  # or an older unit stays in force
    if not arguments.quiet:
        print(f"./dev: {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
