"""
Runs inside a node: kills the daemon, has a contact revive it, and tells what it saw.

    daemon_killer.py AGENT      stdin: JSON environment of the agent; then lines "daemon" or "both PID"
                                stdout: a line of JSON for each: killed, revived (seconds), code

"both" kills the service as well, right after the daemon: nobody is there who could notice. The contact is what
`crm_resource --force-check` does: the agent's monitor with Pacemaker's variables.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time


def daemons() -> list[int]:
    """Return the pids of all daemons."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                found += [int(name)] if b"/usr/bin/tocsind" in file.read().split(b"\0") else []
        except OSError:
            continue
    return found


def kill(pid: int) -> None:
    """Kill a process, and wait until it is dead."""
    pidfd = os.pidfd_open(pid)
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    select.select([pidfd], [], [])
    os.close(pidfd)


def round_of(agent: str, environment: dict[str, str], words: list[str]) -> dict[str, float]:
    """Kill as told, call the agent, and return what happened when."""
    for pid in daemons():
        kill(pid)
    killed = time.time()
    if words[0] == "both":
        kill(int(words[1]))
        killed = time.time()
    done = subprocess.run([agent, "monitor"], env=environment, capture_output=True, check=False)
    return {"killed": killed, "revived": time.time(), "code": done.returncode}


def main(agent: str) -> None:
    """Obey until stdin is closed."""
    environment = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        print(json.dumps(round_of(agent, environment, line.split())), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
