"""One look at the cluster for many: whom it serves, when it is too old, and who kills the tool."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.fakes.world import status_xml
from tocsin_daemon.shared_look import AT_ONCE, FRESH, Look, SharedLook
from tocsin_ocf.pacemaker import Cluster, NoStatus, Reply


class Tool:
    """A `crm_mon` that answers when the test says so."""

    def __init__(self) -> None:
        """Begin without a run."""
        self.clock = Clock()
        self.runs: list[Deferred[Reply]] = []
        self.killed = 0
        self.look = SharedLook(self._run, self.clock)

    def _run(self) -> Deferred[Reply]:
        self.runs.append(Deferred(self._kill))
        return self.runs[-1]

    def _kill(self, _: object) -> None:
        self.killed += 1

    def ask(self, number: int) -> tuple[list[Deferred[Look]], list[Look]]:
        """Ask so many times; return who waits, and what they are told."""
        told: list[Look] = []
        waiting = [self.look.ask() for _ in range(number)]
        for one in waiting:
            one.addCallback(told.append)
            one.addErrback(lambda _: None)
        return waiting, told

    def reply(self, number: int, reply: Any = None) -> None:  # noqa: ANN401 - a Reply or an exception
        """Let a run end."""
        answer = reply or Reply(0, status_xml())
        self.runs[number].errback(answer) if isinstance(answer, Exception) else self.runs[number].callback(answer)


def test_a_thousand_who_ask_at_once_cost_three_looks() -> None:
    """The first two have one of their own; whoever asks meanwhile shares the next."""
    tool = Tool()
    _, told = tool.ask(1000)
    assert len(tool.runs) == AT_ONCE
    tool.reply(0)
    tool.reply(1)
    assert len(tool.runs) == 3
    tool.reply(2)
    tool.clock.pump([0.0] * 1000)
    assert len(told) == 1000
    assert all(isinstance(one, Cluster) for one in told)


def test_nobody_is_served_by_a_look_that_began_before_he_asked() -> None:
    """It may have seen the cluster as it was before his failure."""
    tool = Tool()
    tool.ask(AT_ONCE)
    _, told = tool.ask(1)
    tool.reply(0)
    assert (told, len(tool.runs)) == ([], AT_ONCE + 1)
    tool.reply(2)
    assert len(told) == 1


def test_one_is_served_per_turn_of_the_reactor() -> None:
    """Each may start a process, and a death that comes meanwhile must not wait for all of them."""
    tool = Tool()
    tool.ask(AT_ONCE)
    _, told = tool.ask(3)
    for number in range(3):
        tool.reply(number)
    turns = tool.clock.getDelayedCalls()
    assert (len(told), len(turns)) == (1, 1)
    func, args = turns[0].func, turns[0].args
    turns[0].cancel()
    func(*args)
    assert (len(told), len(tool.clock.getDelayedCalls())) == (2, 1)


def test_whose_turn_comes_when_the_look_is_old_gets_another() -> None:
    """What is injected is what the cluster has just agreed to."""
    tool = Tool()
    tool.ask(AT_ONCE)
    _, told = tool.ask(3)
    for number in range(3):
        tool.reply(number)
    tool.clock.advance(FRESH)
    assert (len(told), len(tool.runs)) == (1, 4)
    tool.reply(3)
    tool.clock.advance(0)
    assert len(told) == 3


def test_the_tool_is_killed_when_the_last_one_who_waits_gives_up() -> None:
    """And then the next look begins, for those who still wait."""
    tool = Tool()
    tool.ask(AT_ONCE - 1)
    first, _ = tool.ask(1)
    shared, _ = tool.ask(2)
    first[0].cancel()
    assert (tool.killed, len(tool.runs)) == (1, AT_ONCE + 1)
    shared[0].cancel()
    assert tool.killed == 1
    shared[1].cancel()
    assert tool.killed == 2


def test_who_gave_up_before_his_look_began_is_not_served() -> None:
    """And there is no look for him alone."""
    tool = Tool()
    tool.ask(AT_ONCE)
    late, told = tool.ask(1)
    late[0].cancel()
    tool.reply(0)
    assert (told, len(tool.runs), tool.killed) == ([], AT_ONCE, 0)


def test_a_cluster_that_cannot_be_seen_is_said_to_each() -> None:
    """Whether the tool says so, is missing, or our own code is wrong."""
    tool = Tool()
    _, told = tool.ask(AT_ONCE)
    tool.reply(0, Reply(1, "", "cluster is not available"))
    tool.reply(1, RuntimeError("a bug"))
    assert all(isinstance(one, NoStatus) for one in told)
    assert "a bug" in str(told[1])
    tool.ask(1)
    assert len(tool.runs) == AT_ONCE + 1
