"""
Stand-ins for Pacemaker's tools, and the service: shell scripts, for they begin in a millisecond.

All of them speak to the *tower*, a FIFO that the driver reads: a line is there, whole, before the next thing
happens. What the tools do is in a file of one line each, which the driver writes.
"""

from __future__ import annotations

import os
from pathlib import Path

HOME = Path("/run/chaos")
BIN = HOME / "bin"
TOWER = HOME / "tower"
QUIET = HOME / "quiet"
STATUS = HOME / "status.xml"
SERVICE = HOME / "service"
MODED = ("crm_mon", "crm_resource", "role")

CRM_MON = f"""#!/bin/sh
read -r mode arg < {HOME}/crm_mon.mode
case $mode in
  slow | hang) sleep "$arg" ;;
  old) cat {STATUS}; exec sleep "$arg" ;;
  stuck) exec sleep 3600 ;;
  refuse) echo "crm_mon: refused" >&2; exit 102 ;;
  garbage) echo "<pacemaker-result"; exit 0 ;;
esac
exec cat {STATUS}
"""
CRM_RESOURCE = f"""#!/bin/sh
[ "$1 $2 $4" = "--fail --resource --node" ] || {{ echo "$*" > {TOWER}; exit 64; }}
read -r stat < /proc/self/stat
echo "begin $$ $3 $stat" > {TOWER}
read -r mode arg < {HOME}/crm_resource.mode
case $mode in
  slow | hang) sleep "$arg" ;;
  stuck) exec sleep 3600 ;;
  refuse) exit 102 ;;
  silent) exit 0 ;;
esac
echo "fail $$ $3" > {TOWER}
[ "$mode" != swallow ] || exit 124
exit 0
"""
ROLE = f"""#!/bin/sh
# role NAME promote|demote
read -r mode arg < {HOME}/role.mode
[ "$mode" != slow ] || exec sleep "$arg"
exit 0
"""
OTHER = "#!/bin/sh\nexit 0\n"
"""attrd_updater, crm_attribute and cibadmin: nothing here depends on them."""
SERVICE_TEXT = f"""#!/bin/sh
# service NAME KIND
read -r stat < /proc/self/stat
echo "born $$ $1 $stat" > {TOWER}
trap 'exit 0' TERM
trap 'exit 3' USR1
[ "$2" != stubborn ] || trap '' TERM
[ "$2" = plain ] || sleep 3600 0.$$ &
case $2 in wild | stubborn) (setsid sleep 3600 0.$$ &) ;; esac
while :; do read -r _ < {QUIET}; done
"""


def install() -> int:
    """Write all of it below HOME; return the tower, open to be read without waiting."""
    BIN.mkdir(parents=True)
    for path, text in (
        (BIN / "crm_mon", CRM_MON),
        (BIN / "crm_resource", CRM_RESOURCE),
        (BIN / "role", ROLE),
        (BIN / "attrd_updater", OTHER),
        (BIN / "crm_attribute", OTHER),
        (BIN / "cibadmin", OTHER),
        (SERVICE, SERVICE_TEXT),
    ):
        path.write_text(text)
        path.chmod(0o755)
    for tool in MODED:
        set_mode(tool, "well")
    for fifo in (TOWER, QUIET):
        os.mkfifo(fifo)
    os.open(QUIET, os.O_RDWR)  # for good: whoever reads it waits, for nobody writes
    return os.open(TOWER, os.O_RDWR | os.O_NONBLOCK)


def set_mode(tool: str, mode: str, seconds: float = 0.0) -> None:
    """Let a tool behave from now on: well, slow, old, hang, stuck, refuse, garbage, silent, swallow, or missing."""
    replace(HOME / f"{tool}.mode", f"{mode} {seconds}\n")
    (BIN / tool).chmod(0o644 if mode == "missing" else 0o755)


def replace(path: Path, text: str) -> None:
    """Replace a file at once: nobody reads half of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)
