"""
A unit of systemd that runs although no daemon of ours started it: enabled at boot, or started by hand.

A probe that did not see it would let Pacemaker start it on another node, too; and a stop that did not would leave it.
"""

import re

from tocsin_ocf import parts
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC
from tocsin_ocf.unit import systemctl
from tocsin_ocf.values import Wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.invocation import Invocation

MAX_BYTES = 64 * 1024
SECONDS = 5.0
LINE = re.compile(rb"^unit[ \t]*:[ \t]*[\"']?([\w@.:\\-]+)", re.MULTILINE)
"""The key in a definition file; the agent's Python may have no YAML, and the schema lets it stand only at the top."""


def name_of(asked: "Invocation") -> str:
    """Return the unit that the resource is, "" where it is none."""
    try:
        return parts.unit(_defined(asked) or asked.parameter("unit") or _in_file(asked.parameter("config")))
    except (Wrong, OSError):
        return ""


def _defined(asked: "Invocation") -> str:
    """Return the unit that an agent of somebody else's defines; no fault of its function may fail a stop."""
    try:
        return str((asked.own or {}).get("unit", ""))
    except Exception:  # noqa: BLE001
        return ""


def _in_file(path: str) -> str:
    if not path:
        return ""
    with open(path, "rb") as file:
        found = LINE.search(file.read(MAX_BYTES))
    return found.group(1).decode("utf-8", "replace") if found else ""


def probed(asked: "Invocation", answer: "tuple[int, str]") -> "tuple[int, str]":
    """Return the answer of a probe that found nothing of ours."""
    name = name_of(asked)
    if not name or not is_active(name):
        return answer
    return OCF_ERR_GENERIC, f"{name} is active, but was not started by this resource; is it enabled? systemctl disable"


def stopped(asked: "Invocation") -> "tuple[int, str]":
    """Return the answer of a stop after which nothing of ours runs."""
    name = name_of(asked)
    if not name or not is_active(name):
        return 0, ""
    fault = systemctl("stop", name, max(asked.remaining(), 0.1))
    return (OCF_ERR_GENERIC, f"{name} is not ours, and cannot be stopped: {fault}") if fault else (0, "")


def is_active(name: str) -> bool:
    """Tell whether systemd runs a unit; where it does not answer, nobody knows of any."""
    return systemctl("is-active", name, SECONDS) == ""
