"""What `tocsin check` and `tocsind --check-config` say about a file."""

from __future__ import annotations

from tocsin_daemon import definition_file
from tocsin_ocf.definition import Definition

EX_CONFIG = 78
"""Exit status for faults in a file, from sysexits.h."""


def check(path: str, *, here: bool) -> tuple[int, list[str]]:
    """Return the exit status, and every fault of a definition or one line that it is well; `here` as in `read`."""
    try:
        definition, faults = definition_file.read(path, here=here)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or str(error)
        definition, faults = None, [f"{path}: cannot be read: {why.lower()}"]
    return (0, [f"{path}: OK, {summary(definition)}"]) if definition else (EX_CONFIG, faults)


def summary(definition: Definition) -> str:
    """Return what a definition defines, in a few words."""
    what = definition.unit or " ".join(definition.command) or definition.driver
    short = what if len(what) <= 50 else f"{what[:47]}..."
    count = len(definition.checks)
    return f"driver {definition.driver_name}, {short}, {count} check{'s' * (count != 1)}"
