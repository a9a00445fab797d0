"""Who changes the role of a service: its command, or its driver; and what that may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from tests.fakes.asking import monitored, now
from tests.fakes.promotable import ASKED, KEYS, scores, unpromoted
from tests.fakes.service import FakeDriver
from tests.fakes.world import Outside
from tocsin_daemon.core.answers import Answer
from tocsin_daemon.core.life import Phase
from tocsin_daemon.resource import Resource


def test_a_command_gets_pacemakers_environment_and_nothing_that_loads_code() -> None:
    """The whole notify environment, and who asks."""
    outside = Outside()
    unpromoted(outside).promote(20.0, ASKED)
    environment = outside.commands[-1][0].environment
    assert environment["OCF_RESKEY_CRM_meta_notify_type"] == "post"
    assert environment["TOCSIN_RESOURCE"] == "web"
    assert environment["TOCSIN_ACTION"] == "promote"
    assert environment["TOCSIN_NODE"] == "n1"
    assert environment["TOCSIN_ROLE"] == "unpromoted"
    assert "LD_PRELOAD" not in environment
    assert "TOCSIN_INCARNATION" not in environment


def test_a_command_that_takes_too_long_is_killed_in_time_to_say_so() -> None:
    """What it might still do after Pacemaker has gone on would be nobody's order."""
    outside = Outside()
    resource = unpromoted(outside)
    got = resource.promote(20.0, ASKED)
    outside.clock.advance(19.9)
    assert now(got) == Answer(1, "promote: promote_command took longer than 20 s")
    assert outside.killed == 1
    assert resource.record.phase is Phase.FAILED


def test_a_command_that_cannot_be_executed_says_so(critical_events: list[LogEvent]) -> None:
    """A user that is gone, as an example."""
    outside = Outside()
    resource = outside.running(**KEYS)
    assert resource.service.definition is not None
    resource.service.definition.user = "no-such-user"
    answer = now(resource.promote(20.0, {}))
    assert answer is not None
    assert answer.text.startswith("promote: promote_command cannot be executed")
    critical_events.clear()


@pytest.mark.parametrize(("action", "talkative"), [("promote", True), ("notify", True), ("score", False)])
def test_a_command_may_say_much_but_for_that_of_the_score(action: str, talkative: bool) -> None:
    """Of which the first line counts."""
    outside = Outside()
    resource = unpromoted(outside, notify_command=["/bin/true"], promotion_score={"command": ["/bin/true"]})
    if action != "score":
        getattr(resource, action)(20.0, ASKED)
    assert outside.commands[-1][0].talkative == talkative


class Changing:
    """What a driver has besides whose service can be promoted: it does what the test says."""

    def __init__(self) -> None:
        """Nothing was asked."""
        self.asked: list[tuple[str, str]] = []
        self.done: Deferred[None] = Deferred()

    def change_role(self, role: str, asked: Mapping[str, str]) -> Deferred[None]:
        """Note the role, and the environment of the action."""
        self.asked.append((role, asked["OCF_RESKEY_CRM_meta_notify_type"]))
        self.done = Deferred()
        return self.done


def driven(outside: Outside) -> tuple[Resource, Changing]:
    """Return `web`, whose definition names no command for roles, but whose driver changes them."""
    resource = outside.running(driver="acme-vm", promotion_score=50)
    changing = Changing()
    resource.service.driver.change_role = changing.change_role  # type: ignore[attr-defined]
    return resource, changing


def test_a_beginner_of_a_driver_that_changes_roles_does_not_inherit_a_score_either() -> None:
    """The definition names no command for roles; the driver that it names can."""
    outside = Outside()
    make = outside.world.driver

    def changing(name: str, kind: str) -> FakeDriver:
        made = make(name, kind)
        made.change_role = Changing().change_role  # type: ignore[attr-defined]
        return made  # type: ignore[return-value]

    outside.world = replace(outside.world, driver=changing)  # type: ignore[arg-type]
    outside.running(driver="acme-vm", promotion_score=50)
    assert scores(outside) == ["--delete"]


def test_a_driver_can_change_the_role() -> None:
    """Pacemaker is answered when it says so, and the checks of that role agree."""
    outside = Outside()
    resource, changing = driven(outside)
    got: list[Answer] = []
    resource.promote(20.0, ASKED).addCallback(got.append)
    assert (changing.asked, got, resource.record.phase) == ([("promoted", "post")], [], Phase.PROMOTING)
    changing.done.callback(None)
    assert (got, outside.watch.role, monitored(resource)) == ([Answer(0)], "promoted", Answer(8))
    resource.demote(20.0, ASKED).addCallback(got.append)
    changing.done.callback(None)
    assert (changing.asked[-1], got[1:], resource.record.phase) == (("unpromoted", "post"), [Answer(0)], Phase.RUNNING)
    assert outside.commands == []


def test_a_driver_tells_why_it_could_not_change_the_role() -> None:
    """Nobody knows which role it has, so it has failed."""
    outside = Outside()
    resource, changing = driven(outside)
    got: list[Answer] = []
    resource.promote(20.0, ASKED).addCallback(got.append)
    changing.done.errback(OSError("no quorum"))
    assert (got, resource.record.phase) == ([Answer(1, "promote: no quorum")], Phase.FAILED)


def test_a_driver_that_raises_has_not_changed_the_role_either() -> None:
    """At once, without a Deferred."""
    outside = Outside()
    resource, _ = driven(outside)
    resource.service.driver.change_role = lambda *_: 1 // 0  # type: ignore[attr-defined]
    answer = now(resource.promote(20.0, ASKED))
    assert (answer, resource.record.phase) == (Answer(1, "promote: integer division or modulo by zero"), Phase.FAILED)


def test_a_driver_that_takes_too_long_is_cancelled_and_not_believed_afterwards() -> None:
    """Pacemaker was told of the failure in time."""
    outside = Outside()
    resource, _ = driven(outside)
    cancelled: list[Deferred[None]] = []

    def late(role: str, asked: Mapping[str, str]) -> Deferred[None]:
        def absorb(done: Deferred[None]) -> None:
            cancelled.append(done)
            done.callback(None)

        return Deferred(absorb)

    resource.service.driver.change_role = late  # type: ignore[attr-defined]
    got: list[Answer] = []
    resource.promote(20.0, ASKED).addCallback(got.append)
    outside.clock.advance(19.9)
    assert (got[0].code, got[0].text) == (1, "promote: its driver took longer than 20 s")
    assert len(cancelled) == 1 and resource.record.phase is Phase.FAILED


def test_a_driver_without_roles_and_without_commands_is_asked_for_none() -> None:
    """3: promotable was a slip of the pen."""
    outside = Outside()
    resource = outside.running(driver="acme-vm")
    got: list[Answer] = []
    resource.promote(20.0, ASKED).addCallback(got.append)
    assert got[0].code == 3


def test_commands_of_the_definition_count_before_the_driver() -> None:
    """The administrator knows better."""
    outside = Outside()
    resource = unpromoted(outside)
    resource.service.driver.change_role = lambda *_: 1 // 0  # type: ignore[attr-defined]
    resource.promote(20.0, ASKED)
    outside.command_ends()
    assert resource.record.phase is Phase.PROMOTED
