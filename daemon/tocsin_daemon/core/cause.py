"""The words in which an administrator reads why a service is down."""

from __future__ import annotations

import signal

LINE = 60
"""Characters of the service's last output that fit beside the cause in an exit reason."""


CATEGORIES = ("check", "signal", "exit", "drill", "other")
"""Kinds of failures, for counting."""


def ended(pid: int, status: int | None) -> str:
    """
    Say how a process ended; `status` is negative for a signal, None where nobody could read it.

    Only a parent learns an exit status. A daemon that took over a running service is not its parent.
    """
    if not pid:
        return "the service ended while it was being started; tocsind died meanwhile"
    if status is None:
        return f"main process {pid} ended; its exit status is not known, for tocsind was restarted meanwhile"
    return f"main process {pid} {came_to(status)}"


def came_to(status: int) -> str:
    """Say what a process came to whose exit status is known."""
    return f"was {killed(-status)}" if status < 0 else f"exited with status {status}"


def killed(number: int) -> str:
    """Return "killed by signal 9 (KILL)"; a real-time signal has a number only."""
    try:
        name = f" ({signal.Signals(number).name.removeprefix('SIG')})"
    except ValueError:
        name = ""
    return f"killed by signal {number}{name}"


def with_output(cause: str, status: int | None, lines: tuple[str, ...]) -> str:
    """
    Return the cause with the last line that the service wrote, where it ended by itself.

    That line is then as a rule its own explanation. Who was killed by a signal had no last word.
    """
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    killed = status is None or status < 0
    return cause if killed or not last else f"{cause}: {last[:LINE]}"


def category(cause: str, *, lives: bool, drill: bool = False) -> str:
    """
    Return what kind of failure a cause tells of, as one of CATEGORIES.

    `lives`: the service still runs, so that it was its checks, or itself, that said so.
    """
    if drill:
        return "drill"
    if lives:
        return "check"
    words = cause.split(" ", 4)
    if words[:2] != ["main", "process"] or len(words) < 4:
        return "other"
    return {"was": "signal", "exited": "exit"}.get(words[3], "other")
