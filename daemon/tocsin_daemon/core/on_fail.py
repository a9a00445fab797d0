"""
Whether Pacemaker treats a reported failure as it would treat one that a monitor found.

An injected failure counts as operation `asyncmon`, and the `on-fail` of `monitor` does not apply to it. Who set
one for the monitor alone gets a plain restart where a standby, a block or a fencing was meant.
"""

from __future__ import annotations

from tocsin_ocf.pacemaker import Operation

DEFAULT = "restart"
"""What Pacemaker does with a failed monitor where nothing is said (Pacemaker Explained, "Operations")."""


UNHEARD = "notify_command is never run: add meta notify=true to the clone"


def warnings(operations: tuple[Operation, ...], *, promotable: bool, remote: str, deaf: bool = False) -> str:
    """
    Return in words what of the configuration keeps a failure from being told as it should, "" for nothing.

    `deaf`: there is a command for notifications, and nobody will send one.
    """
    return "; ".join(each_warning(operations, promotable=promotable, remote=remote, deaf=deaf))


def each_warning(operations: tuple[Operation, ...], *, promotable: bool, remote: str, deaf: bool) -> list[str]:
    """Return the same one by one."""
    found = [mismatch(operations), unwatched(operations) if promotable else "", far_away(remote) if remote else ""]
    return list(filter(None, [*found, UNHEARD if deaf else ""]))


PROMOTED = ("Promoted", "Master")
"""The role as Pacemaker 2.1 spells it, and as it did before."""


def unwatched(operations: tuple[Operation, ...]) -> str:
    """
    Say that no monitor is there for the promoted role, "" where one is.

    Without one a reported failure stops the service without a demote, and nothing notices that a role has changed
    (measured with Pacemaker 2.1.5).
    """
    if any(o.name == "monitor" and o.recurring and o.role in PROMOTED for o in operations):
        return ""
    return "no monitor with role=Promoted: add op monitor interval=59s role=Promoted"


def far_away(remote: str) -> str:
    """Say that crm_resource --fail does nothing on a Pacemaker Remote node: it exits 0, and that is all."""
    return f"{remote} is a Pacemaker Remote node: only a monitor tells of a failure there: set monitor_hold"


def mismatch(operations: tuple[Operation, ...]) -> str:
    """Return in words how `on-fail` of monitor and asyncmon differ, "" where they agree."""
    monitors = {o.on_fail or DEFAULT for o in operations if o.name == "monitor" and o.recurring}
    reported = {o.on_fail or DEFAULT for o in operations if o.name == "asyncmon"} or {DEFAULT}
    if not monitors or monitors == reported:
        return ""
    wanted, got = ", ".join(sorted(monitors)), ", ".join(sorted(reported))
    return f"on-fail of monitor is {wanted}, but of asyncmon {got}: set both alike"
