"""What a datagram of sd_notify(3) says: text to value."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_STATUS = 200
"""Characters; a status is one line in a table."""


@dataclass(frozen=True)
class Message:
    """What a datagram says; `watchdog` is "1", "trigger" or "", `main_pid` and `errno` are 0 where nothing is said."""

    ready: bool = False
    stopping: bool = False
    watchdog: str = ""
    status: str | None = None
    errno: int = 0
    main_pid: int = 0


def parse(datagram: bytes) -> Message:
    """Return what a datagram says; what is not understood says nothing."""
    said = dict(line.partition("=")[::2] for line in datagram.decode("utf-8", "replace").split("\n"))
    watchdog = said.get("WATCHDOG", "")
    return Message(
        ready=said.get("READY") == "1",
        stopping=said.get("STOPPING") == "1",
        watchdog=watchdog if watchdog in ("1", "trigger") else "",
        status=_printable(said["STATUS"]) if "STATUS" in said else None,
        errno=_number(said.get("ERRNO", "")),
        main_pid=_number(said.get("MAINPID", "")),
    )


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:LONGEST_STATUS])


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
