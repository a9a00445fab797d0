"""One node of a running lab, seen from outside."""

from __future__ import annotations

import contextlib
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Union
from xml.etree import ElementTree

from . import groups, holder, power
from .faults import CommandFailed, LabError
from .plan import CLOCK_FILE, Member, Plan

Stream = Union[int, IO[Any], None]


class Node:
    """A node's name, files, command line, and power."""

    def __init__(self, member: Member, plan: Plan) -> None:
        """Take the node's place in the lab's plan."""
        self._member = member
        self._plan = plan
        self.name = member.name
        self.address = member.address
        self.is_remote = member.is_remote
        self._units = ["pacemaker_remote"] if member.is_remote else ["corosync", "pacemaker"]
        self._children: list[subprocess.Popen[str]] = []

    @property
    def init(self) -> int:
        """The pid of its pid 1, seen from outside; another one after each boot. LabError if it is not on."""
        now = power.read(self._member)
        if now.state != power.ON:
            raise LabError(f"{self.name} is {now.state} {now.reason}".strip())
        return now.init

    @property
    def group(self) -> Path | None:
        """Its control group, seen from outside; None where the machine has no cgroup2 that can be written."""
        return groups.of(self._plan.state.name, self.name)

    @property
    def log_directory(self) -> Path:
        """The node's private part of /var/log, readable from outside."""
        return self._member.disk / "var/log"

    @property
    def pacemaker_log(self) -> Path:
        """The node's pacemaker.log, readable from outside."""
        return self.log_directory / "pacemaker/pacemaker.log"

    @property
    def boot_log(self) -> Path:
        """What pid 1 and the daemons' standard output say."""
        return self._member.boot_log

    def path(self, inside: str | Path) -> Path:
        """
        Say where a file of the node is found from outside, as long as the node runs.

        An absolute symbolic link in it (/var/run, say) leads back to the outside: give the real path.
        """
        return Path(f"/proc/{self.init}/root", str(inside).lstrip("/"))

    def is_running(self) -> bool:
        """Tell whether it is on: its files are mounted, and its pid 1 lives."""
        return power.read(self._member).is_alive

    def is_lost(self) -> bool:
        """Tell whether it went off and nobody asked for that: no test, no fencing, no reboot in it."""
        return power.is_lost(self._member)

    def kill(self) -> None:
        """Cut its power: the network is gone first, then everything in it at once; it stays off until `boot`."""
        self._order(do="kill")

    def boot(self) -> None:
        """Give it power, and return when its daemons are started; what a node keeps on disk is there again."""
        self._order(do="boot")

    def freeze(self) -> None:
        """Stop all its processes where they are, as a machine that hangs; peers fence it."""
        self._freeze(1)

    def thaw(self) -> None:
        """Let its processes go on."""
        self._freeze(0)

    def set_clock(self, ahead: float) -> None:
        """Have its clock jump to so many seconds before the machine's; only in a Lab(clocks=True)."""
        new = self.path(CLOCK_FILE + ".new")
        new.write_text(f"{ahead:+g}\n")
        new.replace(self.path(CLOCK_FILE))

    def is_frozen(self) -> bool:
        """Tell whether it was frozen; commands in it would hang."""
        group = self.group
        with contextlib.suppress(OSError):
            return group is not None and "1" in (group / "cgroup.freeze").read_text()
        return False

    def stop_cluster(self, timeout: float = 120) -> None:
        """
        Stop Pacemaker and corosync cleanly: its resources move, nobody fences it.

        A remote node is fenced all the same by Pacemaker 2.1.5, unless its resource was disabled before.
        """
        self.run(["systemctl", "stop", self._units[0]], timeout=timeout)

    def start_cluster(self, timeout: float = 120) -> None:
        """Start corosync and Pacemaker, and return when they are started, not yet online."""
        self.run(["systemctl", "start", *self._units], timeout=timeout)

    def restart_pacemaker(self, timeout: float = 120) -> None:
        """Stop Pacemaker cleanly and start it again; corosync goes on."""
        self.run(["systemctl", "restart", self._units[-1]], timeout=timeout)

    def crash_pacemaker(self, daemon: str = "pacemakerd") -> None:
        """Kill one daemon (pacemakerd, pacemaker-controld, corosync ...) with SIGKILL; what follows is Pacemaker's."""
        self.run(["pkill", "-KILL", "-f", f"^([^ ]*/)?{daemon}( |$)"])

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float = 30,
        check: bool = True,
        input: str | None = None,  # noqa: A002 - the name of subprocess.run
        env: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the node, in / with the node's environment plus `env`, and collect its output."""
        stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
        with self.popen(argv, stdin=stdin, env=env, user=user) as process:
            try:
                out, err = process.communicate(input, timeout)
            except BaseException:
                process.kill()
                raise
            finally:
                self._children.remove(process)
        if check and process.returncode != 0:
            raise CommandFailed(process.returncode, list(argv), out, err)
        return subprocess.CompletedProcess(list(argv), process.returncode, out, err)

    def popen(
        self,
        argv: Sequence[str | Path],
        *,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = subprocess.PIPE,
        stderr: Stream = subprocess.PIPE,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> subprocess.Popen[str]:
        """
        Start a command in the node.

        Any signal that ends the returned process (nsenter) is SIGKILL for the command in the node.
        """
        process = subprocess.Popen(
            [*self.entry(user), *argv],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**self._plan.environment, **(env or {})},
            text=True,
            start_new_session=True,  # a "kill 0" in the node would else reach the caller's process group
        )
        self._children.append(process)
        return process

    def crm_mon(self) -> ElementTree.Element:
        """Ask this node's crm_mon for the state of the cluster."""
        return ElementTree.fromstring(self.run(["crm_mon", "--output-as=xml"], check=False).stdout)

    def is_active(self, resource: str, role: str = "") -> bool:
        """Tell whether this node, which is on, sees the resource run here without failure (and in this role)."""
        if not self.is_running():
            return False
        healthy = f".//resource[@id='{resource}'][@active='true'][@failed='false']"
        here = f"node[@name='{self.name}']"
        found = [each for each in self.crm_mon().iterfind(healthy) if each.find(here) is not None]
        return any(role in ("", each.get("role")) for each in found)

    def sees_online(self, names: Sequence[str]) -> bool:
        """Tell whether this node sees these online, and a DC that has nothing to do."""
        status = self.crm_mon()
        online = status.findall("nodes/node[@online='true'][@pending='false'][@unclean='false']")
        controller = status.find("summary/current_dc[@present='true']")
        if not set(names) <= {each.get("name") for each in online} or controller is None:
            return False
        # crm_mon shows nodes online before the first transition is over; crm_resource --wait sleeps for 2 s.
        asked = self.run(["crmadmin", "--timeout=5s", "--status", controller.attrib["name"]], check=False)
        return "S_IDLE" in asked.stdout

    def save_logs(self, place: Path) -> None:
        """Copy its logs and its CIB, whether it is on or off, to a directory."""
        shutil.copytree(self.log_directory, place, dirs_exist_ok=True)
        for file in (self.boot_log, self._member.disk / "var/lib/pacemaker/cib/cib.xml"):
            with contextlib.suppress(OSError):
                shutil.copy(file, place)

    def last_words(self) -> str:
        """Return the ends of its logs."""
        logs = [log for log in (self.boot_log, self.pacemaker_log) if log.exists()]
        ends = {log: "\n".join(log.read_text("utf-8", "replace").splitlines()[-15:]) for log in logs}
        return "\n".join(f"--- {log}\n{end}" for log, end in ends.items())

    def bury(self) -> None:
        """Wait for the commands that died with the node, so that no zombie stays."""
        for process in self._children:
            process.wait(10)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        self._children.clear()

    def _order(self, do: str) -> None:
        holder.order(self._plan, do=do, node=self.name)

    def _freeze(self, wanted: int) -> None:
        group = self.group
        if group is None:
            raise LabError(f"{self.name} cannot be frozen: no cgroup2 that can be written, or it is off")
        groups.freeze(group, wanted)

    def entry(self, user: str | None = None) -> list[str]:
        """Return the command that runs the command after it in the node; ENVIRONMENT is for both."""
        init, group = self.init, self.group
        namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid"]
        entry = []
        if group is not None:  # a cgroup namespace alone moves nobody
            namespaces.append("--cgroup")
            entry = ["sh", "-c", 'echo 0 >"$0"; exec "$@"', str(group / "cgroup.procs")]
        entry += ["nsenter", f"--target={init}", *namespaces, "--", "setpriv", "--pdeathsig=KILL"]
        if user is not None:
            number = pwd.getpwnam(user).pw_gid
            entry += [f"--reuid={user}", f"--regid={number}", "--init-groups"]
        return [*entry, "--"]
