"""
The OCF exit codes, the one way in which an action fails, and the one way in which an agent ends.

Source: Open Cluster Framework Resource Agent API 1.1, "Exit status codes". Plain integers, because `enum`
costs a monitor more than its whole budget.
"""

import sys
from posix import _exit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

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
NEVER_OF_STOP = (OCF_ERR_INSTALLED, OCF_NOT_RUNNING)
"""OCF knows no stop that fails with "not installed" or "not running": what is not there is stopped."""


class ActionFailed(Exception):
    """An action ends here: `code` is an OCF exit code, `reason` tells the administrator why ("" for silence)."""

    def __init__(self, code: int, reason: str = "") -> None:
        """Keep both; `concluded` is the only place that turns them into an exit status and text."""
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


def wrong(name: str, value: str, right: str) -> ActionFailed:
    """Return the fault of a parameter that no node could accept: what is wrong, and what would be right."""
    return ActionFailed(OCF_ERR_CONFIGURED, f"parameter {name}: {value[:40]!r} is wrong; {right}")


def run(perform: "Callable[[str], tuple[int, str]]") -> "NoReturn":
    """Perform what the command line asks for, and end this process; its last line on stderr is the reason."""
    code = concluded(perform, sys.argv[1] if len(sys.argv) > 1 else "")
    sys.stdout.flush()
    _exit(code)  # tearing the interpreter down takes a sixth of a monitor's CPU time, and there is nothing to save


def concluded(perform: "Callable[[str], tuple[int, str]]", action: str) -> int:
    """Turn whatever happens into an exit code and, as the last line of stderr, its reason."""
    try:
        code, reason = perform(action)
    except ActionFailed as failed:
        code, reason = failed.code, failed.reason
    except Exception as error:  # noqa: BLE001 a bug must not look like a state of the service
        from tocsin_ocf.unexpected import trace

        sys.stderr.write(trace(error))
        code, reason = OCF_ERR_GENERIC, f"unexpected in {action}: {type(error).__name__}: {error}"
    if action == "stop" and code in NEVER_OF_STOP:
        code = OCF_ERR_GENERIC
    if reason:
        sys.stderr.write(f"ocf-exit-reason:{exit_reason(reason)}\n")
    return code
