"""Services that fork, as a test wants them: real daemons, and one that does whatever a daemon may do."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred

from tests.fakes.running import python, until
from tests.requirements import require_program
from tocsin_daemon.drivers.pidfile import PidfileDriver
from tocsin_ocf.definition import Definition

DAEMON = """
import os, sys, time
path, what = sys.argv[1], sys.argv[2].split(",")
files = [path + ".born"] + [path] * ("silent" not in what)
def become():
    if "setsid" in what: os.setsid()
    if "double" in what and os.fork(): os._exit(0)
def write(path, pid):
    with open(path + ".new", "w") as file: file.write(f"{pid}\\n")
    os.rename(path + ".new", path)
if os.fork():
    if "slow" in what: time.sleep(0.2)
    os._exit(0)
become()
if "late" in what: time.sleep(0.3)
if "scrub" in what:
    os.execve(sys.executable, [sys.executable, "-ISc", sys.argv[3], *files], {})
for each in files: write(each, os.getpid())
if "successor" in what:
    while not os.path.exists(path + ".go"): time.sleep(0.01)
    pid = os.fork()
    if pid: write(path, pid); os._exit(0)
time.sleep(600)
"""

SCRUBBED = """
import os, sys, time
for path in sys.argv[1:]:
    with open(path + ".new", "w") as file: file.write(f"{os.getpid()}\\n")
    os.rename(path + ".new", path)
time.sleep(600)
"""
"""What a daemon is that has left session, parents and environment: nothing ties it to its service."""


def forking(path: Path, *what: str) -> Definition:
    """Return the definition of a service that forks."""
    definition = python(DAEMON, str(path), ",".join(what), SCRUBBED)
    definition.pidfile = str(path)
    return definition


async def born(path: Path) -> int:
    """Return the pid of the daemon that forks no more, whether or not the pid file names it."""
    said = Path(f"{path}.born")
    await until(said.exists)
    return int(said.read_text())


def looked(service: PidfileDriver, times: int = 1) -> Deferred[None]:
    """Let the command end, and the driver look so often for the daemon that it has left."""
    seen = [service._look]

    def enough() -> bool:
        if service._look is not seen[-1]:
            seen.append(service._look)
        return len(seen) > times

    return until(enough)


def peer(name: str, directory: Path) -> Definition:
    """Return the definition of a real daemon."""
    pidfile = str(directory / f"{name}.pid")
    if name == "nginx":
        conf = directory / "nginx.conf"
        listen = f"http {{ access_log off; server {{ listen unix:{directory}/nginx.sock; }} }}"
        conf.write_text(f"daemon on; pid {pidfile}; error_log stderr; worker_processes 2; events {{}} {listen}")
        return Definition((require_program("nginx"), "-e", "stderr", "-c", str(conf)), pidfile=pidfile)
    if name == "redis-server":
        words = f"--port 0 --unixsocket {directory}/redis.sock --daemonize yes --dir {directory} --pidfile {pidfile}"
        return Definition((require_program(name), *words.split(), "--save", ""), pidfile=pidfile)
    words = f"--start --background --make-pidfile --pidfile {pidfile} --exec /bin/sleep -- 600"
    return Definition((require_program(name), *words.split()), pidfile=pidfile)
