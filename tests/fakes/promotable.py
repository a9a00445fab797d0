"""A service with roles, brought to one, and what was told of its score."""

from __future__ import annotations

from tests.fakes.world import Outside
from tocsin_daemon.core.life import Phase
from tocsin_daemon.resource import Resource
from tocsin_ocf.pacemaker import Reply

KEYS = {"promote_command": ["/bin/true", "up"], "demote_command": ["/bin/true", "down"]}
ASKED = {"OCF_RESKEY_CRM_meta_notify_type": "post", "LD_PRELOAD": "/tmp/evil.so"}


def unpromoted(outside: Outside, **keys: object) -> Resource:
    """Return `web`, up and unpromoted; what was told of an earlier one has been taken back."""
    resource = outside.running(**{**KEYS, **keys})
    aside = outside.cluster.aside
    command, gone = next(each for each in aside if "--delete" in each[0])
    aside.remove((command, gone))
    gone.callback(Reply(0))
    return resource


def promoted(outside: Outside, **keys: object) -> Resource:
    """Return `web`, promoted."""
    resource = unpromoted(outside, **keys)
    resource.promote(20.0, ASKED)
    outside.command_ends()
    assert resource.record.phase is Phase.PROMOTED
    return resource


def scores(outside: Outside) -> list[str]:
    """Return what crm_attribute was to do."""
    return [command.split("--node n1 ")[1] for command, _ in outside.cluster.aside if "crm_attribute" in command]


def heard(outside: Outside, code: int = 0) -> None:
    """Let the last crm_attribute answer."""
    [done for command, done in outside.cluster.aside if "crm_attribute" in command][-1].callback(Reply(code))
