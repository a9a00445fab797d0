"""Names and values of the cluster as a mapping: reading one asks the cluster, writing one changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import TypeVar

from tocsin_ocf.pacemaker.blocking import Runs
from tocsin_ocf.pacemaker.command import BIN, Command, Request

_T = TypeVar("_T")


class Means:
    """How requests are executed: by which runner, with the tools of which directory."""

    def __init__(self, runner: Runs, directory: str = BIN) -> None:
        """Let `runner` execute what lies in `directory`."""
        self._runner = runner
        self._directory = directory

    def do(self, request: Request[None], *, dry_run: bool = False) -> Command:
        """Execute a change, or with `dry_run` nothing, and return the exact command; Fault."""
        exact = request.at(self._directory)
        if not dry_run:
            self._runner.ask(exact)
        return exact

    def ask(self, request: Request[_T]) -> _T:
        """Execute a request and return its answer; Fault."""
        return self._runner.ask(request.at(self._directory))


class Settings(MutableMapping[str, str]):
    """
    Parameters, meta attributes, node attributes or cluster options.

    Nothing is kept: each reading asks. `settings["port"] = "8080"` is `settings.set("port", "8080")`.
    """

    def __init__(
        self,
        means: Means,
        read: Callable[[], Mapping[str, str]],
        write: Callable[[str, str], Request[None]],
        remove: Callable[[str], Request[None]],
    ) -> None:
        """Take how all of them are asked for, and the requests that set and remove one."""
        self._means = means
        self._read = read
        self._write = write
        self._remove = remove

    def __getitem__(self, name: str) -> str:
        """Return a value; KeyError where it is not set, Fault where the cluster cannot be asked."""
        return self._read()[name]

    def __setitem__(self, name: str, value: str) -> None:
        """Set a value; Fault."""
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        """Remove a value, so that its default holds; KeyError where it is not set, Fault."""
        if name not in self._read():
            raise KeyError(name)
        self.remove(name)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names that are set."""
        return iter(self._read())

    def __len__(self) -> int:
        """Return how many are set."""
        return len(self._read())

    def set(self, name: str, value: str, *, dry_run: bool = False) -> Command:
        """Set a value, and return the exact command; Fault. A dry run asks what it must know, and changes nothing."""
        return self._means.do(self._write(name, value), dry_run=dry_run)

    def remove(self, name: str, *, dry_run: bool = False) -> Command:
        """Remove a value, and return the exact command; Fault. A dry run changes nothing."""
        return self._means.do(self._remove(name), dry_run=dry_run)
