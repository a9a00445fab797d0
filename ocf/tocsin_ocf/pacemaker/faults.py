"""
What can go wrong, by name: one class for each thing that a caller would treat differently.

Pacemaker's tools share one set of exit codes (`crm_error --exit --list`, `enum crm_exit_e` in
include/crm/common/results.h). Only the code decides which fault it is: the texts differ between versions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from tocsin_ocf.pacemaker.crm_error import EXIT_CODES

if TYPE_CHECKING:
    from tocsin_ocf.pacemaker.command import Command, Request

SHORTEST_SECRET = 3
"""Characters; a shorter value would be blotted out of every number and word."""


class Fault(Exception):
    """
    A tool failed, or its reply cannot be read; a subclass says what that means.

    `code` is the tool's exit status (None where it left none), `name` the symbol that `crm_error` gives it
    ("CRM_EX_NOSUCH"; "" where it has none), `text` Pacemaker's own words, `command` what was executed (None where a
    reply was read by itself).
    """

    def __init__(self, text: str, code: int | None = None, command: Command | None = None) -> None:
        """Take Pacemaker's words, and the exit status that came with them."""
        super().__init__(text)
        self.text = text
        self.code = code
        self.name, self.meaning = EXIT_CODES.get(-1 if code is None else code, ("", ""))
        self.command = command

    def __str__(self) -> str:
        """Return one line: the tool, its exit status with name and meaning, and what it said."""
        known = f" ({self.name}, {self.meaning})" if self.name else ""
        status = "" if self.code is None else f"exit status {self.code}{known}"
        said = "; ".join(line.strip() for line in self.text.splitlines() if line.strip())
        return ": ".join(part for part in (self.command.tool if self.command else "", status, said) if part)


class TimedOut(Fault):
    """The tool was killed for taking too long, or gave up (CRM_EX_TIMEOUT): what was asked for may have happened."""


class Killed(Fault):
    """Somebody else ended the tool by a signal: what it asked for may have happened."""


class NotInstalled(Fault):
    """The tool, or the agent that it was to call, is not there or cannot be executed."""


class Unreadable(Fault):
    """The reply is not what this version of Pacemaker is known to say."""


class BadVersion(Fault):
    """The installed Pacemaker or pcs does not know this command, or answers in a format that is not known here."""


class NotConnected(Fault):
    """The cluster does not run on this node, or this user may not talk to it (it answers no more than that)."""


class NotPermitted(Fault):
    """The user's rights do not allow it."""


class NoSuchObject(Fault):
    """Something that the command names is not there."""


class NoSuchResource(NoSuchObject):
    """The resource that the command names is not there, or, for some commands, runs nowhere."""


class NoSuchNode(NoSuchObject):
    """The node that the command names is not known to the cluster."""


class NoQuorum(Fault):
    """The partition has no quorum, and the command needs it."""


class Unsafe(Fault):
    """Pacemaker refuses what could do harm, unless it is forced to."""


class AlreadyThere(Fault):
    """What should be made exists, or the resource is already where it should go."""


class Ambiguous(Fault):
    """Several things match; the command would have to choose."""


class Outdated(Fault):
    """The change was made against an older configuration than the cluster's."""


class InvalidConfiguration(Fault):
    """The configuration, or what should become part of it, does not fit the schema."""


class BadUsage(Fault):
    """The tool did not understand its options; a fault of the caller."""


class NotApplicable(Fault):
    """What is asked for cannot be under the present conditions: not yet, no longer, not for this kind of resource."""


class TryAgain(Fault):
    """A passing fault: elections, a busy or restarting daemon."""


FAULTS: dict[int, type[Fault]] = {
    2: BadUsage,
    3: NotApplicable,
    4: NotPermitted,
    5: NotInstalled,
    6: InvalidConfiguration,
    64: BadUsage,
    65: InvalidConfiguration,
    68: NoSuchNode,
    69: NotConnected,
    72: NotInstalled,
    75: TryAgain,
    76: BadVersion,
    77: NotPermitted,
    78: InvalidConfiguration,
    102: NotConnected,
    103: Outdated,
    104: Outdated,
    105: NoSuchObject,
    106: NoQuorum,
    107: Unsafe,
    108: AlreadyThere,
    109: Ambiguous,
    110: NotApplicable,
    111: NotApplicable,
    113: NotApplicable,
    124: TimedOut,
}
"""Exit code to fault; every other one is a plain Fault."""

NO_INPUT: Mapping[int, type[Fault]] = {66: NotConnected}
"""What the tools that read the configuration by themselves end with where no cluster runs."""

UNKNOWN_OPTION = ("unknown option", "unrecognized option", "is not supported in this command", "option parsing failed")
"""What the tools and pcs say of an option that they do not have: the only text that decides, for want of a code."""


def fault_of(text: str, code: int) -> Fault:
    """Return the fault that an exit status other than 0 means."""
    if code in (1, 64) and any(words in text.lower() for words in UNKNOWN_OPTION):
        return BadVersion(text, code)
    return FAULTS.get(code, Fault)(text, code)


def refined(fault: Fault, request: Request[object]) -> Fault:
    """Return the fault as it is for this request: what it names is missing, what it was fed is not repeated."""
    kind = type(fault)
    if fault.code is not None and fault.code in request.meanings:
        kind = request.meanings[fault.code]
    elif kind is NoSuchObject:
        kind = _missing(fault.text, request.resource, request.node)
    return kind(blotted(fault.text, request.stdin), fault.code, request)


def _missing(text: str, resource: str, node: str) -> type[Fault]:
    if resource and node:  # only the words tell; where they do not, neither do we
        named = [names(text, resource), names(text, node)]
        return NoSuchObject if named[0] == named[1] else (NoSuchResource if named[0] else NoSuchNode)
    return NoSuchResource if resource else (NoSuchNode if node else NoSuchObject)


def names(text: str, name: str) -> bool:
    """Tell whether a text speaks of a name, as a word of its own."""
    return bool(name) and re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text) is not None


def blotted(text: str, stdin: str) -> str:
    """
    Return what a tool said without what it was fed: none of the values in it, and no line with XML.

    That may be the whole configuration: cibadmin prints it where it does not fit the schema.
    """
    for value in sorted(_values(stdin), key=len, reverse=True):
        text = text.replace(value, "***")
    return "\n".join(line for line in text.splitlines() if "<" not in line)


def _values(stdin: str) -> set[str]:
    if not stdin:
        return set()
    try:
        found = {element.get("value", "") for element in ElementTree.fromstring(stdin).iter()}
    except ElementTree.ParseError:
        return {stdin}
    return {value for value in found if len(value) >= SHORTEST_SECRET}
