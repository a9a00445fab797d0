"""Hooks: their file, their queues, and how an event gets to a command or a URL."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.web.client import Agent
from zope.interface import implementer

from tests.fakes.world import DEFINITION, Outside
from tocsin_daemon.chronicle import Chronicle
from tocsin_daemon.core.happening import Happening
from tocsin_daemon.core.record import Record
from tocsin_daemon.hooks import configuration, courier
from tocsin_daemon.hooks.configuration import Hook, parse
from tocsin_daemon.hooks.courier import MOST_WAITING, SOON, TRIES, Courier, pause
from tocsin_daemon.hooks.following import Hooks, run
from tocsin_daemon.hooks.post import post
from tocsin_ocf.pacemaker import Command, End, Reply

EXAMPLES = Path(__file__).resolve().parents[2] / "packaging/examples"


class Way:
    """Stands for the way to a hook: each try waits for the test, or is answered at once."""

    def __init__(self, answer: str | None = None) -> None:
        """Answer so, or wait."""
        self.answer = answer
        self.asked: list[tuple[bytes, Deferred[str]]] = []
        self.cancelled = 0

    def __call__(self, event: bytes) -> Deferred[str]:
        """Take a try."""
        self.asked.append((event, Deferred(self._cancel) if self.answer is None else succeed(self.answer)))
        return self.asked[-1][1]

    def _cancel(self, _: object) -> None:
        self.cancelled += 1

    @property
    def events(self) -> list[bytes]:
        """Return what was tried."""
        return [event for event, _ in self.asked]


class Queue:
    """A courier on a clock."""

    def __init__(self, answer: str | None = None) -> None:
        """With nothing in it."""
        self.clock, self.way, self.counted = Clock(), Way(answer), list[str]()
        self.courier = Courier("page", self.clock, self.way, self.counted.append)

    def take(self, *events: bytes) -> None:
        """Give it these, and let it begin."""
        for event in events:
            self.courier.take(event)
        self.clock.advance(SOON)


def test_nothing_is_delivered_at_once() -> None:
    """The report of the same failure goes first: a fork takes time."""
    queue = Queue("")
    queue.courier.take(b"one")
    assert queue.way.events == []
    queue.clock.advance(SOON)
    assert queue.way.events == [b"one"] and queue.counted == ["delivered"]


def test_events_come_in_order_one_at_a_time() -> None:
    """The second one waits for the first."""
    queue = Queue()
    queue.take(b"one", b"two")
    assert queue.way.events == [b"one"]
    queue.way.asked[0][1].callback("")
    queue.clock.advance(0)
    assert queue.way.events == [b"one", b"two"]


def test_what_is_not_taken_is_tried_again_with_longer_pauses_and_then_lost() -> None:
    """And the next one has its turn."""
    queue = Queue("exit status 1")
    queue.take(b"one", b"two")
    for tries in range(1, TRIES - 1):
        queue.clock.advance(pause(tries) / 2)
        assert queue.way.events == [b"one"] * tries
        queue.clock.advance(pause(tries) / 2)
    assert queue.counted == ["retried"] * (TRIES - 1)
    queue.clock.advance(pause(TRIES - 1) / 2)
    queue.clock.callLater(pause(TRIES - 1) / 2, setattr, queue.way, "answer", "")
    queue.clock.advance(pause(TRIES - 1) / 2)
    assert queue.counted == ["retried"] * (TRIES - 1) + ["lost", "delivered"]
    assert queue.way.events == [b"one"] * TRIES + [b"two"]
    assert queue.clock.getDelayedCalls() == []


def test_pauses_double_up_to_a_ceiling() -> None:
    """1, 2, 4 ... 30 s."""
    assert [pause(tries) for tries in (1, 2, 3, 10)] == [1.0, 2.0, 4.0, courier.LONGEST_PAUSE]


def test_the_oldest_are_lost_of_too_many_but_not_the_one_on_its_way() -> None:
    """The queue is bounded, and each loss counted."""
    queue = Queue()
    queue.take(b"on its way")
    for number in range(MOST_WAITING + 4):
        queue.courier.take(b"%d" % number)
    assert len(queue.courier.waiting) == MOST_WAITING and queue.counted == ["lost"] * 5
    assert list(queue.courier.waiting)[:2] == [b"on its way", b"5"]


def test_a_way_that_breaks_is_a_try_that_failed() -> None:
    """Whatever it raises."""
    queue = Queue()
    queue.take(b"one")
    queue.way.asked[0][1].errback(OSError("no such host"))
    assert queue.counted == ["retried"]


def test_an_ended_courier_cancels_what_is_under_way_and_delivers_no_more() -> None:
    """Its hook is not in the file any more."""
    queue = Queue()
    queue.take(b"one", b"two")
    queue.courier.end()
    assert queue.way.cancelled == 1 and queue.clock.getDelayedCalls() == [] and queue.counted == []


def test_a_command_reads_the_event_and_its_status_says_whether_it_has_it() -> None:
    """It has a time limit, after which it is killed."""
    commands: list[Command] = []

    def execute(reply: Reply, command: Command) -> Deferred[Reply]:
        commands.append(command)
        return succeed(reply)

    hook = Hook(("/bin/page",), timeout=3.0)
    said: list[str] = []
    for reply in (Reply(0), Reply(1, "", "no route"), Reply(None, end=End.TIMED_OUT)):
        run(partial(execute, reply), hook, b"{}\n").addCallback(said.append)
    assert said == ["", "exit status 1: no route", "timed out"]
    assert commands[0] == Command(("/bin/page",), 3.0, "{}\n")


@implementer(IReactorPluggableNameResolver)
class Reactor(MemoryReactorClock):
    """A reactor in memory that knows every name."""

    def __init__(self) -> None:
        """Resolve names itself."""
        super().__init__()
        self.nameResolver = self

    def resolveHostName(self, resolutionReceiver: Any, hostName: str, portNumber: int = 0, **_: object) -> object:  # noqa: ANN401, N803
        """Resolve it at once."""
        resolutionReceiver.resolutionBegan(self)
        resolutionReceiver.addressResolved(IPv4Address("TCP", "127.0.0.1", portNumber))
        resolutionReceiver.resolutionComplete()
        return self


class Posted:
    """A post over a connection in memory."""

    def __init__(self) -> None:
        """Post, and be connected."""
        self.reactor = Reactor()
        self.said: list[str] = []
        url = "http://127.0.0.1:8080/in?x=1"
        asked = post(self.reactor, Agent(self.reactor), url, {"Authorization": "Bearer s"}, 10.0, b'{"a": 1}')
        asked.addCallback(self.said.append)
        self.transport = StringTransport()
        _, _, factory, *_ = self.reactor.tcpClients[0]
        self.protocol: Any = factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    def reply(self, head: str) -> list[str]:
        """Reply with this, and a body without end."""
        self.protocol.dataReceived(f"HTTP/1.1 {head}\r\n\r\n{'x' * 1000}".encode())
        self.reactor.advance(0)
        assert self.transport.disconnecting and self.reactor.getDelayedCalls() == []
        return self.said


def test_a_url_is_posted_to_and_its_status_says_whether_it_has_it() -> None:
    """The body of the reply is not read: the connection is closed."""
    posted = Posted()
    request = posted.transport.value()
    assert request.startswith(b"POST /in?x=1 HTTP/1.1\r\n") and request.endswith(b'\r\n\r\n{"a": 1}')
    assert b"Authorization: Bearer s\r\n" in request and b"Content-Type: application/json\r\n" in request
    assert posted.reply("204 No Content") == [""]
    assert Posted().reply("500 Oops") == ["HTTP status 500"]
    assert Posted().reply("302 Found\r\nLocation: http://169.254.169.254/") == ["HTTP status 302"]


def test_a_url_that_does_not_answer_is_given_up() -> None:
    """Within its time, which is not the network's."""
    posted = Posted()
    posted.reactor.advance(10.0)
    assert posted.said == ["no reply within 10 s"] and posted.transport.disconnecting | posted.transport.disconnected


