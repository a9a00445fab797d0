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

from layout import COMMANDS, DIRECTORIES, LIB, File, layout
from tocsin_ocf import fold

MANIFEST = f"{LIB}/manifest"


class Refused(Exception):
    """Nothing was changed; the text says why and what to do."""


def install(root: Path) -> str:
    """Install below `root`, over what an earlier run put there, and return what to tell the caller."""
    new, old = layout(), _manifest(root)
    _refuse_strangers(root, [path for path in new if path not in old])
    places = [*new, MANIFEST, *(f"{directory}/any" for directory in DIRECTORIES)]
    _refuse_without_rights(root, places)
    made = [path for path in old if path.endswith("/")]
    made += [f"{path}/" for path in _make_directories(root, places)]
    write(root / MANIFEST, File(_lines({*old, *new, *made})))  # first: an install cut off can be removed
    for path, file in new.items():
        write(root / path, file)
    _remove(root, [path for path in old if path not in new and not path.endswith("/")])
    write(root / MANIFEST, File(_lines({*new, *made})))
    for path in new:
        if path.endswith(".py"):
            compile_module(root, path)
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


def write(place: Path, file: File) -> None:
    """Replace `place` at once, but leave it, and with it the compiled one, where it is the same already."""
    if _is_there(place, file):
        return
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as directory:
        new = Path(directory, "new")
        if file.is_link:
            new.symlink_to(os.fsdecode(file.content))
        else:
            new.write_bytes(file.content)
            new.chmod(file.mode)
        os.replace(new, place)


def _is_there(place: Path, file: File) -> bool:
    if file.is_link or place.is_symlink():
        return file.is_link and place.is_symlink() and os.readlink(os.fsencode(place)) == file.content
    return place.is_file() and place.read_bytes() == file.content and place.stat().st_mode & 0o7777 == file.mode


def compile_module(root: Path, path: str) -> None:
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
