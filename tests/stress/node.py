"""
A node for the stress test: a real tocsind, and Pacemaker's tools as scripts that say that all is started here.

`crm_resource --fail` is a line in a file, with the time; whoever plays Pacemaker reads it, and recovers.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tocsin_ocf import wire
from tocsin_ocf.rundir import Rundir

TOP = Path(__file__).resolve().parents[2]
NODE = "n1"
START_SECONDS = 20.0

CRM_MON = """#!/bin/sh
cat {home}/head
while read -r name call; do
  echo "<failure op_key='${{name}}_asyncmon_0' node='n1' call='$call'/>"
done < {home}/failures
echo "</failures><status code='0'/></pacemaker-result>"
"""
CRM_RESOURCE = """#!/bin/sh
read -r up rest < /proc/uptime
echo "$3 $$" >> {home}/failures
echo "$3 $up" >> {home}/injections
"""


def uptime() -> float:
    """Return the seconds since boot, as the scripts read them: hundredths."""
    return float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])


class Node:
    """One daemon and its resources."""

    def __init__(self, home: Path, port: int, names: list[str]) -> None:
        """Write the tools into `home`, and start the daemon."""
        self.home = home
        self.rundir = Rundir(str(home / "state"), port)
        (home / "state").mkdir(mode=0o755)
        (home / "bin").mkdir()
        for name, text in (("crm_mon", CRM_MON), ("crm_resource", CRM_RESOURCE), ("attrd_updater", "#!/bin/sh\n")):
            (home / "bin" / name).write_text(text.format(home=home), encoding="ascii")
            (home / "bin" / name).chmod(0o755)
        (home / "bin/cibadmin").symlink_to("attrd_updater")
        for name in ("failures", "injections"):
            (home / name).touch()
        (home / "head").write_text(_head(names), encoding="ascii")
        command = [sys.executable, "-m", "tocsin_daemon", "--port", str(port), "--state-dir", str(home / "state")]
        options = ["--log-file", str(home / "log"), "--pacemaker-bin", str(home / "bin")]
        rooms = f"{TOP}/ocf:{TOP}/daemon"
        self._environment = {"PATH": os.environ["PATH"], "PYTHONPATH": rooms, "PYTHONDONTWRITEBYTECODE": "1"}
        self._command = [*command, *options]
        self._read = 0
        self.daemon = self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, env=self._environment, cwd="/")

    def replace_daemon(self) -> None:
        """Kill the daemon, and start another, which takes the services over; `ready` waits for that one."""
        self.daemon.kill()
        self.daemon.wait()
        os.unlink(self.rundir.secret)
        self.daemon = self._launch()

    async def ready(self, every: float = 0.05) -> None:
        """Wait until it answers; look so often."""
        deadline = time.monotonic() + START_SECONDS
        while not (self.rundir.secrets() and self.rundir.held()):
            if time.monotonic() > deadline or self.daemon.poll() is not None:
                raise RuntimeError(f"tocsind does not start: {self.log()[-2000:]}")
            await asyncio.sleep(every)
        while True:
            with suppress(ConnectionRefusedError):  # it has its lock and its secrets before it listens
                await self.ask("PING", wire.EVERY_RESOURCE)
                return
            await asyncio.sleep(every)

    async def ask(self, verb: str, resource: str, timeout: float = 60.0, **body: Any) -> tuple[int, str]:  # noqa: ANN401
        """Return the daemon's answer; as the agent, ask again where a connection is closed without one."""
        secrets = self.rundir.secrets()
        assert secrets, "it is ready"
        line = wire.request_line(secrets[0], verb, resource, json.dumps({"timeout": timeout * 1000, **body}))
        reply = b""
        while not reply:
            reply = await self._exchange(line)
        return wire.parse_reply(reply.rstrip(b"\n"), secrets[1])

    async def _exchange(self, line: bytes) -> bytes:
        """Send one line, and return the one that comes back; a starved sender is cut off by the daemon."""
        port = int(self.rundir.path.rpartition("/")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=wire.MAX_REPLY)
        try:
            writer.write(line)
            return await reader.readline()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    def injections(self) -> list[tuple[str, float]]:
        """Return what was injected since the last time: resource and seconds since boot."""
        with open(self.home / "injections", encoding="ascii") as file:
            file.seek(self._read)
            lines = file.read()
            self._read = file.tell()
        return [(name, float(at)) for name, at in (line.split() for line in lines.splitlines())]

    def log(self) -> str:
        """Return the daemon's log."""
        path = self.home / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def end(self) -> None:
        """End the daemon, and what is left of its services: all name this directory in their arguments."""
        self.daemon.terminate()
        self.daemon.wait()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdecimal() and bytes(self.home) in (entry / "cmdline").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)


def _head(names: list[str]) -> str:
    """Return what crm_mon shows before the failures: every resource started on this node."""
    resources = "".join(f"<resource id='{name}' managed='true'><node name='{NODE}'/></resource>" for name in names)
    histories = "".join(
        f"<resource_history id='{name}'><operation_history call='5' task='start' rc='0'/></resource_history>"
        for name in names
    )
    return (
        "<pacemaker-result><summary><cluster_options maintenance-mode='false'/></summary>"
        f"<nodes><node name='{NODE}' online='true' type='member'/></nodes><resources>{resources}</resources>"
        f"<node_history><node name='{NODE}'>{histories}</node></node_history><failures>\n"
    )