def test_an_agent_that_cannot_ask_is_a_try_that_failed() -> None:
    """Such as https without its library."""

    class Cannot:
        def request(self, *_: object) -> Deferred[Any]:
            raise NotImplementedError("SSL support unavailable")

    failures: list[object] = []
    post(Clock(), Cannot(), "https://x/", {}, 1.0, b"").addErrback(failures.append)  # type: ignore[arg-type]
    assert len(failures) == 1


def test_the_example_is_good_and_documented_keys_are_all_there_are() -> None:
    """What is commented out in it as well."""
    text = (EXAMPLES / "hooks.conf").read_text()
    hooks, faults = parse("hooks.conf", text)
    assert faults == [] and hooks[0].events == {Happening.INCIDENT, Happening.RECOVERY}
    commented = [line[3:] for line in text.splitlines() if line.startswith(("  #-", "  #  "))]
    hooks, faults = parse("hooks.conf", "\n".join(["hooks:", *commented]))
    assert faults == [] and hooks[-1].name == "https://events.example.org" and "Bearer" not in repr(hooks)
    assert all(f"{key}:" in text for key in configuration.READERS)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("hooks:\n  - {}", "2: hooks[0]: a hook has either"),
        ("hooks:\n  - command: /bin/a\n    url: http://x", "2: hooks[0]: a hook has either"),
        ("hooks:\n  - command: page", "2: hooks[0].command: 'page' is not an absolute path"),
        ("hooks:\n  - url: ftp://x", "2: hooks[0].url: not a URL"),
        ("hooks:\n  - url: http://x:99999999/", "2: hooks[0].url: not a URL"),
        ('hooks:\n  - url: "http://x/\\r\\nX: y"', "2: hooks[0].url: "),
        ('hooks:\n  - url: http://x\n    headers: {A: "b\\r\\nC: d"}', "3: hooks[0].headers: a mapping"),
        ("hooks:\n  - command: /bin/a\n    headers: {A: b}", "3: hooks[0].headers: only with `url`"),
        ("hooks:\n  - command: /bin/a\n    events: [incidents]", "3: hooks[0].events: "),
        ("hooks:\n  - command: /bin/a\n    events: []", "3: hooks[0].events: a list of"),
        ("hooks:\n  - command: /bin/a\n    timeout: 1h", "3: hooks[0].timeout: at most 300 s"),
        ("hooks:\n  - command: /bin/a\n    timout: 1s", "3: hooks[0].timout: "),
        ("hooks:\n  - page", "2: hooks[0]: a hook is a mapping"),
        ("hook: []", "1: write `hooks:`"),
        ("hooks: []\nmore: 1", "2: more: "),
        ("- a", "1: write `hooks:`"),
        ("hooks:\n" + "  - command: /bin/a\n" * 9, "10: hooks[8]: more than 8 hooks"),
    ],
)
def test_a_fault_is_told_with_its_line_and_key(text: str, fault: str) -> None:
    """And there are no hooks then."""
    hooks, faults = parse("F", text)
    assert hooks == [] and any(line.startswith(f"F:{fault}") for line in faults), faults


