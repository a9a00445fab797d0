"""
Readers of single values, as parameters, YAML and JSON spell them: each returns the value, or raises Wrong.

A fault's message says what is wrong and what would be right; whoever calls knows the key, and names it.
"""

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

UNITS = {"": 1.0, "ms": 0.001, "msec": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0}
"""Seconds per unit, as Pacemaker spells time; a number alone is seconds."""
SIZES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
"""Bytes per unit, as the kernel and systemd count: 1K is 1024."""
UNLIMITED = -1
"""As the kernel's RLIM_INFINITY."""
LAST_SIGNAL = 64
LAST_ID = 2**32 - 2
"""The highest uid and gid; the one above means "unchanged" to the kernel."""
LAST_SIZE = 2**63 - 1
LONGEST = 1e9
"""Seconds; thirty years are no timeout but a slip."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Wrong(Exception):
    """A value is not what its key allows: a fault's message, or several as (where inside it, message)."""

    @property
    def places(self) -> "list[tuple[str, str]]":
        """Return where inside the value, such as ".nofile" or "[2]" ("" for all of it), and what is wrong there."""
        return [arg if isinstance(arg, tuple) else ("", str(arg)) for arg in self.args]


def gather(items: "Iterable[tuple[str, Callable[[], Any]]]") -> "dict[str, Any]":
    """Return what each reader returns, by its place; Wrong with every fault of all, where there is one."""
    found, faults = {}, []
    for place, reader in items:
        try:
            found[place] = reader()
        except Wrong as wrong:
            faults += [(f"{place}{inner}", message) for inner, message in wrong.places]
    if faults:
        raise Wrong(*faults)
    return found


def one_of(value: object, names: "Iterable[str]") -> str:
    """Return a name that has to be among `names`."""
    name = text(value)
    if name not in names:
        raise Wrong(f"{name[:40]!r} is none of {', '.join(names)}")
    return name


def given(value: object) -> str:
    """Return a text that must not be empty."""
    found = text(value)
    if not found.strip():
        raise Wrong("empty; give a value, or remove it")
    return found


def unknown(name: str, known: "Iterable[str]") -> str:
    """Return the message for a name that is not among the known ones."""
    from difflib import get_close_matches

    near = get_close_matches(name[:100], known, n=1)
    return f"unknown; did you mean {near[0]}?" if near else f"unknown; known are {', '.join(known)}"


