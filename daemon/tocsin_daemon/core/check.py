"""What a health check is, and what one look of it found: values that its kind, its schedule and its judgement share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Result(Enum):
    """
    What one look at a service found.

    ERROR says nothing of the service: the check itself could not be made (no file descriptor, no such program, DNS
    gone). Peers that take it for a failure of the service restart what is healthy.
    """

    WELL = "well"
    SOFT = "degraded"
    BAD = "failed"
    ERROR = "not checked"


class On(Enum):
    """What follows when a check has judged the service."""

    FAIL = "fail"
    DEGRADE = "degrade"
    LOG = "log"
    IGNORE = "ignore"


@dataclass(frozen=True)
class Outcome:
    """One look: its result, and why in words that an administrator reads at night; no secret, at most one line."""

    result: Result
    text: str = ""


@dataclass(frozen=True)
class Window:
    """So many failures among the last so many looks: what flaps is caught, and what stumbles once is left alone."""

    failures: int
    looks: int


@dataclass(frozen=True)
class Spec:
    """One check as the definition asks for it; times in seconds, `options` are its kind's own."""

    kind: str
    target: Any
    name: str
    interval: float = 2.0
    timeout: float = 5.0
    rise: int = 1
    fall: int = 3
    window: Window | None = None
    start_grace: float = 0.0
    on: On = On.FAIL
    on_error: On = On.DEGRADE
    role: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
