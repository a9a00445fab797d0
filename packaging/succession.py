#!/usr/bin/python3 -BEs
"""
What a package does about the daemons that run: `succession.py restart|remains`.

restart: end each daemon that the agent or systemd started, and start what is installed now in its place, as the agent
    would. No service is touched; what fails in between is found by the new one. A daemon that does not come up is left
    to the next monitor, for the installation has succeeded all the same.
remains: name the services that go on when the package is removed, and say what to do about them.

It lies beside the modules that it imports, and needs nothing of theirs but the standard library.
"""

import json
import os
import select
import shlex
import signal
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import escape, glob
from time import monotonic

from tocsin_ocf.exit_codes import ActionFailed
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.launch import launch
from tocsin_ocf.port_owner import daemon_pid
from tocsin_ocf.rundir import DAEMON, PORT, STATE_DIR, Rundir
from tocsin_ocf.unit import systemctl

ENDING = 10.0
"""Seconds that a daemon may take to end; it needs milliseconds."""
STARTING = 20.0
"""Seconds that its successor may take to listen, on a machine that is upgraded and has other things to do."""
SAME = ("root", "ns/mnt", "ns/pid")
"""What a daemon has in common with us, or it is that of a container or of a chroot's host."""
DONE = "the new one has taken over; no service was touched"
LATER = "the next monitor tries again; no service is touched"
ADVICE = """\
tocsin is removed, but services that it started run on: {names}.
Nobody watches them now, and Pacemaker finds no agent for them any more: it can neither monitor nor stop them, takes
that for failures, and may fence this node. So, at once, either
  install tocsin again, which takes them over as they are, then pcs resource cleanup NAME; or
  pcs resource unmanage NAME, stop the service yourself, and pcs resource delete --force NAME."""


@dataclass(frozen=True)
class Daemon:
    """A daemon that runs, and how it was started; `extra` are the arguments that the administrator adds."""

    pid: int
    port: int
    state_dir: str
    logs: bool
    extra: "tuple[str, ...]"

    @property
    def rundir(self) -> Rundir:
        """Where its state is."""
        return Rundir(self.state_dir, self.port)


def parse(pid: int, argv: "list[str]") -> "Daemon | None":
    """Return the daemon whose command line this is; None for any other program."""
    if DAEMON not in argv[:3]:  # after the interpreter and its options
        return None
    values = {"--port": str(PORT), "--state-dir": STATE_DIR, "--log-file": ""}
    extra: list[str] = []
    words = iter(argv[argv.index(DAEMON) + 1 :])
    for word in words:
        name, equals, value = word.partition("=")
        if name in values and not (name == "--log-file" and values[name]):
            values[name] = value if equals else next(words, "")
        else:
            extra.append(word)
    if not values["--port"].isdecimal():
        return None
    return Daemon(pid, int(values["--port"]), values["--state-dir"], bool(values["--log-file"]), tuple(extra))


def running() -> "Iterator[Daemon]":
    """Yield the daemons of this machine, or of this container, that hold their lock."""
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                argv = [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
            found = parse(pid, argv) if os.stat(f"/proc/{pid}").st_uid == os.geteuid() else None
            if found and _is_near(pid) and found.rundir.held() and daemon_pid(found.rundir) == pid:
                yield found
        except OSError:  # it has ended
            continue


def _is_near(pid: int) -> bool:
    return all(os.path.samestat(os.stat(f"/proc/{pid}/{part}"), os.stat(f"/proc/self/{part}")) for part in SAME)


def replace(old: Daemon) -> str:
    """Replace one daemon, and return in words what came of it."""
    if _is_unit(old):
        fault = systemctl("restart", f"tocsind@{old.port}.service", ENDING + STARTING)
        return f"{fault}; {LATER}" if fault else DONE
    if not old.logs:
        return f"pid {old.pid} was started by hand, and is left alone: start it anew, when it suits"
    if not end(old.pid):
        return f"pid {old.pid} does not end, and is left alone: the next monitor replaces it if it hangs"
    asked = {"port": str(old.port), "state_dir": old.state_dir, "daemon_args": shlex.join(old.extra)}
    environ = {f"OCF_RESKEY_{name}".encode(): os.fsencode(asked[name]) for name in asked}
    try:
        launch(Invocation(environ), monotonic() + STARTING)
    except ActionFailed as fault:
        return f"{fault}; {LATER}"
    return DONE


def _told(old: Daemon) -> str:
    try:
        return replace(old)
    except OSError as fault:  # it ended by itself meanwhile, say
        return f"{fault}; {LATER}"


def _is_unit(old: Daemon) -> bool:
    """Tell whether systemd started it: only systemd knows how the administrator wants that done."""
    with open(f"/proc/{old.pid}/cgroup", encoding="utf-8", errors="replace") as file:
        return f"/tocsind@{old.port}.service\n" in file.read()


def end(pid: int) -> bool:
    """Have a daemon end; False where it does not."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(fd, signal.SIGTERM)
        return bool(select.select([fd], [], [], ENDING)[0])
    except ProcessLookupError:
        return True
    finally:
        os.close(fd)


def services(state_dirs: "Iterable[str]") -> "list[str]":
    """Return the names of the resources that have something running, as the daemons have left word."""
    files = [file for place in state_dirs for file in glob(f"{escape(place)}/*/resources/*.json")]
    return sorted(name for name, phase in map(_record, files) if phase != "stopped")


def _record(file: str) -> "tuple[str, str]":
    """Return resource and phase; what cannot be read may run."""
    try:
        with open(file, encoding="utf-8") as text:
            found = json.load(text)
        return str(found["resource"]), str(found["phase"])
    except (OSError, ValueError, KeyError, TypeError):
        return os.path.basename(file)[: -len(".json")], "unknown"


def main(command: str) -> int:
    """Do it, and tell what was done; never a failure, for the packages are in place whatever comes of it."""
    daemons = list(running())
    if command == "restart":
        for old in daemons:
            print(f"tocsind on port {old.port}: {_told(old)}")
    elif command == "remains":
        names = services({STATE_DIR, *(daemon.state_dir for daemon in daemons)})
        if names:
            print(ADVICE.format(names=", ".join(names)), file=sys.stderr)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
