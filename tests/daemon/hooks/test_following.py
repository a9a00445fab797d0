"""What hooks are told of a resource, and how one gets to a command."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from twisted.internet.defer import Deferred, succeed

from tests.daemon.hooks.test_courier import Way
from tests.fakes.world import DEFINITION, Outside
from tocsin_daemon.chronicle import Chronicle
from tocsin_daemon.core.record import Record
from tocsin_daemon.hooks.configuration import Hook
from tocsin_daemon.hooks.courier import SOON
from tocsin_daemon.hooks.following import Hooks, run
from tocsin_ocf.pacemaker import Command, End, Reply

EXAMPLES = Path(__file__).resolve().parents[3] / "packaging/examples"


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
