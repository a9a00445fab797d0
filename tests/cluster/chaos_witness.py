"""
Runs inside a node as the bookkeeper's eyes and hands: tells births and deaths, and sends signals on command.

    chaos_witness.py CHECKOUT
        stdin   "aim SIGNAL PID" (at a service), "daemons SIGNAL", a line each
        stdout  "ready", then "born|died|aimed PID NAME SECONDS" with wall-clock seconds, a line each

A service tells its own birth through the tower, a FIFO; its death the kernel tells, by pidfd.
"""

from __future__ import annotations

import os
import select
import sys
import time

sys.path.insert(0, sys.argv[1])

from tests.chaos import tools
from tests.chaos.processes import begun, everyone, has_ended, now, send

names: dict[int, str] = {}
pidfds: dict[int, int] = {}


def say(word: str, pid: int, at: float | None = None) -> None:
    """Tell the other end at once."""
    print(word, pid, names.get(pid, "-"), repr(at or time.time()), flush=True)


def hear(lines: list[bytes]) -> None:
    """Note who was born, and watch it."""
    for line in lines:
        _, number, name, stat = line.decode().split(" ", 3)
        pid = int(number)
        names[pid] = name
        say("born", pid, time.time() - now() + begun(stat))  # its first word may be late
        try:
            pidfds[pid] = os.pidfd_open(pid)
        except ProcessLookupError:
            say("died", pid)


def obey(line: str) -> None:
    """Send a signal as told."""
    if not line:
        sys.exit()
    word, number, *rest = line.split()
    for pid in map(int, rest):
        say("aimed", pid)
        send(pid, int(number))
    if word == "daemons":
        for one in everyone():
            if "/usr/bin/tocsind" in one.command:
                send(one.pid, int(number))


def bury() -> None:
    """Tell who died."""
    for pid, pidfd in list(pidfds.items()):
        if has_ended(pidfd):
            os.close(pidfds.pop(pid))
            say("died", pid)


def main() -> None:
    """Watch until stdin is closed."""
    tower = tools.install()
    print("ready", flush=True)
    while True:
        ready = select.select([sys.stdin.fileno(), tower, *pidfds.values()], [], [])[0]
        bury()
        if tower in ready:
            hear(os.read(tower, 65536).splitlines())
        if sys.stdin.fileno() in ready:
            obey(sys.stdin.readline())


if __name__ == "__main__":
    main()
