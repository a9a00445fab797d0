"""From the checks of a definition to values that a schedule and a judgement work on, with the defaults of each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tocsin_daemon.core.check import On, Spec, Window
from tocsin_ocf import kinds, parts, values

OWN_DEFAULTS: dict[str, dict[str, Any]] = {
    "exec": {"interval": 10.0, "timeout": 20.0},
    "ocf": {"interval": 10.0, "timeout": 20.0},
    "systemd": {"fall": 1},
    "sd_notify": {"fall": 1},
}
"""Where a kind differs: a process per look is dearer than a connection; what is told once is not told a third time."""
WHOLE = ("http", "ocf")
"""Kinds whose targets begin with their names as a rule."""
NAME_LENGTH = 60


def specs(checks: Sequence[Mapping[str, Any]] | str) -> tuple[Spec, ...]:
    """Return the checks of a definition, each with a name of its own; `tocsin_ocf.values.Wrong` with every fault."""
    found: list[Spec] = []
    wanted = parts.checks(checks)
    taken = {check["name"] for check in wanted if check.get("name")}
    for check in wanted:
        spec = _spec(check, taken)
        taken.add(spec.name)
        found.append(spec)
    return tuple(found)


def _spec(check: Mapping[str, Any], taken: set[str]) -> Spec:
    kind = next(key for key in check if key in kinds.KINDS)
    readers: dict[str, Any] = {**kinds.COMMON, "on": On, "on_error": On, "window": _window}
    common = {key: readers[key](value) for key, value in check.items() if key in readers}
    name = common.pop("name", "") or _name(kind, check[kind], taken)
    options = {key: value for key, value in check.items() if key in kinds.KINDS[kind].options}
    return Spec(kind, check[kind], name, options=options, **{**OWN_DEFAULTS.get(kind, {}), **common})


def _window(value: object) -> Window:
    return Window(*kinds.window(value))


def _name(kind: str, target: object, taken: set[str]) -> str:
    """
    Return KIND:TARGET in one short line, with a number where another check has it.

    Without what may be a secret: names are in the log, the CIB, and what the cluster shows everybody.
    """
    words = target if isinstance(target, (list, tuple, dict)) else [values.text(target)]
    if kind == "exec":
        words = values.command(target)[:1]
    elif kind == "http":
        words = [values.text(target).partition("?")[0]]
    said = " ".join(map(str, words))
    text = said if kind in WHOLE and said.startswith(kind) else f"{kind}:{said}"
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)
    name = plain if len(plain) <= NAME_LENGTH else f"{plain[: NAME_LENGTH - 3]}..."
    others = (f"{name}#{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in others if other not in taken)