def test_an_empty_file_and_none_are_no_hooks(tmp_path: Path) -> None:
    """Nobody has to have one."""
    assert parse("F", "# nothing") == ([], []) and configuration.read(str(tmp_path / "none")) == ([], [])


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """Root runs what it says."""
    path = tmp_path / "hooks.conf"
    path.write_text("hooks:\n  - command: /bin/a\n")
    path.chmod(0o666)
    hooks, (fault,) = configuration.read(str(path))
    assert hooks == [] and fault.startswith(f"{path}:1: ")


class Following:
    """Hooks that follow a resource, with a file of their own."""

    def __init__(self, path: Path, text: str) -> None:
        """Have read it."""
        self.path = path / "hooks.conf"
        self.ways: dict[str, Way] = {}
        self.outside = Outside()
        self.write(text)
        self.hooks = Hooks(str(self.path), self.outside.clock, lambda: 7.0, self._way, lambda _: None)
        self.hooks.read()
        chronicle = Chronicle(self.outside.store, Record)
        chronicle.followers.append(self.hooks.follow)
        self.outside.world = type(self.outside.world)(**{**vars(self.outside.world), "store": chronicle})

    def write(self, text: str) -> None:
        """Replace the file."""
        self.path.write_text(text)
        self.path.chmod(0o600)

    def _way(self, hook: Hook) -> Way:
        return self.ways.setdefault(hook.name, Way(""))

    def told(self, name: str) -> list[Any]:
        """Return what a hook was told."""
        self.outside.clock.advance(SOON)
        self.outside.clock.advance(0)
        return [json.loads(event) for event in self.ways[name].events]


BOTH = "hooks:\n  - command: /bin/all\n  - command: /bin/some\n    events: [recovery]\n"


def test_hooks_are_told_what_they_asked_for_by_the_schema(tmp_path: Path) -> None:
    """An incident of a real resource, its report, its recovery."""
    following = Following(tmp_path, BOTH)
    resource = following.outside.running()
    following.outside.service.on_end(-9)
    resource.stop(5.0)
    following.outside.service.on_cleared()
    resource.start(DEFINITION, "n1", 20.0)
    following.outside.clock.advance(0.2)
    told = following.told("/bin/all")
    assert [event["event"] for event in told] == ["incident", "report", "recovery"]
    assert told[0]["cause"] == "main process 4711 was killed by signal 9 (KILL)" and told[0]["at"] == 7.0
    assert told[1]["report"] == "withdrawn"
    schema = json.loads((EXAMPLES / "event.schema.json").read_text())
    validator = Draft202012Validator({**schema, "additionalProperties": False})
    assert [list(validator.iter_errors(event)) for event in told] == [[], [], []]
    assert [event["event"] for event in following.told("/bin/some")] == ["recovery"]


def test_a_file_that_is_read_again_keeps_what_stays(tmp_path: Path) -> None:
    """A faulty one changes nothing."""
    following = Following(tmp_path, BOTH)
    before = {hook.name: one for hook, one in following.hooks._couriers}
    following.write("hooks:\n  - command: nothing\n")
    following.hooks.read()
    assert {hook.name: one for hook, one in following.hooks._couriers} == before
    following.write("hooks:\n  - command: /bin/new\n  - command: /bin/all\n")
    following.hooks.read()
    after = {hook.name: one for hook, one in following.hooks._couriers}
    assert list(after) == ["/bin/new", "/bin/all"] and after["/bin/all"] is before["/bin/all"]
