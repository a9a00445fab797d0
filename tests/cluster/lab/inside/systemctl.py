#!/usr/bin/python3 -IS
"""
Stands in for systemctl in a node, as far as pcs and people need it: the node's pid 1 manages the services.

What the services need and what needs them is known here; pid 1 starts and stops one at a time.
"""

import ctypes
import os
import socket
import sys
from collections.abc import Callable

EAR = "/run/lab/init"
UNITS = ("corosync", "pacemaker", "pacemaker_remote")
NEEDED_BY = {"corosync": ["pacemaker"]}
REMOTE = not os.path.exists("/etc/corosync/corosync.conf")
ENABLED = {"pacemaker_remote"} if REMOTE else {"corosync", "pacemaker"}
DONE = ("enable", "disable", "daemon-reload", "reset-failed", "mask", "unmask")
UNKNOWN = {"status": 4, "is-active": 4, "is-enabled": 1}
RESTART, POWER_OFF = 0x1234567, 0x4321FEDC


def ask(verb: str, unit: str) -> str:
    """Return what pid 1 says."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(EAR)
        wire.sendall(f"{verb} {unit}".encode())
        return wire.makefile().readline().strip()


def stop(unit: str) -> list[str]:
    """Stop a unit, first what needs it, and return what to start again if this is a restart."""
    above = [each for needs_it in NEEDED_BY.get(unit, ()) for each in stop(needs_it)]
    was_active = ask("status", unit) == "active"
    ask("stop", unit)
    return [unit, *above] if was_active else above


def start(unit: str) -> int:
    """Start a unit and what it needs, and return the exit status."""
    answer = ask("start", unit)
    if answer != "ok":
        print(f"Job for {unit}.service failed: {answer}", file=sys.stderr)
    return int(answer != "ok")


def restart(unit: str) -> int:
    """Stop and start a unit, and what was stopped with it."""
    return max([start(each) for each in dict.fromkeys([unit, *stop(unit)])])


def show(unit: str) -> int:
    """Print what `systemctl status` would, and return its exit status."""
    state = ask("status", unit)
    print(f"{unit}.service\n     Loaded: loaded (lab)\n     Active: {state}")
    return 0 if state == "active" else 3


def is_active(unit: str) -> int:
    """Print the state, and return 0 if it is active."""
    state = ask("status", unit)
    print(state)
    return 0 if state == "active" else 3


def is_enabled(unit: str) -> int:
    """Print whether the unit is started at boot."""
    enabled = unit in ENABLED
    print("enabled" if enabled else "disabled")
    return int(not enabled)


def stopped(unit: str) -> int:
    """Stop a unit."""
    stop(unit)
    return 0


VERBS: dict[str, Callable[[str], int]] = {
    "start": start,
    "stop": stopped,
    "restart": restart,
    "status": show,
    "is-active": is_active,
    "is-enabled": is_enabled,
}


def leave(how: int) -> None:
    """End the node cleanly, as `reboot` and `poweroff` do."""
    for unit in ("corosync", "pacemaker_remote"):
        stop(unit)
    ctypes.CDLL(None).reboot(how)


def each(verb: str, names: list[str]) -> int:
    """Do it to each unit, and return the worst exit status."""
    worst = 0
    for name in names:
        unit = name.removesuffix(".service")
        if unit not in UNITS:
            print(f"Unit {unit}.service could not be found.", file=sys.stderr)
            worst = max(worst, UNKNOWN.get(verb, 5))
        else:
            worst = max(worst, VERBS[verb](unit))
    return worst


def main() -> int:
    """Do as told, and return the exit status of systemctl."""
    verb, *names = [word for word in sys.argv[1:] if not word.startswith("-")] or ["list-units"]
    if verb in ("reboot", "poweroff"):
        leave(RESTART if verb == "reboot" else POWER_OFF)
    elif verb in VERBS:
        return each(verb, names)
    elif verb in ("list-units", "list-unit-files"):
        for unit in UNITS:
            print(f"{unit}.service {'enabled' if unit in ENABLED else 'disabled'}")
    elif verb not in DONE:
        print(f"systemctl of the lab: no {verb}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
