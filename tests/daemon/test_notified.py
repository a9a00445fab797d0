"""`notify`: what it runs, how it ends, and whether Pacemaker will call it at all."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from tests.fakes.asking import now
from tests.fakes.promotable import ASKED, KEYS, unpromoted
from tests.fakes.world import DEFINITION, Outside
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.resource import Resource
from tocsin_ocf import definition as definitions
from tocsin_ocf.pacemaker import Reply


def test_notify_runs_its_command_and_cannot_fail() -> None:
    """Pacemaker ignores its result; the log does not."""
    outside = Outside()
    resource = unpromoted(outside, notify_command=["/bin/true", "told"])
    got = resource.notify(20.0, ASKED)
    assert now(got) is None
    program = outside.command_ends(1, "oops")
    assert program.environment["OCF_RESKEY_CRM_meta_notify_type"] == "post"
    assert resource.record.phase is Phase.RUNNING


def test_notify_ends_with_its_time_and_needs_no_command() -> None:
    """Nothing waits for ever."""
    outside = Outside()
    assert now(unpromoted(outside).notify(20.0, ASKED)) == Answer(0)
    resource = unpromoted(outside, notify_command=["/bin/true"])
    got: Deferred[Answer] = resource.notify(5.0, ASKED)
    outside.clock.advance(5)
    assert now(got) == Answer(0)
    assert outside.killed == 1


def test_notify_of_what_does_not_run_does_nothing() -> None:
    """Its own pre-start is none of its business."""
    outside = Outside()
    assert now(Resource(Record("web"), outside.world).notify(5.0, {})) == Answer(0)
    assert outside.commands == []


@pytest.mark.parametrize(
    ("command", "notify", "warned"),
    [(["/bin/true"], "true", False), (["/bin/true"], "false", True), (["/bin/true"], "", True), ([], "", False)],
)
def test_a_notify_command_that_nobody_will_run_is_a_warning(command: list[str], notify: str, warned: bool) -> None:
    """Pacemaker calls `notify` only for clones with meta notify=true, and says in each start whether it will."""
    outside = Outside()
    resource = Resource(Record("web"), outside.world)
    resource.service.roles.asked = {"OCF_RESKEY_CRM_meta_notify": notify} if notify else {}
    definition, _ = definitions.read({**DEFINITION, **KEYS, **({"notify_command": command} if command else {})})
    assert definition is not None
    resource.start(definition.as_dict(), "n1", 20.0)
    outside.clock.advance(0.2)
    asked = [done for argv, done in outside.cluster.aside if "cibadmin" in argv]
    asked[-1].callback(Reply(0, '<primitive><op name="monitor" interval="60s"/></primitive>'))
    assert ("notify_command is never run" in resource.record.warning) == warned
