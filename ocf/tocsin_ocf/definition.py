"""
What a service is: the keys of a definition, read from OCF parameters, a YAML file or a START, into one value.

Whoever reads, the rules and the words of a fault are the same, and all faults are found at once. What depends
on the machine (does the program exist?) is in `tocsin_ocf.local`.
"""

import shlex
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = (
    *("command", "user", "group", "directory", "environment_file", "stop_signal", "stop_timeout"),
    *("restart_attempts", "restart_window"),
)
UNITS = {"": 1.0, "ms": 0.001, "msec": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0}
"""Seconds per unit, as Pacemaker spells time; a number alone is seconds."""
LAST_SIGNAL = 64
LAST_ID = 2**32 - 2
"""The highest uid and gid; the one above means "unchanged" to the kernel."""
RESTART_WINDOW = 3600.0
MOST_RESTARTS = 100
"""More restarts than that are no budget, but a service that does not work."""
LONGEST = 1e9
"""Seconds; thirty years are no timeout but a slip."""


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
    are made here before a failure is reported; 0 reports each.
    """

    __slots__ = KEYS

    def __init__(  # noqa: PLR0913 a definition is these
        self,
        command: "tuple[str, ...]",
        user: str = "",
        group: str = "",
        directory: str = "",
        environment_file: str = "",
        stop_signal: int = signal.SIGTERM,
        stop_timeout: "float | None" = None,
        restart_attempts: int = 0,
        restart_window: "float | None" = None,
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

    def as_dict(self) -> "dict[str, object]":
        """Return it with JSON's types, such that `read` returns it unchanged."""
        return {key: list(value) if isinstance(value := getattr(self, key), tuple) else value for key in KEYS}

    def __eq__(self, other: object) -> bool:
        """Tell whether both mean the same service."""
        return isinstance(other, Definition) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(self.command)

    def __repr__(self) -> str:
        """Return it for a failing test."""
        return f"Definition({self.as_dict()})"


class Wrong(Exception):
    """A value is not what its key allows; the text is a fault's message."""


def read(raw: "Mapping[str, object]") -> "tuple[Definition | None, list[Fault]]":
    """Return the definition in `raw`, or None and every fault in it."""
    faults = [Fault(str(key), _unknown(str(key))) for key in raw if key not in KEYS]
    values = {}
    for key, reader in READERS.items():
        try:
            values[key] = reader(raw.get(key, ""))
        except Wrong as wrong:
            faults.append(Fault(key, str(wrong)))
    return (None, faults) if faults else (Definition(**values), [])  # type: ignore[arg-type]


def _command(value: object) -> "tuple[str, ...]":
    """Split a string as a shell splits words; a list is words already."""
    if isinstance(value, (list, tuple)):
        words = [_text(word, newlines=True) for word in value]
    else:
        try:
            words = shlex.split(_text(value))
        except ValueError as error:
            raise Wrong(f"{str(error).lower()}; close the quote, or put a backslash before it") from None
    if not words or not words[0]:
        raise Wrong("missing; give the program and its arguments, such as: /usr/sbin/nginx -g 'daemon off;'")
    if "/" in words[0] and words[0][0] != "/":
        raise Wrong(f"{words[0]!r} is a relative path; give an absolute one, or a name that is looked up in PATH")
    return tuple(words)


def _account(value: object) -> str:
    """Return the name or number of a user or group."""
    name = _text(value)
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 12 else 0
    if name and (name[0] == "-" or not name.isascii() or set(name) & set(" \t:/") or number > LAST_ID):
        raise Wrong(f"{name!r} is not an account; give its name or number")
    return name


def _path(value: object) -> str:
    path = _text(value)
    if path and path[0] != "/":
        raise Wrong(f"{path!r} is a relative path; give an absolute one")
    return path


def _signal(value: object) -> int:
    """Return the number of a signal that is named with or without SIG, or is a number."""
    text = _text(value).upper() or "TERM"
    if text.isascii() and text.isdigit() and 0 < int(text) <= LAST_SIGNAL:
        return int(text)
    name = text if text.startswith("SIG") else f"SIG{text}"
    if name not in signal.Signals.__members__:
        raise Wrong(f"{text!r} is not a signal; give a name such as TERM, INT or QUIT, or its number")
    return int(signal.Signals[name])


def _count(value: object) -> int:
    """Return a number of restarts."""
    text = _text(value) or "0"
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_RESTARTS):
        raise Wrong(f"{text[:20]!r} is not a number of restarts; give one from 0 to {MOST_RESTARTS}")
    return int(text)


def _seconds(value: object) -> "float | None":
    """Return the seconds in a time as Pacemaker spells it; a number is seconds."""
    if isinstance(value, float) and 0 <= value < LONGEST:
        return value
    text = _text(value).replace(" ", "").lower()
    if not text:
        return None
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = UNITS.get(text[len(number) :])
    digits = number.replace(".", "", 1)
    if unit is None or not (digits.isascii() and digits.isdigit()):
        raise Wrong(f"{text!r} is not a time; give seconds, or a number with ms, s, m or h, such as 30s")
    seconds = float(number) * unit
    if seconds >= LONGEST:
        raise Wrong(f"{text!r} is too long; give less than {LONGEST:.0f} seconds")
    return seconds


def _text(value: object, *, newlines: bool = False) -> str:
    """Return a scalar as text; "" where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Wrong("not a text; put it in quotes")
    text = str(value)
    if "\0" in text or ("\n" in text and not newlines):
        raise Wrong("a line break or NUL in it; write it on one line")
    return text


def _unknown(key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, KEYS, n=1)
    return f"unknown; did you mean {near[0]}?" if near else f"unknown; known are {', '.join(KEYS)}"


READERS = {
    "command": _command,
    "user": _account,
    "group": _account,
    "directory": _path,
    "environment_file": _path,
    "stop_signal": _signal,
    "stop_timeout": _seconds,
    "restart_attempts": _count,
    "restart_window": _seconds,
}
