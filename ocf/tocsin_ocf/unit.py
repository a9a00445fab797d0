"""
The daemon as a unit of systemd: restarted when it dies, watched by a watchdog, outside of Pacemaker's own unit.

Only the plain daemon is one. Whoever gives it a program, a directory or arguments of its own gets a detached process
instead, as wherever systemd is not, does not know the unit, or does not answer in time: a start must not fail
because systemd is busy. Should both come up after all, the lock lets one live.
"""

import os
import subprocess
import sys

from tocsin_ocf.local import PATH
from tocsin_ocf.rundir import DAEMON, STATE_DIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.invocation import Invocation

BOOTED = "/run/systemd/system"
"""There where systemd is pid 1, says sd_booted(3)."""
UNIT_DIRS = ("/etc/systemd/system", BOOTED, "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
SYSTEMD_SECONDS = 15.0
"""A busy systemd may take this long; then, or after half of the time that is left, we go on without it."""


def start_unit(asked: "Invocation", seconds: float) -> bool:
    """Start the daemon's unit; True when the daemon listens, False when it has to be started without systemd."""
    if not _is_plain(asked) or not _is_known():
        return False
    # During a shutdown systemd refuses, rather than turn it around: then the last stops need a detached one.
    command = ["systemctl", "--no-ask-password", "--quiet", "start", f"tocsind@{asked.port}.service"]
    environment = {"PATH": PATH, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(  # noqa: PLW1510 the status is read below
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=min(SYSTEMD_SECONDS, max(seconds / 2, 0.1)),
            env=environment,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return _without(str(error))
    return done.returncode == 0 or _without(done.stderr.decode("utf-8", "replace").partition("\n")[0])


def _is_plain(asked: "Invocation") -> bool:
    """Tell whether the unit's command line is the one that is asked for."""
    own = (asked.parameter("daemon") or DAEMON, asked.state_dir, asked.parameter("daemon_args"))
    return own == (DAEMON, STATE_DIR, "")


def _is_known() -> bool:
    return os.path.isdir(BOOTED) and any(os.path.exists(f"{place}/tocsind@.service") for place in UNIT_DIRS)


def _without(why: str) -> bool:
    sys.stderr.write(f"tocsind is started without systemd: {why}\n")
    return False
