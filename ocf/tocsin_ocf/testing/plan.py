"""What is called, in which order and with which environment: values, decided before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tocsin_ocf.testing.document import Document

UNPRIVILEGED = ("hacluster", "nobody")
INTERVAL = "OCF_RESKEY_CRM_meta_interval"
RECURRING = {INTERVAL: "10000", "OCF_RESKEY_CRM_meta_name": "monitor"}
"""What tells a recurring monitor from a probe, which has neither."""
WITHOUT_PROGRAMS = {"OCF_TESTER_FAIL_HAVE_BINARY": "1"}
"""By it ocf-shellfuncs says of every program that it is not there."""
NOT_A_NUMBER = "tocsin-no-number"
KILL_SECONDS = 0.5
"""How long a service may take to die from the command that the tester named, before its monitor is asked."""
LOOKING = 3.0
"""Seconds behind a call: for the rest of its output, children that are just ending, and a look at what is left."""


@dataclass(frozen=True)
class Step:
    """
    One call: the agent with `arguments`, or, where given, the shell `command`.

    It is made only where the call `after` was made and succeeded. `cut` names a call in whose half time this one is
    killed. `pause` is waited after it, and then up to `patience` until none of its processes is left; in seconds.
    """

    label: str
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    after: str = ""
    cut: str = ""
    command: str = ""
    pause: float = 0.0
    patience: float = 0.0


@dataclass(frozen=True)
class Options:
    """What the tester asked for; times in seconds."""

    given: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[str, str] | None = None
    timeout: float = 20.0
    probe: bool = True
    run: bool = False
    kill: str = ""
    settle: float = 0.0
    see: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    host: bool = False


def environment(path: str, options: Options) -> dict[str, str]:
    """Return what Pacemaker's executor gives an agent: no HOME, and none of the caller's."""
    directory, _, name = path.rpartition("/")
    own = {f"OCF_RESKEY_{key}": value for key, value in options.given.items()}
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C",
        "PCMK_service": "pacemaker-execd",
        "HA_LOGFACILITY": "daemon",
        "HA_logfacility": "daemon",
        "HA_debug": "0",
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_RA_VERSION_MAJOR": "1",
        "OCF_RA_VERSION_MINOR": "1",
        "OCF_RESOURCE_INSTANCE": "tocsin-test",
        "OCF_RESOURCE_TYPE": name,
        "OCF_RESOURCE_PROVIDER": directory.rpartition("/")[2],
        "OCF_OUTPUT_FORMAT": "text",
        "OCF_EXIT_REASON_PREFIX": "ocf-exit-reason:",
        "OCF_RESKEY_crm_feature_set": "3.16.2",
        "OCF_RESKEY_CRM_meta_timeout": str(int(options.timeout * 1000)),
        "OCF_RESKEY_CRM_meta_on_node": "tocsin-test-node",
        "OCF_RESKEY_CRM_meta_on_node_uuid": "1",
        **own,
    }


def longest(steps: list[Step], timeout: float) -> float:
    """Return the seconds after which calls with this timeout, and what is waited for behind them, cannot go on."""
    return sum(2 * timeout + step.pause + step.patience + LOOKING for step in steps)


def describing() -> list[Step]:
    """Return the calls that need no parameter, and by which the rest is planned."""
    others = [Step(f"meta-data as {user}", ("meta-data",), user=user) for user in UNPRIVILEGED]
    return [
        Step("meta-data", ("meta-data",)),
        Step("meta-data and more", ("meta-data", "further", "arguments")),
        *others,
    ]


def looking(document: Document | None, options: Options) -> list[Step]:
    """Return the calls that change nothing."""
    steps = [
        Step("usage", ("usage",)),
        Step("unknown action", ("no-such-action",)),
        Step("no action"),
        Step("validate-all", ("validate-all",)),
        Step("validate-all as nobody", ("validate-all",), user="nobody"),
    ]
    wrong = options.wrong or wrong_value(document)
    if wrong:
        variables = {f"OCF_RESKEY_{wrong[0]}": wrong[1]}
        steps.append(Step("validate-all of a wrong value", ("validate-all",), variables))
    if options.probe:
        steps.append(Step("probe", ("monitor",)))
        steps.append(Step("probe of interval 0", ("monitor",), {INTERVAL: "0"}))
        steps.append(Step("probe without programs", ("monitor",), WITHOUT_PROGRAMS))
    return steps


def wrong_value(document: Document | None) -> tuple[str, str] | None:
    """Return a parameter and what it cannot be: letters for a number."""
    numbers = [one.name for one in document.parameters if one.kind == "integer"] if document else []
    return (numbers[0], NOT_A_NUMBER) if numbers else None


def running(document: Document | None, options: Options) -> list[Step]:
    """Return the calls of --run: three lives of the resource, and always a stop behind a start."""
    return [
        Step("stop of the never started", ("stop",)),
        Step("start", ("start",)),
        _monitor("monitor at once", "start"),
        *(_monitor(f"monitor {number}", "start") for number in (1, 2, 3)),
        Step("probe of the running", ("monitor",), after="start"),
        Step("start again", ("start",), after="start"),
        _monitor("monitor after start again", "start again"),
        *_optional(document),
        Step("stop", ("stop",), patience=options.settle),
        _monitor("monitor stopped", "stop"),
        Step("stop again", ("stop",), patience=options.settle),
        Step("start anew", ("start",), after="stop"),
        _monitor("monitor anew", "start anew"),
        *_killing(options),
        Step("start cut off", ("start",), after="stop again", cut="start"),
        Step("stop of the cut off", ("stop",), after="stop again", patience=options.settle),
        _monitor("monitor of the cut off", "stop of the cut off"),
    ]


def _monitor(label: str, after: str) -> Step:
    return Step(label, ("monitor",), RECURRING, after=after)


def _notify() -> dict[str, str]:
    prefix = "OCF_RESKEY_CRM_meta_notify"
    uname = {f"{prefix}_start_uname": "tocsin-test-node", f"{prefix}_start_resource": "tocsin-test"}
    return {f"{prefix}_type": "post", f"{prefix}_operation": "start", **uname}


def _optional(document: Document | None) -> list[Step]:
    """Return the calls of what is advertised; of roles also where they are not: then they have to say so."""
    steps = []
    if document and document.advertised("notify"):
        steps.append(Step("notify", ("notify",), _notify(), after="start"))
    if document and document.advertised("reload-agent"):
        steps.append(Step("reload-agent", ("reload-agent",), after="start"))
    if not (document and document.advertised("promote") and document.advertised("demote")):
        unsupported = [Step(f"{action} unsupported", (action,), after="start") for action in ("promote", "demote")]
        return steps + unsupported
    return [
        *steps,
        Step("promote", ("promote",), after="start"),
        _monitor("monitor promoted", "promote"),
        Step("promote again", ("promote",), after="promote"),
        Step("demote", ("demote",), after="promote"),
        _monitor("monitor demoted", "demote"),
        Step("demote again", ("demote",), after="demote"),
    ]


def _killing(options: Options) -> list[Step]:
    """Return what follows "start anew"; the stop comes wherever that came, whether it succeeded or not."""
    if not options.kill:
        return [Step("stop anew", ("stop",), after="stop")]
    return [
        Step("kill", command=options.kill, after="start anew", pause=KILL_SECONDS),
        _monitor("monitor of the killed", "kill"),
        Step("stop of the killed", ("stop",), after="stop"),
    ]
