"""
The daemon as a unit of systemd: restarted when it dies, watched by a watchdog, outside of Pacemaker's own unit.

Only the plain daemon is one. Whoever gives it a program, a directory or arguments of its own gets a detached process
instead, as wherever systemd is not, does not know the unit, or does not answer in time: a start must not fail
because systemd is busy. Should both come up after all, the lock lets one live.
"""

import os
import subprocess
import sys

from tocsin_ocf.programs import PATH
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
    fault = systemctl("start", f"tocsind@{asked.port}.service", min(SYSTEMD_SECONDS, max(seconds / 2, 0.1)))
    if fault:
        sys.stderr.write(f"tocsind is started without systemd: {fault}\n")
    return not fault


def stop_unit(elsewhere: str, seconds: float) -> str:
    """
    Stop a service that is a unit, without the daemon; return "" when it has stopped, else why it has not.

    `elsewhere` is a kind and a name, as `Remains` says it. What another driver runs, nobody but the daemon can stop.
    """
    kind, _, name = elsewhere.partition(" ")
    if kind != "unit":
        return f"only tocsind can stop what {elsewhere} runs"
    return systemctl("stop", name, max(seconds, 0.1))


def systemctl(verb: str, unit: str, seconds: float) -> str:
    """Have systemd do it; return "" when it is done, else why not."""
    try:
        done = subprocess.run(  # noqa: PLW1510 the status is read below
            ["systemctl", "--no-ask-password", "--quiet", verb, unit],  # noqa: S607 PATH is ours
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            env={"PATH": PATH, "LC_ALL": "C.UTF-8"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    said = done.stderr.decode("utf-8", "replace").partition("\n")[0]
    return "" if done.returncode == 0 else said or f"systemctl {verb} {unit}: exit status {done.returncode}"


def _is_plain(asked: "Invocation") -> bool:
    """Tell whether the unit's command line is the one that is asked for."""
    own = (asked.parameter("daemon") or DAEMON, asked.state_dir, asked.parameter("daemon_args"))
    return own == (DAEMON, STATE_DIR, "")


def _is_known() -> bool:
    return os.path.isdir(BOOTED) and any(os.path.exists(f"{place}/tocsind@.service") for place in UNIT_DIRS)
