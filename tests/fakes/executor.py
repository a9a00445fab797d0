"""
A stand-in for Pacemaker's executor: calls the agent as a process with an environment, and reads what it says.

With it what the agent meets on a node: a service that runs, as the daemon would have started it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.fakes.daemon import INCARNATION, FakeDaemon, FrozenDaemon, record, write
from tocsin_ocf.processes import MARK, boot_id, look

TOCSIND = Path(__file__).with_name("tocsind.py")
PYTHON = os.environ.get("AGENT_PYTHON", sys.executable)
"""The agent runs on the system's Python whatever the tests run on; let it run on any."""
SYSTEM_PYTHON = "/usr/bin/python3"
"""What every user can execute, and the agent's own first line names."""
RESOURCE = "web"
SECONDS = 30


class Result:
    """What a call of the agent came to."""

    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        """Take it apart."""
        self.code = done.returncode
        self.out = done.stdout.decode()
        self.err = done.stderr.decode()
        self.reason = self.err.rpartition("ocf-exit-reason:")[2].rstrip("\n") if "ocf-exit-reason:" in self.err else ""

    def __repr__(self) -> str:
        """Return it for a failing assertion."""
        return f"{self.code} {self.out!r} {self.err!r}"

    @property
    def silent(self) -> bool:
        """Tell whether it printed nothing at all."""
        return not self.out and not self.err


class Agent:
    """One form of the agent, and the parameters of the resource that it is called for."""

    def __init__(self, path: Path, state_dir: Path) -> None:
        """Take defaults that touch nothing of this machine."""
        self.path = path
        self.state_dir = state_dir
        self.parameters = {"state_dir": str(state_dir), "port": str(free_port()), "daemon": "/nonexistent/tocsind"}
        self.variables = {
            "OCF_RESOURCE_INSTANCE": RESOURCE,
            "OCF_RESKEY_CRM_meta_timeout": "20000",
            "OCF_RESKEY_CRM_meta_on_node": "node1",
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C",
        }

    def __call__(
        self,
        *action: str,
        parameters: Mapping[str, str] = MappingProxyType({}),
        variables: Mapping[str, str | None] = MappingProxyType({}),
        user: int | None = None,
    ) -> Result:
        """Call it; a variable that is None is not set."""
        own = {f"OCF_RESKEY_{name}": value for name, value in {**self.parameters, **parameters}.items()}
        environ = {name: value for name, value in {**self.variables, **own, **variables}.items() if value is not None}
        command = [PYTHON if user is None else SYSTEM_PYTHON, "-IS", str(self.path), *action]
        return Result(
            subprocess.run(command, env=environ, capture_output=True, timeout=SECONDS, check=False, user=user)
        )

    def with_daemon(self, daemon: FakeDaemon | FrozenDaemon) -> None:
        """Ask this daemon from now on."""
        self.parameters["port"] = str(daemon.port)

    def with_program(self, play: str, **options: object) -> None:
        """Have this started where no daemon listens."""
        words = [f"--{name} '{value}'" for name, value in {"play": play, **options}.items()]
        program = self.state_dir.parent / "tocsind"
        program.write_text(f"#!{sys.executable} -IS\n{TOCSIND.read_text()}")
        program.chmod(0o755)
        self.parameters["daemon"] = str(program)
        self.parameters["daemon_args"] = " ".join(words)

    @property
    def rundir(self) -> Path:
        """Return the run directory of the port that it asks."""
        return self.state_dir / self.parameters["port"]

    def keep(self, text: str) -> Path:
        """Leave a record of the resource, as a daemon does that is gone."""
        path = self.rundir / "resources" / f"{RESOURCE}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.parent.chmod(0o700)
        write(str(path), text)
        return path

    def probe(self, **more: Any) -> Result:  # noqa: ANN401 whatever a call takes
        """Ask whether the resource runs here, as Pacemaker does first of all."""
        return self("monitor", **more)

    def recurring(self) -> Result:
        """Monitor as Pacemaker does once the resource was started."""
        return self("monitor", variables={"OCF_RESKEY_CRM_meta_interval": "60000"})


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Service:
    """A process as the daemon would have started it: a session of its own, and the mark in its environment."""

    def __init__(self, command: list[str]) -> None:
        """Start it."""
        environ = {"PATH": "/usr/bin:/bin", MARK: INCARNATION}
        self.process = subprocess.Popen(command, env=environ, start_new_session=True, stdout=subprocess.PIPE)
        found = look(self.process.pid)
        assert found
        self.start = found.start

    def record(self, phase: str = "running") -> str:
        """Return what the daemon would have kept of it."""
        return record(phase, pid=self.process.pid, start=self.start, boot=boot_id())

    def end(self) -> None:
        """Leave nothing behind."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()
