"""
The kinds of checks, each in a module that is imported when a service first asks for it.

A factory takes the Spec and the Outside, and returns a PolledCheck or, where `pushed`, a PushedCheck. What it cannot
make (ValueError, with the reason in words) would be refused by the definition's schema as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.core.check import Spec


@dataclass(frozen=True)
class Kind:
    """
    Where a kind is made: a module of this package and the factory in it.

    `pushed`: it is told, not polled. `costly`: a look of it is a process, so only some run at a time.
    """

    module: str
    factory: str
    pushed: bool = False
    costly: bool = False

    def __call__(self, spec: Spec, outside: Outside) -> Any:  # noqa: ANN401 - a PolledCheck or a PushedCheck
        """Make a check; the first of its kind imports the module."""
        make: Callable[[Spec, Outside], Any] = getattr(import_module(f"{__name__}.{self.module}"), self.factory)
        return make(spec, outside)


KINDS = {
    "tcp": Kind("tcp", "Tcp"),
    "unix": Kind("tcp", "Unix"),
    "http": Kind("http", "Http"),
    "exec": Kind("execute", "Exec", costly=True),
    "ocf": Kind("execute", "Ocf", costly=True),
    "file": Kind("file", "File"),
    "process": Kind("process", "ProcessLimits"),
    "listen": Kind("listen", "Listen"),
    "systemd": Kind("systemd", "SystemdUnit", pushed=True),
    "sd_notify": Kind("sd_notify", "SdNotify", pushed=True),
}
