"""The outside of a resource, in memory: a service that dies on command, a cluster that answers as told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tocsin_daemon.checks.notify_message import Message
from tocsin_daemon.checks.outside import Ended
from tocsin_daemon.children import Program
from tocsin_daemon.core.check import Spec
from tocsin_daemon.core.judgement import Verdict
from tocsin_daemon.core.record import Main, Record, dump, load
from tocsin_daemon.core.stopping import Plan
from tocsin_daemon.driver import CannotStart, Told
from tocsin_daemon.output import Output
from tocsin_daemon.reporter import ClusterTools
from tocsin_daemon.resource import Resource
from tocsin_daemon.watch import Row
from tocsin_daemon.world import World
from tocsin_ocf import definition as definitions
from tocsin_ocf.definition import Definition
from tocsin_ocf.pacemaker import Command, Reply
from tocsin_ocf.processes import Process

DEFINITION = {"command": ["/usr/sbin/serve", "--foreground"]}


class FakeDriver:
    """Stands for a `Driver`: notes what is asked of it in `events`."""

    def __init__(self, resource: str) -> None:
        """Run nothing."""
        self.main: Main | None = None
        self.output = Output("/nonexistent/output")
        self.known: dict[int, int] = {}
        self.events: list[str] = []
        self.refuses: CannotStart | None = None
        self.remains: list[Process] = []
        self.survives = True
        self.told: Told
        self.slow = False
        self.on_cleared: Callable[[], None] = lambda: None
        self.plan = Plan(0.0)
        self.signal = 0
        self.definition: Definition

    def start(self, definition: Definition, incarnation: str, told: Told) -> None:
        """Start, or refuse; the test says when a `slow` one is up."""
        if self.refuses:
            raise self.refuses
        self.events.append("start")
        self.told = told
        self.definition = definition
        if not self.slow:
            told.up(Main(4711, 99, "boot"))

    def adopt(self, definition: object, main: object, incarnation: str, known: object, told: Told) -> bool:
        """Tell whether the service survived the former daemon."""
        self.told = told
        return self.survives

    def on_end(self, status: int | None, why: str = "") -> None:
        """Let the service end by itself."""
        self.told.ended(status, why)

    def members(self, *, thorough: bool, age: float = 0.0) -> list[Process]:
        """Return what is said to be left."""
        return self.remains

    def relimit(self, definition: Definition) -> bool:
        """Note the limits; refuse them where the test wants it."""
        self.limits = dict(definition.limits)
        return not self.refuses

    def left(self) -> list[str]:
        """Return what is said to be left, by name."""
        return list(map(repr, self.remains))

    def evidence(self) -> tuple[str, ...]:
        """Return what is said to be left, in words."""
        return tuple(map(repr, self.remains))

    def clear(
        self,
        plan: Plan,
        stop_signal: int,
        on_cleared: Callable[[], None],
        on_kill: Callable[[tuple[str, ...]], None] = lambda seen: None,
    ) -> None:
        """Wait for the test to call `on_cleared`."""
        self.events.append("clear")
        self.plan = plan
        self.signal = stop_signal
        self.on_kill = on_kill
        self.on_cleared = on_cleared

    def cancel(self) -> None:
        """Stop looking."""
        self.events.append("cancel")


class FakeWatch:
    """Stands for a `Watch`: its verdict is what the test sets."""

    def __init__(self, told: Callable[[Verdict], None]) -> None:
        """Judge nothing, and find everything well."""
        self.verdict = Verdict(ready=True)
        self.specs: tuple[Spec, ...] = ()
        self.running = False
        self.settled = False
        self.role = ""
        self._told = told

    def replace(self, specs: Sequence[Spec]) -> None:
        """Keep the checks."""
        self.specs = tuple(specs)

    def begin(self, begun: float, role: str = "", *, settled: bool = False) -> None:
        """Begin."""
        self.running = True
        self.role = role
        self.settled = settled

    def set_role(self, role: str, *, settled: bool) -> None:
        """Take the role."""
        self.role, self.settled = role, settled

    def end(self) -> None:
        """End."""
        self.running = False

    def rows(self) -> list[Row]:
        """Return a row per check."""
        return [Row(spec.name, "well", 0.0, "", 0.0, 0, 0) for spec in self.specs]

    def say(self, **verdict: object) -> None:
        """Come to another verdict."""
        self.verdict = replace(self.verdict, **verdict)  # type: ignore[arg-type]
        self._told(self.verdict)


class FakeNotify:
    """Stands for a `Notify`: the service says what the test lets it say."""

    def __init__(self) -> None:
        """Say nothing."""
        self.ready = False
        self.status = ""
        self.listens = False
        self._ear: Callable[[Message], None] = lambda message: None

    def forget_what_was_said(self) -> None:
        """Begin anew."""
        self.ready = False

    def listen(self, uid: int | None = None) -> None:
        """Listen."""
        self.listens = True

    def close(self, *, keep_path: bool = False) -> None:
        """Listen no more."""
        self.listens = False

    def environment(self, watchdog: float = 0.0) -> dict[str, str]:
        """Return where to speak."""
        return {"NOTIFY_SOCKET": "/run/notify", **({"WATCHDOG_USEC": str(int(watchdog * 1e6))} if watchdog else {})}

    def hear(self, ear: Callable[[Message], None]) -> None:
        """Keep who hears."""
        self._ear = ear

    def say(self, **words: object) -> None:
        """Let the service speak."""
        message = Message(**words)  # type: ignore[arg-type]
        self.ready = self.ready or message.ready
        self._ear(message)


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
