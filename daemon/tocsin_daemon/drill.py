"""
A drill: a service that is well fails, because the administrator wants to see what follows.

It is an incident like any other, with the same guards before its report and the same budget of restarts, and says what
it is. Its checks would find it well the next moment, so it is judged no more: only the recovery ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin_daemon.core.answers import WELL
from tocsin_daemon.core.life import Event

if TYPE_CHECKING:
    from tocsin_daemon.resource import Resource


def drill(resource: Resource, reason: str, by: str) -> str:
    """Let the service of a resource fail; return why it cannot, "" where it has."""
    phase, service = resource.record.phase, resource.service
    if phase not in WELL:
        return f"{resource.record.resource} is {phase.value}: only what runs here can be made to fail"
    service.look_no_more()
    service.incidents.drill = f"drill asked by {by}: {reason}"
    resource.feed(Event.SPARED if service.restarting.spares() else Event.DRILLED)
    return ""
