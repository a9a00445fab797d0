"""One node of a running lab, seen from outside."""

from __future__ import annotations

import pwd
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Union
from xml.etree import ElementTree

from .plan import ENVIRONMENT, Member

Stream = Union[int, IO[Any], None]


class CommandFailed(subprocess.CalledProcessError):
    """A command in a node ended with another status than 0."""

    def __str__(self) -> str:
        """Show what the command said, which the base class does not."""
        return f"{super().__str__()}\nstdout: {self.stdout}\nstderr: {self.stderr}"


class Node:
    """A node's name, files and command line."""

    def __init__(self, member: Member, init: int, group: Path | None) -> None:
        """Take the plan's member, and, seen from outside, the pid of its pid 1 and its control group."""
        self._member = member
        self.group = group
        self.init = init
        self.name = member.name
        self.address = member.address
        self._children: list[subprocess.Popen[str]] = []

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
        """Tell whether pid 1 of the node lives."""
        return Path(f"/proc/{self.init}/root/run").exists()

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
            [*self._entry(user), *argv],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**ENVIRONMENT, **(env or {})},
            text=True,
            start_new_session=True,  # a "kill 0" in the node would else reach the caller's process group
        )
        self._children.append(process)
        return process

    def crm_mon(self) -> ElementTree.Element:
        """Ask this node's crm_mon for the state of the cluster."""
        return ElementTree.fromstring(self.run(["crm_mon", "--output-as=xml"], check=False).stdout)

    def is_active(self, resource: str, role: str = "") -> bool:
        """Tell whether the cluster sees the resource run here without failure (and in this role)."""
        healthy = f".//resource[@id='{resource}'][@active='true'][@failed='false']"
        here = f"node[@name='{self.name}']"
        found = [each for each in self.crm_mon().iterfind(healthy) if each.find(here) is not None]
        return any(role in ("", each.get("role")) for each in found)

    def bury(self) -> None:
        """Wait for the commands that died with the node, so that no zombie stays."""
        for process in self._children:
            process.wait(10)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        self._children.clear()

    def _entry(self, user: str | None) -> list[str]:
        namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid"]
        entry = []
        if self.group is not None:  # a cgroup namespace alone moves nobody
            namespaces.append("--cgroup")
            entry = ["sh", "-c", 'echo 0 >"$0"; exec "$@"', str(self.group / "cgroup.procs")]
        entry += ["nsenter", f"--target={self.init}", *namespaces, "--", "setpriv", "--pdeathsig=KILL"]
        if user is not None:
            group = pwd.getpwnam(user).pw_gid
            entry += [f"--reuid={user}", f"--regid={group}", "--init-groups"]
        return [*entry, "--"]
