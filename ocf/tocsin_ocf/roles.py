"""
The roles of a promotable clone, as a definition has them: how to change them, and how well a node suits to be promoted.

A score is Pacemaker's: a whole number up to INFINITY, which is a million.
"""

from functools import partial

from tocsin_ocf import parts, values
from tocsin_ocf.values import Wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

INFINITY = 1_000_000
INFINITIES = {"INFINITY": INFINITY, "+INFINITY": INFINITY, "-INFINITY": -INFINITY}
SCORE: "dict[str, Any]" = {
    "well": 100,
    "degraded": 10,
    "command": [],
    "interval": 5.0,
    "timeout": 5.0,
    "dampening": 5.0,
}
"""What holds where `promotion_score` does not say otherwise; times in seconds."""


def score(value: object) -> int:
    """Return a score."""
    found = values.text(value).strip().upper()
    digits = found[1:] if found[:1] in ("-", "+") else found
    if found in INFINITIES:
        return INFINITIES[found]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 7 or int(digits) > INFINITY:
        raise Wrong(f"{found[:20]!r} is not a score; give a whole number, such as 100, or INFINITY or -INFINITY")
    return int(found)


def promotion_score(value: object) -> "dict[str, Any]":
    """Return every key of SCORE; from some of them, or from a number, which is `well`. {} where nothing is given."""
    if value is None or value in ("", {}):
        return {}
    if not isinstance(value, dict):
        return {**SCORE, "well": score(value)}
    found = values.gather((f".{key}", partial(_part, str(key), item)) for key, item in value.items())
    return {**SCORE, **{place[1:]: read for place, read in found.items() if read is not None}}


def _part(key: str, value: object) -> object:
    """Return the value of a key of SCORE, None where none is given."""
    if key not in PARTS:
        raise Wrong(values.unknown(key, PARTS))
    return None if value is None or value == "" else PARTS[key](value)


def _words(value: object) -> "list[str]":
    return list(parts.command(value))


def role_signal(value: object) -> int:
    """Return the number of a signal, 0 where there is none."""
    return values.signal_number(value) if value not in (None, "", 0) else 0


def at_odds(given: "set[str]", checks: object) -> "Iterator[tuple[str, str]]":
    """Yield key and message of what of the roles' keys does not go together, or lacks its other half."""
    there = {way: {f"{way}_command", f"{way}_signal"} & given for way in ("promote", "demote")}
    for way, other in (("promote", "demote"), ("demote", "promote")):
        if len(there[way]) > 1:
            yield f"{way}_signal", f"not with {way}_command; remove one of the two"
        if there[way] and not there[other]:
            yield f"{other}_command", f"missing; beside {min(there[way])} give it, or {other}_signal"
    if "promotion_score" in given and not there["promote"]:
        yield "promotion_score", NO_ROLES
    for number, check in enumerate(checks if isinstance(checks, tuple) and not there["promote"] else ()):
        if check.get("role"):
            yield f"checks[{number}].role", NO_ROLES


NO_ROLES = "of no use without promote_command or promote_signal; give one of them, or remove it"
PARTS: "dict[str, Callable[[object], Any]]" = {
    "well": score,
    "degraded": score,
    "command": _words,
    "interval": values.duration,
    "timeout": values.duration,
    "dampening": values.seconds,
}
