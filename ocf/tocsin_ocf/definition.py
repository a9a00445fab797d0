"""
What a service is: the keys of a definition, read from OCF parameters, a YAML file or a START, into one value.

Whoever reads, the rules and the words of a fault are the same, and all faults are found at once. What depends
on the machine (does the program exist?) is in `tocsin_ocf.local`; what a check's options mean only the daemon knows.
"""

import signal

from tocsin_ocf import parts, roles, values
from tocsin_ocf.values import Wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Json = object
"""A value of JSON; a dict of them has texts as keys."""

KEYS = (
    *("command", "user", "group", "directory", "environment_file", "stop_signal", "stop_timeout"),
    *("restart_attempts", "restart_window", "pidfile", "unit", "driver", "settings", "environment", "umask", "nice"),
    *("limits", "cgroup", "ready", "checks", "promote_command", "demote_command", "promote_signal", "demote_signal"),
    *("notify_command", "promotion_score"),
)
RESTART_WINDOW = 3600.0
SYSTEMD, PIDFILE, PROCESS = "systemd", "pidfile", "process"
"""The drivers that are ours; any other name is looked up among those that were installed."""


class Fault:
    """One thing that is wrong with a definition: the key, and what is wrong; what would be right."""

    __slots__ = ("key", "message")

    def __init__(self, key: str, message: str) -> None:
        """Keep both."""
        self.key = key
        self.message = message

    def __repr__(self) -> str:
        """Return it as the administrator reads it."""
        return f"{self.key}: {self.message}"


class Definition:
    """
    A valid service definition. Not a dataclass: importing that costs an agent twice the bare interpreter.

    `user`, `group` and `environment_file` may be "" (root, the user's own, none), `directory` "" means "/";
    `stop_timeout` None is for whoever stops the service to choose. `restart_attempts` within `restart_window` seconds
    are made here before a failure is reported; 0 reports each. `command` is () for a unit or another's driver.

    `umask` is octal digits and `nice` a number, "" and None for 022 and 0. `limits` has [soft, hard] by
    setrlimit's names in lower case, -1 for unlimited; `cgroup` what is written, by file name; `checks` a dict each with
    one kind, as in YAML. A role's signal is 0 for none; `promotion_score` has every key of `roles.SCORE`, or, where
    nothing can be promoted, none. All are JSON values, and nobody changes them.
    """

    __slots__ = KEYS

    def __init__(  # noqa: PLR0913 a definition is these
        self,
        command: "tuple[str, ...]" = (),
        user: str = "",
        group: str = "",
        directory: str = "",
        environment_file: str = "",
        stop_signal: int = signal.SIGTERM,
        stop_timeout: "float | None" = None,
        restart_attempts: int = 0,
        restart_window: "float | None" = None,
        pidfile: str = "",
        unit: str = "",
        driver: str = "",
        settings: "Mapping[str, Json] | None" = None,
        environment: "Mapping[str, str] | None" = None,
        umask: str = "",
        nice: "int | None" = None,
        limits: "Mapping[str, list[int]] | None" = None,
        cgroup: "Mapping[str, str] | None" = None,
        ready: str = parts.READY[0],
        checks: "tuple[Mapping[str, Json], ...]" = (),
        promote_command: "tuple[str, ...]" = (),
        demote_command: "tuple[str, ...]" = (),
        promote_signal: int = 0,
        demote_signal: int = 0,
        notify_command: "tuple[str, ...]" = (),
        promotion_score: "Mapping[str, Json] | None" = None,
    ) -> None:
        """Keep valid values; whoever has others calls `read`."""
        self.command = command
        self.user = user
        self.group = group
        self.directory = directory
        self.environment_file = environment_file
        self.stop_signal = int(stop_signal)
        self.stop_timeout = stop_timeout
        self.restart_attempts = restart_attempts
        self.restart_window = RESTART_WINDOW if restart_window is None else restart_window
        self.pidfile = pidfile
        self.unit = unit
        self.driver = driver
        self.settings = settings or {}
        self.environment = environment or {}
        self.umask = umask
        self.nice = nice
        self.limits = limits or {}
        self.cgroup = cgroup or {}
        self.ready = ready
        self.checks = checks
        self.promote_command = promote_command
        self.demote_command = demote_command
        self.promote_signal = int(promote_signal)
        self.demote_signal = int(demote_signal)
        self.notify_command = notify_command
        self.promotion_score = promotion_score or (dict(roles.SCORE) if self.promotable else {})

    @property
    def promotable(self) -> bool:
        """Tell whether the service has roles: an instance of it can be promoted."""
        return bool(self.promote_command or self.promote_signal)

    @property
    def driver_name(self) -> str:
        """Return which driver runs the service: the named one, or the one that its keys ask for."""
        return self.driver or (SYSTEMD if self.unit else PIDFILE if self.pidfile else PROCESS)

    def as_dict(self) -> "dict[str, object]":
        """Return it with JSON's types, such that `read` returns it unchanged."""
        return {key: list(value) if isinstance(value := getattr(self, key), tuple) else value for key in KEYS}

    def __eq__(self, other: object) -> bool:
        """Tell whether both mean the same service."""
        return isinstance(other, Definition) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash((self.command, self.unit))

    def __repr__(self) -> str:
        """Return it for a failing test."""
        return f"Definition({self.as_dict()})"


