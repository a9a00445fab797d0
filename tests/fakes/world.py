"""The outside of a resource, in memory: a service that dies on command, a cluster that answers as told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.fakes.service import FakeDriver, FakeNotify, FakeWatch
from tocsin_daemon.checks.outside import Ended
from tocsin_daemon.children import Program
from tocsin_daemon.core.judgement import Verdict
from tocsin_daemon.core.record import Record, dump, load
from tocsin_daemon.daemon import Daemon
from tocsin_daemon.reporter import ClusterTools
from tocsin_daemon.resource import Resource
from tocsin_daemon.world import World
from tocsin_ocf import definition as definitions
from tocsin_ocf.pacemaker import Command, Reply

DEFINITION = {"command": ["/usr/sbin/serve", "--foreground"]}


class FakeCluster:
    """
    Stands for Pacemaker's tools: each command waits until the test replies.

    `asked` is what belongs to a report, `aside` what does not: attributes and the configuration.
    """

    def __init__(self) -> None:
        """Nothing has been asked."""
        self.asked: list[tuple[str, Deferred[Reply]]] = []
        self.aside: list[tuple[str, Deferred[Reply]]] = []
        self.cancelled = 0

    def run(self, command: Command) -> Deferred[Reply]:
        """Note the command."""
        done: Deferred[Reply] = Deferred(self._cancel)
        line = " ".join(command.argv)
        aside = ("cibadmin", "attrd_updater", "crm_attribute")
        kept = self.aside if any(tool in line for tool in aside) else self.asked
        kept.append((line, done))
        return done

    def _cancel(self, _: object) -> None:
        self.cancelled += 1

    def reply(self, code: int | None = 0, stdout: str = "") -> str:
        """Reply to the last command, and return it."""
        command, done = self.asked[-1]
        done.callback(Reply(code, stdout, ""))
        return command

    def count(self, tool: str) -> int:
        """Return how often a tool was executed."""
        return sum(tool in command for command, _ in self.asked)


def status_xml(
    *, call: int = 0, managed: bool = True, nodes: tuple[str, ...] = ("n1",), maintenance: bool = False
) -> str:
    """Return what crm_mon says of a cluster in which `web` was started on n1."""
    failure = f'<failures><failure op_key="web_asyncmon_0" node="n1" call="{call}"/></failures>' if call else ""
    where = "".join(f'<node name="{name}"/>' for name in nodes)
    return (
        f'<pacemaker-result><summary><cluster_options maintenance-mode="{str(maintenance).lower()}"/></summary>'
        '<nodes><node name="n1" online="true" type="member"/><node name="n2" online="true" type="member"/></nodes>'
        f'<resources><resource id="web" managed="{str(managed).lower()}">{where}</resource></resources>'
        '<node_history><node name="n1"><resource_history id="web"><operation_history task="start" rc="0"/>'
        f"</resource_history></node></node_history>{failure}</pacemaker-result>"
    )


@dataclass
class FakeStore:
    """Stands for the disk: keeps text, as the disk would."""

    texts: dict[str, str] = field(default_factory=dict)
    full: bool = False

    def save(self, record: Record) -> None:
        """Keep the record, unless the disk is full."""
        if self.full:
            raise OSError(28, "No space left on device")
        self.texts[record.resource] = dump(record)

    def load(self, name: str) -> Record:
        """Return what a new daemon would find."""
        return load(self.texts[name])


class Outside:
    """One of each, and the resource `web` among them."""

    def __init__(self, *, dry_run: bool = False) -> None:
        """Begin at a clock of 1000 seconds."""
        self.clock = Clock()
        self.clock.advance(1000)
        self.cluster = FakeCluster()
        self.store = FakeStore()
        self.changes = 0
        self.services: list[FakeDriver] = []
        self.watches: list[FakeWatch] = []
        self.kinds: list[str] = []
        self.ready = True
        self.notify = FakeNotify()
        self.survives = True
        self.logged: list[str] = []
        self.commands: list[tuple[Program, Deferred[Ended]]] = []
        self.killed = 0
        self.tools = ClusterTools(self.cluster.run, "/sbin", self.clock, dry_run=dry_run)
        self.world = World(
            clock=self.clock,
            wall=self.clock.seconds,
            boot="boot",
            store=self.store,
            driver=self._driver,  # type: ignore[arg-type, return-value]
            notify=lambda name, members: self.notify,  # type: ignore[arg-type, return-value]
            watch=self._watch,  # type: ignore[arg-type, return-value]
            run=self._run,
            cluster=self.tools,
            changed=self._changed,
            log_output=lambda name, line: self.logged.append(line),
        )

    def _driver(self, name: str, kind: str) -> FakeDriver:
        self.kinds.append(kind)
        self.services.append(FakeDriver(name))
        self.service.survives = self.survives
        return self.services[-1]

    def _watch(self, name: str, service: object, told: Callable[[Verdict], None]) -> FakeWatch:
        self.watches.append(FakeWatch(told))
        self.watch.verdict = Verdict(ready=self.ready)
        return self.watches[-1]

    def _run(self, program: Program) -> Deferred[Ended]:
        self.commands.append((program, Deferred(self._kill)))
        return self.commands[-1][1]

    def _kill(self, _: object) -> None:
        self.killed += 1

    def command_ends(self, status: int | None = 0, output: str = "") -> Program:
        """Let the command that was executed last end, and return it."""
        program, done = self.commands[-1]
        done.callback(Ended(status, output.encode()))
        return program

    @property
    def service(self) -> FakeDriver:
        """Return the driver that was made last."""
        return self.services[-1]

    @property
    def watch(self) -> FakeWatch:
        """Return the watch that was made last."""
        return self.watches[-1]

    def _changed(self) -> None:
        self.changes += 1

    def running(self, **keys: object) -> Resource:
        """Return `web`, started and up; `keys` add to its definition."""
        resource = Resource(Record("web"), self.world)
        definition, faults = definitions.read({**DEFINITION, **keys})
        assert definition is not None, faults
        resource.start(definition.as_dict() if keys else DEFINITION, "n1", 20.0)
        self.clock.advance(0.2)
        return resource

    def take_up(self, record: Record) -> Resource:
        """Return `web` as a new daemon takes it up by what the former one has left on disk."""
        daemon = Daemon(lambda _: self.world, 60.0, lambda: None)
        daemon.resume(record)
        return daemon.resources["web"]
