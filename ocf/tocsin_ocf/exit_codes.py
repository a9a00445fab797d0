"""
The OCF exit codes, and the one way in which an action fails.

Source: Open Cluster Framework Resource Agent API 1.1, "Exit status codes". Plain integers, because `enum`
costs a monitor more than its whole budget.
"""

OCF_SUCCESS = 0
OCF_ERR_GENERIC = 1
OCF_ERR_ARGS = 2
OCF_ERR_UNIMPLEMENTED = 3
OCF_ERR_PERM = 4
OCF_ERR_INSTALLED = 5
OCF_ERR_CONFIGURED = 6
OCF_NOT_RUNNING = 7
OCF_RUNNING_PROMOTED = 8
OCF_FAILED_PROMOTED = 9
"""Promoted and failed: Pacemaker demotes before it stops."""
OCF_DEGRADED = 190
"""Active, but something is wrong: Pacemaker shows it among the failed actions, and recovers nothing."""
OCF_DEGRADED_PROMOTED = 191

REASON_BYTES = 120
"""Pacemaker up to 3.0.1 cuts an exit reason at 128 bytes; a cut inside a character corrupts the CIB."""


class ActionFailed(Exception):
    """An action ends here: `code` is an OCF exit code, `reason` tells the administrator why ("" for silence)."""

    def __init__(self, code: int, reason: str = "") -> None:
        """Keep both; the agent's `main` is the only place that turns them into an exit status and text."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


def exit_reason(text: str) -> str:
    """
    Return `text` as Pacemaker can carry it: one line of printable ASCII, at most `REASON_BYTES` bytes.

    Non-ASCII text made Pacemaker 3.0.2 drop the whole result, and corrupted the CIB of 2.1.5.
    """
    line = "".join(c if " " <= c <= "~" else "?" for c in " ".join(text.split()))
    return line if len(line) <= REASON_BYTES else line[: REASON_BYTES - 3] + "..."