def text(value: object, *, newlines: bool = False) -> str:
    """Return a scalar as text; "" where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Wrong("not a text; put it in quotes")
    found = str(value)
    if "\0" in found or ("\n" in found and not newlines):
        raise Wrong("a line break or NUL in it; write it on one line")
    return found


def sendable(value: object) -> str:
    """Return a text of one or several lines, which must not be empty."""
    found = text(value, newlines=True)
    if not found:
        raise Wrong("empty; give a value, or remove it")
    return found


def words(value: object) -> "tuple[str, ...]":
    """Split a command as a shell splits words; a list is words already."""
    if isinstance(value, (list, tuple)):
        return tuple(text(word, newlines=True) for word in value)
    import shlex

    try:
        return tuple(shlex.split(text(value)))
    except ValueError as error:
        raise Wrong(f"{str(error).lower()}; close the quote, or put a backslash before it") from None


def command(value: object) -> "tuple[str, ...]":
    """Return a program and its arguments."""
    found = words(value)
    if not found or not found[0]:
        raise Wrong("missing; give the program and its arguments, such as: /usr/sbin/nginx -g 'daemon off;'")
    if "/" in found[0] and found[0][0] != "/":
        raise Wrong(f"{found[0]!r} is a relative path; give an absolute one, or a name that is looked up in PATH")
    return found


def account(value: object) -> str:
    """Return the name or number of a user or group."""
    name = text(value)
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 12 else 0
    if name and (name[0] == "-" or not name.isascii() or set(name) & set(" \t:/") or number > LAST_ID):
        raise Wrong(f"{name!r} is not an account; give its name or number")
    return name


def path(value: object) -> str:
    """Return an absolute path, "" where there is none."""
    found = text(value)
    if found and found[0] != "/":
        raise Wrong(f"{found!r} is a relative path; give an absolute one")
    return found


def signal_number(value: object) -> int:
    """Return the number of a signal that is named with or without SIG, or is a number."""
    found = text(value).upper() or "TERM"
    if found.isascii() and found.isdigit() and len(found) < 9 and 0 < int(found) <= LAST_SIGNAL:
        return int(found)
    name = found if found.startswith("SIG") else f"SIG{found}"
    if name not in signal.Signals.__members__:
        raise Wrong(f"{found!r} is not a signal; give a name such as TERM, INT or QUIT, or its number")
    return int(signal.Signals[name])


def whole(value: object, least: int, most: int, what: str) -> int:
    """Return a whole number in a range; `what` names it in a fault."""
    found = text(value).strip()
    digits = found[1:] if found[:1] in ("-", "+") else found
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and least <= int(found) <= most):
        raise Wrong(f"{found[:20]!r} is not {what}; give one from {least} to {most}")
    return int(found)


def seconds(value: object) -> float:
    """Return the seconds in a time as Pacemaker spells it; a number is seconds."""
    if isinstance(value, float) and 0 <= value < LONGEST:
        return value
    found = text(value).replace(" ", "").lower()
    digits, unit = _number(found)
    if digits is None or unit not in UNITS:
        raise Wrong(f"{found!r} is not a time; give seconds, or a number with ms, s, m or h, such as 30s")
    if digits * UNITS[unit] >= LONGEST:
        raise Wrong(f"{found!r} is too long; give less than {LONGEST:.0f} seconds")
    return digits * UNITS[unit]


def duration(value: object) -> float:
    """Return a time that is longer than nothing."""
    found = seconds(value)
    if found <= 0:
        raise Wrong("no time at all; give more than 0, such as 2s")
    return found


def size(value: object) -> int:
    """Return the bytes in a size such as 512M or 2GiB; a number alone is bytes."""
    found = text(value).replace(" ", "").lower()
    digits, unit = _number(found)
    unit = unit[:-2] if unit.endswith("ib") else unit.removesuffix("b")
    if digits is None or unit not in SIZES or digits * SIZES[unit] > LAST_SIZE:
        raise Wrong(f"{text(value)[:40]!r} is not a size; give bytes, or a number with K, M, G or T, such as 512M")
    return int(digits * SIZES[unit])


def _number(found: str) -> "tuple[float | None, str]":
    """Split a number from its unit; None where there is no number."""
    number = found.rstrip(LETTERS)
    digits = number.replace(".", "", 1)
    valid = digits.isascii() and digits.isdigit()
    return (float(number) if valid else None), found[len(number) :]


def rlimit(value: object) -> "list[int]":
    """Return [soft, hard] of a resource limit: one value for both, or "SOFT:HARD"; UNLIMITED for "unlimited"."""
    if isinstance(value, (list, tuple)) and len(value) == 2:
        value = ":".join(text(part) for part in value)
    parts = text(value).lower().split(":")
    if not text(value) or len(parts) > 2:
        raise Wrong(f"{text(value)!r} is not a limit; give a number, unlimited, or SOFT:HARD")
    both = [UNLIMITED if part.strip() in ("unlimited", "infinity", "-1") else size(part) for part in parts]
    soft, hard = both[0], both[-1]
    if hard != UNLIMITED and (soft == UNLIMITED or soft > hard):
        raise Wrong(f"{text(value)!r} has a soft limit above the hard one; give SOFT:HARD with SOFT at most HARD")
    return [soft, hard]


def umask(value: object) -> str:
    """Return an octal file mode mask as three digits, "" where there is none."""
    found = text(value).removeprefix("0o")
    if not found:
        return ""
    if len(found) > 4 or set(found) - set("01234567") or int(found, 8) > 0o777:
        raise Wrong(f"{found[:20]!r} is not a umask; give octal digits, such as 027")
    return f"{int(found, 8):03o}"
