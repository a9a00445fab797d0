"""
Whether Pacemaker treats a reported failure as it would treat one that a monitor found.

An injected failure counts as operation `asyncmon`, and the `on-fail` of `monitor` does not apply to it. Who set
one for the monitor alone gets a plain restart where a standby, a block or a fencing was meant.
"""

from __future__ import annotations

from tocsin_ocf.pacemaker import Operation

DEFAULT = "restart"
"""What Pacemaker does with a failed monitor where nothing is said (Pacemaker Explained, "Operations")."""


def mismatch(operations: tuple[Operation, ...]) -> str:
    """Return in words how `on-fail` of monitor and asyncmon differ, "" where they agree."""
    monitors = {o.on_fail or DEFAULT for o in operations if o.name == "monitor" and o.recurring}
    reported = {o.on_fail or DEFAULT for o in operations if o.name == "asyncmon"} or {DEFAULT}
    if not monitors or monitors == reported:
        return ""
    wanted, got = ", ".join(sorted(monitors)), ", ".join(sorted(reported))
    return f"on-fail of monitor is {wanted}, but of asyncmon {got}: set both alike"
