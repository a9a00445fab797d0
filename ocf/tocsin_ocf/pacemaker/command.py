"""
A command as a value: what to execute, what to feed it, and what its reply means. Nothing is executed here.

Whoever wants the answer takes a runner: `blocking.Runner` waits for it, the daemon's `Tools` is Twisted's.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Generic, NoReturn, TypeVar

from tocsin_ocf.pacemaker.faults import Fault, refined

BIN = "/usr/sbin"
"""Where every distribution installs Pacemaker's tools; full paths, for root trusts no search path."""

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
"""All that a tool gets to see of the environment; a runner may be given more."""

TIMEOUT = 10.0
"""Seconds for what only asks, or changes one thing; the tools' own limits are 30 to 60 s."""
MARGIN = 10.0
"""Seconds a tool may take longer than the timeout that it was told, before it is killed."""

_T_co = TypeVar("_T_co", covariant=True)


@dataclass(frozen=True)
class Command:
    """
    A tool to execute, the seconds after which it is killed, and what it reads from its standard input.

    Values that may be secret travel by `stdin`: arguments are there for every user to read in /proc. It is shown
    neither by `repr` nor by `str`.
    """

    argv: tuple[str, ...]
    timeout: float
    stdin: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Return the command as a shell would take it, for people to read and to repeat."""
        fed = f" < ({len(self.stdin.encode())} bytes)" if self.stdin else ""
        return f"{shlex.join(self.argv)}{fed}"

    @property
    def tool(self) -> str:
        """Return the name of the tool, "crm_resource"."""
        return self.argv[0].rpartition("/")[2]


class End(Enum):
    """Why a tool left no exit status."""

    TIMED_OUT = "timed out"
    NOT_EXECUTED = "could not be executed"
    KILLED = "was killed"


@dataclass(frozen=True)
class Reply:
    """What a tool answered; `code` is None where it left no exit status, and `end` (else without meaning) says why."""

    code: int | None
    stdout: str = ""
    stderr: str = ""
    end: End = End.TIMED_OUT

    @property
    def why(self) -> str:
        """Say in one line why it failed."""
        said = (self.stderr or self.stdout).strip().splitlines()
        end = self.end.value if self.code is None else f"exit status {self.code}"
        return f"{end}: {said[-1][:200]}" if said else end


def _unread(_: Reply) -> NoReturn:
    raise NotImplementedError("a Request without a parser")


@dataclass(frozen=True)
class Request(Command, Generic[_T_co]):
    """
    A command whose reply has a meaning: `read` returns it, or raises the Fault that the tool reported.

    `resource` and `node` are what the request names, so that "no such object" can say which. `meanings` has exit codes
    that mean something else for this command than for all others.
    """

    parse: Callable[[Reply], _T_co] = field(default=_unread, repr=False, compare=False)
    resource: str = ""
    node: str = ""
    meanings: Mapping[int, type[Fault]] = field(default_factory=dict, repr=False, compare=False)

    def read(self, reply: Reply) -> _T_co:
        """Return what the reply says; Fault, by name, where the tool failed or its output cannot be read."""
        try:
            return self.parse(reply)
        except Fault as fault:
            raise refined(fault, self) from None

    def at(self, directory: str) -> Request[_T_co]:
        """Return the same request to the tool in another directory than /usr/sbin; "" is the usual one."""
        return replace(self, argv=(f"{directory or BIN}/{self.tool}", *self.argv[1:]))


def argv(tool: str, *words: str) -> tuple[str, ...]:
    """Return the arguments of a tool, by its full path."""
    return (f"{BIN}/{tool}", *words)


def options(**given: str | float | bool | None) -> tuple[str, ...]:
    """
    Return long options: True is a flag, False, None and "" are left out, "a_b" is spelled "--a-b".

    Values are attached by "=", so that one which begins with a dash is no option of its own.
    """
    words = []
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is not None and value is not False and value != "":
            words.append(f"{option}={value}")
    return tuple(words)


def seconds(value: float) -> str:
    """Return a duration as the tools read it: whole milliseconds, "1500ms"."""
    return f"{round(value * 1000)}ms"
