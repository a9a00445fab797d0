"""The last words of a unit in systemd's journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin_daemon.output import printable
from tocsin_daemon.tools import Tools
from tocsin_ocf.pacemaker import Command

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from tocsin_daemon.core.unit import Unit
    from tocsin_daemon.drivers import Means

JOURNALCTL = ("/usr/bin/journalctl", "--quiet", "--no-pager", "--output=cat", "--lines=5")
SECONDS = 2.0
"""So long a failed start waits for them; a big journal on a slow disk takes longer."""


def last_lines(unit: Unit, means: Means) -> Deferred[list[str]]:
    """Return the last lines that this start of the unit has written; none where there is no journal."""
    command = Command((*JOURNALCTL, f"_SYSTEMD_INVOCATION_ID={unit.invocation}"), SECONDS)
    asked = Tools(means.reactor, means.children).run(command)
    return asked.addCallback(lambda reply: [printable(line.encode()) for line in reply.stdout.splitlines() if line])
