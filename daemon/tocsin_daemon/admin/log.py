"""`tocsin log`: the log of the daemons, and in it what the services print."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import IO

import click

from tocsin_daemon.admin.daemons import Place, port_of, ports, refuse
from tocsin_daemon.admin.following import go_on, lines_option
from tocsin_ocf.port_owner import daemon_pid
from tocsin_ocf.rundir import LOG_DIR, STATE_DIR, Rundir

OLDER = 4
"""Rotated files that the daemon keeps: NAME.1 is the youngest."""
FOLLOW_EVERY = 0.3
HEAD = r"\S+ \[[^\]]*\] "
"""How the daemon begins a line: the time, and who logs with which level."""

Wanted = Callable[[str], bool]


@click.command()
@click.argument("resource", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is logged from now on, until Ctrl-C.")
@lines_option
@click.option("-o", "--output", is_flag=True, help="Only what the service itself prints.")
@click.option("--log-dir", default=LOG_DIR, show_default=True, help="Where daemons log that are not running now.")
@click.pass_obj
def log(place: Place, resource: str | None, lines: int, log_dir: str, *, follow: bool, output: bool) -> None:
    """
    Print the log of the daemons of this node, or what in it is of RESOURCE: its output, and what was done with it.

    What a service prints is in the log within a second, after `RESOURCE |`. Rotated files are read as far as needed.

    Exit status: 0 printed; 1 there is no such resource or log; 2 usage; 4 not allowed.
    """
    try:
        chosen = [port_of(place, resource)] if resource else ports(place) or _logged(place, log_dir)
        if not chosen:
            raise click.ClickException(f"there is no log in {log_dir}: no tocsind has run here")
        with ExitStack() as opened:
            readers = [opened.enter_context(Reader(path_of(place, port, log_dir))) for port in chosen]
            _show(readers, lines, only(resource, output=output), follow=follow)
    except FileNotFoundError as error:
        hint = "was tocsind told another --log-file, or none? then try journalctl -u tocsind@PORT"
        raise click.ClickException(f"there is no log {error.filename}; {hint}") from None
    except PermissionError as error:
        refuse(f"{error.filename} is for root alone; try sudo")


def _show(readers: list[Reader], lines: int, wanted: Wanted, *, follow: bool) -> None:
    for reader in readers:
        _print(last(reader, lines, wanted))

    def print_new() -> None:
        for reader in readers:
            _print(filter(wanted, reader.new()))

    if follow:
        go_on(print_new, FOLLOW_EVERY)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def only(resource: str | None, *, output: bool) -> Wanted:
    """Return whether a line is wanted: of this resource, if one is named, and of its output, if only that is."""
    name = re.escape(resource) if resource else r"\S+"
    if output:
        pattern = re.compile(rf"{HEAD}{name} \| ")
    elif resource:
        pattern = re.compile(rf"{HEAD}{name}(: | \| )")
    else:
        return lambda _: True
    return lambda line: pattern.match(line) is not None


class Reader:
    """One log file, read to its end, and again when there is more, also when another one has taken its place."""

    def __init__(self, path: str) -> None:
        """Open it; FileNotFoundError, PermissionError."""
        self.path = path
        self._file = self._open()

    def __enter__(self) -> Reader:
        """Read it in a `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._file.close()

    def _open(self) -> IO[str]:
        return open(self.path, encoding="utf-8", errors="replace")

    def new(self) -> Iterator[str]:
        """Yield the lines that are new, without their ends."""
        yield from self._rest()
        with suppress(FileNotFoundError):
            if os.stat(self.path).st_ino != os.fstat(self._file.fileno()).st_ino:
                yield from self._rest()
                older, self._file = self._file, self._open()
                older.close()
                yield from self._rest()

    def _rest(self) -> Iterator[str]:
        while True:
            place = self._file.tell()
            line = self._file.readline()
            if not line.endswith("\n"):  # the rest of it is still to come
                self._file.seek(place)
                return
            yield line[:-1]


def last(reader: Reader, count: int, wanted: Wanted) -> list[str]:
    """Return the last lines that are wanted, of rotated files too."""
    found = list(filter(wanted, reader.new()))
    for number in range(1, OLDER + 1):
        older = f"{reader.path}.{number}"
        if len(found) >= count or not os.path.exists(older):
            break
        with Reader(older) as rotated:
            found = [*filter(wanted, rotated.new()), *found]
    return found[max(0, len(found) - count) :]


def path_of(place: Place, port: int, log_dir: str) -> str:
    """Return where the daemon on a port logs: as it was started, or as agent and unit start it."""
    pid = daemon_pid(Rundir(place.state_dir, port))
    with suppress(OSError):
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            words = file.read().split("\0")
        if "--log-file" in words[:-1] and f"{port}" in words:
            return words[words.index("--log-file") + 1]
    return f"{log_dir}/tocsind-{port}.log"


def _logged(place: Place, log_dir: str) -> list[int]:
    """Return the ports of which there is but a log; another state directory has nothing to do with it."""
    if place.state_dir != STATE_DIR or not os.path.isdir(log_dir):
        return []
    names = [re.fullmatch(r"tocsind-(\d+)\.log", name) for name in os.listdir(log_dir)]
    return sorted(int(found.group(1)) for found in names if found)
