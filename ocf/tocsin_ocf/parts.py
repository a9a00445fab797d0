"""
The parts of a definition that are more than one value, and the names from a list: environment, limits, cgroup, ...

Each is read into JSON values of one form, whichever of the allowed forms it came in.
"""

from functools import partial

from tocsin_ocf import values
from tocsin_ocf.values import Wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

MOST_RESTARTS = 100
"""More restarts than that are no budget, but a service that does not work."""
READY = ("checks", "notify")
UNIT_TYPES = (".service", ".socket", ".mount", ".automount", ".timer", ".path", ".swap", ".target")
IN_UNITS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.-@\\")
LIMITS = (
    *("as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss"),
    *("rtprio", "rttime", "sigpending", "stack"),
)
"""Resource limits as setrlimit(2) names them, without RLIMIT_ and in lower case."""
CONTROLLERS = ("memory.", "cpu.", "pids.", "io.")
IN_FILES = set("abcdefghijklmnopqrstuvwxyz0123456789._")
SIZED = ("memory.max", "memory.high", "memory.low", "memory.min", "memory.swap.max", "memory.swap.high")
OURS = ("tocsind@", "pacemaker.", "pacemaker_remote.", "corosync.", "pcsd.")
NICEST, LEAST_NICE = -20, 19
DEEPEST = 20
"""Mappings in mappings of settings; more is a slip, and would exhaust the stack of who reads them."""


def command(value: object) -> "tuple[str, ...]":
    """Return a program and its arguments, () where there is none."""
    return values.command(value) if value not in ("", None, (), []) else ()


def seconds(value: object) -> "float | None":
    """Return a time in seconds, None where there is none."""
    return None if value is None or value == "" else values.seconds(value)


def restarts(value: object) -> int:
    """Return how often a service is restarted here."""
    return values.whole(value, 0, MOST_RESTARTS, "a number of restarts") if values.text(value) else 0


def unit(value: object) -> str:
    """Return the name of a systemd unit, with its type; "" where there is none."""
    name = values.text(value)
    full = name if name.endswith(UNIT_TYPES) or not name else f"{name}.service"
    if set(full) - IN_UNITS or full.startswith(".") or "@." in full or len(full) > 255:
        raise Wrong(f"{name[:60]!r} is not a unit; give a name such as nginx.service (of a template: name@instance)")
    return full


def run_unit(value: object) -> str:
    """Return the name of a systemd unit that can be a resource."""
    name = unit(value)
    if name.startswith(OURS):
        raise Wrong(f"{name[:60]!r} is what runs the cluster, and cannot be run by it")
    return name


def driver(value: object) -> str:
    """Return the name of a driver."""
    name = values.text(value)
    if name and not (name.isascii() and name.replace("-", "_").isidentifier()):
        raise Wrong(f"{name[:40]!r} is not a driver; give its name, such as process, pidfile, systemd")
    return name


def nice(value: object) -> "int | None":
    """Return a nice level, None where there is none."""
    return values.whole(value, NICEST, LEAST_NICE, "a nice level") if values.text(value) else None


def ready(value: object) -> str:
    """Return what makes a service ready."""
    return values.one_of(values.text(value) or READY[0], READY)


def settings(value: object) -> "dict[str, Any]":
    """Return the settings of a driver that is not ours: any mapping of JSON's."""
    found = mapping(value)
    demand_json(found, DEEPEST)
    return found


def demand_json(value: object, depth: int = DEEPEST) -> None:
    """Refuse what JSON cannot carry to the daemon and back."""
    if depth == 0:
        raise Wrong(f"nested too deeply; {DEEPEST} levels are allowed")
    inner: Iterable[object] = ()
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise Wrong("a key in it is not a text; put it in quotes")
        inner = value.values()
    elif isinstance(value, (list, tuple)):
        inner = value
    elif isinstance(value, float) and value - value != 0:
        raise Wrong("a number that is none, or infinite; leave it out")
    elif value is not None and not isinstance(value, (str, int, float)):
        raise Wrong("not a value of JSON")
    for item in inner:
        demand_json(item, depth - 1)


def environment(value: object) -> "dict[str, str]":
    """Return variables by name."""
    return each(value, _variable)


def _variable(name: str, item: object) -> str:
    if not name.isascii() or not name.isidentifier():
        raise Wrong("not a variable; give letters, digits and _, such as LC_ALL")
    return values.text(item, newlines=True)


def limits(value: object) -> "dict[str, list[int]]":
    """Return [soft, hard] by the name of the limit."""
    return each(value, _limit)


def _limit(name: str, item: object) -> "list[int]":
    if name not in LIMITS:
        raise Wrong(values.unknown(name, LIMITS))
    return values.rlimit(item)


def cgroup(value: object) -> "dict[str, str]":
    """Return what to write into files of the service's cgroup, by their names."""
    return each(value, _cgroup_file)


def _cgroup_file(name: str, item: object) -> str:
    if not name.startswith(CONTROLLERS) or set(name) - IN_FILES:
        raise Wrong("not a file of memory, cpu, pids or io; give one such as memory.max")
    text = values.given(item)
    if name in SIZED and text != "max":
        values.size(text)
    return text


def checks(value: object) -> "tuple[dict[str, Any], ...]":
    """Return the checks, each a dict with one kind; from a list of those, or from words such as tcp:HOST:PORT."""
    if value in (None, "", []):
        return ()
    from tocsin_ocf import kinds

    items = values.text(value).split() if not isinstance(value, (list, tuple)) else value
    found = values.gather((f"[{number}]", partial(kinds.check, item)) for number, item in enumerate(items))
    names = [check.get("name") for check in found.values()]
    twice = [number for number, name in enumerate(names) if name and name in names[:number]]
    if twice:
        raise Wrong(*((f"[{number}].name", "another check has it; give each its own") for number in twice))
    return tuple(found.values())


def mapping(value: object) -> "dict[str, Any]":
    """Return a mapping whose keys are texts."""
    if value is None or value == "":
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise Wrong("not a mapping; give NAME: VALUE, one a line below the key")
    return value


def each(value: object, reader: "Callable[[str, object], Any]") -> "dict[str, Any]":
    """Return a mapping with each value read, by its name; a fault says where."""
    items = mapping(value)
    found = values.gather((f".{name}", partial(reader, name, item)) for name, item in items.items())
    return {place[1:]: read for place, read in found.items()}
