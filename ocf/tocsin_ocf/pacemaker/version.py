"""Which Pacemaker is installed, and since when each of its tools answers in XML."""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

from tocsin_ocf.pacemaker.command import TIMEOUT, Reply, Request, argv
from tocsin_ocf.pacemaker.document import AS_XML, text
from tocsin_ocf.pacemaker.faults import Unreadable

PATTERN = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


class Version(NamedTuple):
    """A version, in the order of releases."""

    major: int
    minor: int
    release: int = 0

    def __str__(self) -> str:
        """Return it as it is written, "2.1.5"."""
        return f"{self.major}.{self.minor}.{self.release}"


OLDEST = Version(2, 1, 0)
"""The oldest that is supported: crm_resource, crm_simulate, crmadmin and crm_verify have XML since then."""

XML_SINCE = {"crm_node": Version(2, 1, 7), "crm_ticket": Version(2, 1, 8)}
"""The tools that answered in plain text for longer; for crm_attribute and attrd_updater 2.1.3 is needed."""


def version(tool: str = "crm_node") -> Request[Version]:
    """Ask which version is installed, of Pacemaker or of pcs; no cluster needs to run."""
    return Request(argv(tool, "--version"), TIMEOUT, parse=partial(_version, tool=tool))


def _version(reply: Reply, tool: str) -> Version:
    """Return the version in what a tool prints: "Pacemaker 2.1.5", or pcs's bare "0.11.5"."""
    found = PATTERN.search(text(reply))
    if found is None:
        raise Unreadable(f"no version of {tool} in {reply.stdout.strip()[:80]!r}")
    return Version(*(int(part or 0) for part in found.groups()))


def xml_options(tool: str, installed: Version) -> tuple[str, ...]:
    """Return the option that asks a tool for XML, where the installed version has it."""
    return (AS_XML,) if installed >= XML_SINCE[tool] else ()