def read(raw: "Mapping[str, object]") -> "tuple[Definition | None, list[Fault]]":
    """Return the definition in `raw`, or None and every fault in it."""
    faults = [Fault(str(key), values.unknown(str(key), KEYS)) for key in raw if key not in KEYS]
    found: dict[str, object] = {}
    for key, reader in READERS.items():
        try:
            found[key] = reader(raw.get(key, ""))
        except Wrong as wrong:
            faults += [Fault(f"{key}{place}", message) for place, message in wrong.places]
            found[key] = raw[key]
    faults += _at_odds(found, {fault.key for fault in faults})
    faults.sort(key=_order)
    return (None, faults) if faults else (Definition(**found), [])  # type: ignore[arg-type]


def _order(fault: Fault) -> int:
    """Return where a fault is told: unknown keys first, then in the order of KEYS."""
    key = fault.key.partition(".")[0].partition("[")[0]
    return KEYS.index(key) if key in KEYS else -1


OF_A_PROGRAM = (
    *("command", "user", "group", "directory", "environment_file", "environment", "umask", "nice", "limits", "cgroup"),
    *("stop_signal", "pidfile"),
)
"""What a unit has settings of its own for: here they would silently not count."""
OURS = ("", SYSTEMD, PIDFILE, PROCESS)  # another driver may need no command, and change roles by itself


def _at_odds(found: "Mapping[str, object]", faulty: "set[str]") -> "list[Fault]":
    """Return what does not go together, leaving out keys that are faulty by themselves."""
    given = {key for key in KEYS if found[key] != getattr(NOTHING, key)}
    driver, faults = str(found["driver"]), {}
    if "unit" in given:
        own = "not with unit, which says this itself: systemctl edit {}; remove it here, or unit"
        faults = {key: own.format(found["unit"]) for key in OF_A_PROGRAM if key in given}
        faults.update(_unheard(found))
    ours = driver in OURS
    faults.update(roles.at_odds(given if ours else given - {"promotion_score"}, found["checks"] if ours else ()))
    needed = _needed(given, driver)
    if needed:
        faults[needed] = MISSING[needed]
    if "settings" in given and driver in OURS:
        faults["settings"] = "of no use without a driver that reads them; name it with driver, or remove them"
    for key, own in (("unit", SYSTEMD), ("pidfile", PIDFILE)):
        if key in given and driver not in ("", own):
            faults.setdefault(key, f"not with driver {driver}; remove one of the two")
    return [Fault(key, message) for key, message in faults.items() if key not in faulty]


def _unheard(found: "Mapping[str, object]") -> "Iterator[tuple[str, str]]":
    """Yield what a unit is to say to us, who have not started it."""
    why = "not with unit, which speaks to systemd only: Type=notify and WatchdogSec= are the unit's own; remove it here"
    if found["ready"] == "notify":
        yield "ready", why
    checks = found["checks"]
    for number, check in enumerate(checks if isinstance(checks, tuple) else ()):
        if "sd_notify" in check:
            yield f"checks[{number}].sd_notify", why


def _needed(given: "set[str]", driver: str) -> str:
    """Return the key that is missing, "" where none is."""
    if driver in (SYSTEMD, PIDFILE):
        key = "unit" if driver == SYSTEMD else "pidfile"
        if key not in given:
            return key
    return "" if driver not in OURS or "unit" in given or "command" in given else "command"


MISSING = {
    "command": "missing; give the program and its arguments, such as: /usr/sbin/nginx -g 'daemon off;'",
    "unit": f"missing; driver {SYSTEMD} needs it, such as: nginx.service",
    "pidfile": f"missing; driver {PIDFILE} needs it, such as: /run/named/named.pid",
}
READERS: "dict[str, Callable[[object], object]]" = {
    "command": parts.command,
    "user": values.account,
    "group": values.account,
    "directory": values.path,
    "environment_file": values.path,
    "stop_signal": values.signal_number,
    "stop_timeout": parts.seconds,
    "restart_attempts": parts.restarts,
    "restart_window": parts.seconds,
    "pidfile": values.path,
    "unit": parts.run_unit,
    "driver": parts.driver,
    "settings": parts.settings,
    "environment": parts.environment,
    "umask": values.umask,
    "nice": parts.nice,
    "limits": parts.limits,
    "cgroup": parts.cgroup,
    "ready": parts.ready,
    "checks": parts.checks,
    "promote_command": parts.command,
    "demote_command": parts.command,
    "promote_signal": roles.role_signal,
    "demote_signal": roles.role_signal,
    "notify_command": parts.command,
    "promotion_score": roles.promotion_score,
}
NOTHING = Definition()
