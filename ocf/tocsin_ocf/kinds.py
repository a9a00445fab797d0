"""
The kinds of health check: what each takes as its target and which options, and the readers of both.

Pure text work, so that the agent finds every fault before a start. The daemon's schema says the same to editors; a
test keeps the two together.
"""

from functools import partial

from tocsin_ocf import parts, values
from tocsin_ocf.targets import address, agent, levels, listening, pattern, statuses, url
from tocsin_ocf.values import Wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

SHORT = "tcp:HOST:PORT, http://HOST/PATH, unix:/PATH, file:/PATH, listen:PORT, systemd:UNIT, ocf:PROVIDER:TYPE"
MOST_LOOKS = 100
NAME_LENGTH = 80
MOST_OPTIONS = 40
"""More are no slip, and to look for what each was meant to be takes its time."""


class Kind:
    """One kind: the reader of its target, and the readers of the options of its own."""

    __slots__ = ("options", "target")

    def __init__(self, target: "Callable[[object], Any]", **options: "Callable[[object], Any]") -> None:
        """Keep both."""
        self.target = target
        self.options = options


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise Wrong("neither true nor false; give one of them")
    return value


def window(value: object) -> "tuple[int, int]":
    """Return failures and looks of "3 of 5"."""
    parts_ = values.text(value).split()
    if len(parts_) != 3 or parts_[1] != "of":
        raise Wrong(f"{values.text(value)[:40]!r} is not a window; give failures and looks, such as: 3 of 5")
    looks = values.whole(parts_[2], 1, MOST_LOOKS, "a number of looks")
    return values.whole(parts_[0], 1, looks, "a number of failures in so many looks"), looks


def name(value: object) -> str:
    """Return what a check is called."""
    found = values.given(value)
    if len(found) > NAME_LENGTH or not found.isprintable():
        raise Wrong(f"too long, or not printable; give at most {NAME_LENGTH} characters")
    return found


def path(value: object) -> str:
    """Return an absolute path, which has to be there."""
    return values.path(values.given(value))


def headers(value: object) -> "dict[str, str]":
    """Return the headers of a request."""
    return parts.each(value, _header)


def _header(key: str, value: object) -> str:
    if not key.isascii() or not key.replace("-", "").replace("_", "").isalnum():
        raise Wrong("not the name of a header; give one such as Host")
    return values.text(value)


def parameters(value: object) -> "dict[str, str]":
    """Return the parameters of an agent."""
    return parts.each(value, _parameter)


def _parameter(key: str, value: object) -> str:
    if not key.isascii() or not key.isidentifier():
        raise Wrong("not the name of a parameter; give one as `pcs resource describe` shows it")
    return values.text(value, newlines=True)


def _unit(value: object) -> str:
    return parts.unit(values.given(value))


def _looks(value: object) -> int:
    return values.whole(value, 1, MOST_LOOKS, "a number of looks")


COMMON: "dict[str, Callable[[object], Any]]" = {
    "name": name,
    "interval": values.duration,
    "timeout": values.duration,
    "rise": _looks,
    "fall": _looks,
    "window": window,
    "start_grace": values.seconds,
    "on": partial(values.one_of, names=("fail", "degrade", "log")),
    "on_error": partial(values.one_of, names=("degrade", "ignore", "fail")),
    "role": partial(values.one_of, names=("promoted", "unpromoted")),
}
KINDS = {
    "tcp": Kind(address, send=values.sendable, expect=pattern),
    "unix": Kind(path, send=values.sendable, expect=pattern),
    "http": Kind(
        url,
        method=partial(values.one_of, names=("GET", "HEAD", "POST")),
        status=statuses,
        body=pattern,
        headers=headers,
        verify=flag,
        ca=path,
        server_name=values.given,
        socket=path,
    ),
    "exec": Kind(values.command, user=values.account, nagios=flag),
    "file": Kind(path, exists=flag, max_age=values.duration, contains=pattern),
    "process": Kind(levels),
    "listen": Kind(listening),
    "systemd": Kind(_unit),
    "ocf": Kind(agent, parameters=parameters),
    "sd_notify": Kind(values.duration),
}
EXCLUDING = (
    ("window", "fall", "not with fall, whose place it takes; remove one of the two"),
    ("max_age", "exists", "not with exists: false; remove one of the two"),
    ("contains", "exists", "not with exists: false; remove one of the two"),
    ("ca", "verify", "not with verify: false, which trusts every certificate; remove one of the two"),
)
"""Options of which the second, where it is given and not true, makes the first senseless, and what is said of it."""
OF_TLS = ("verify", "ca", "server_name")


def check(value: object) -> "dict[str, Any]":
    """Return a check as a dict with one kind, its options as they came; from such a dict, or from a word."""
    raw = _short(value) if isinstance(value, str) else value
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise Wrong("not a mapping; give its kind and target, such as: - tcp: 127.0.0.1:6379")
    kinds = [key for key in raw if key in KINDS]
    if len(kinds) != 1:
        raise Wrong(_which(raw, kinds))
    if len(raw) > MOST_OPTIONS:
        raise Wrong(f"more than {MOST_OPTIONS} options; a check has less than twenty")
    kind = KINDS[kinds[0]]
    readers = {kinds[0]: kind.target, **COMMON, **kind.options}
    found = values.gather((f".{key}", partial(_read, readers, key, item)) for key, item in raw.items())
    _demand_sense(raw)
    return {**raw, "systemd": found[".systemd"]} if "systemd" in raw else raw


def _short(word: str) -> "dict[str, str]":
    """Return the check that one word asks for."""
    kind, colon, target = word.partition(":")
    if kind in ("http", "https"):
        return {"http": word}
    if not colon or kind not in KINDS or kind == "process":
        raise Wrong(f"{word[:60]!r} is not a check; give words such as {SHORT}")
    return {kind: target}


def _which(raw: "Mapping[str, Any]", kinds: "list[str]") -> str:
    """Return what to say where there is not one kind."""
    found = f"not {' and '.join(kinds)}; split it" if kinds else "none is here"
    near = "" if kinds else next((word for key in raw if "mean" in (word := values.unknown(key, KINDS))), "")
    hint = f"; {near.partition('; ')[2]}" if near else ""
    return f"a check names exactly one kind: {', '.join(KINDS)}; {found}{hint}"


def _read(readers: "Mapping[str, Callable[[object], Any]]", key: str, value: object) -> object:
    if key not in readers:
        raise Wrong(values.unknown(key, list(readers)))
    return readers[key](value)


def _demand_sense(raw: "Mapping[str, Any]") -> None:
    """Refuse options that exclude each other."""
    faults = [(f".{key}", why) for key, other, why in EXCLUDING if key in raw and raw.get(other, True) is not True]
    if str(raw.get("http", "")).startswith("http:"):
        faults += [(f".{key}", "of no use with http://; remove it, or ask https://") for key in OF_TLS if key in raw]
    if faults:
        raise Wrong(*faults)
