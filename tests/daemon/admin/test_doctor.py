"""`tocsin doctor` on a node that a test has made: what is planted is found, with a cure, and nothing else."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.requirements import require_root
from tocsin_daemon import cli
from tocsin_daemon.admin import examination
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.store import Store
from tocsin_ocf import __version__

STATUS = """<pacemaker-result><summary><cluster_options maintenance-mode="false"/></summary>
<nodes><node name="n1" online="true" type="member"/></nodes>
<resources>
<resource id="web" managed="true" role="Started"><node name="n1"/></resource>
</resources></pacemaker-result>"""
CIB = """<configuration><resources><primitive id="web" class="ocf" provider="tocsin" type="service">
<instance_attributes id="w">{parameters}</instance_attributes>
<operations><op id="o" name="monitor" interval="60s" {on_fail}/></operations></primitive></resources></configuration>"""
TOOL = """#!/bin/sh
case "$1" in --version) echo "Pacemaker {version}";; *) cat {file};; esac
"""


class Node:
    """A node on which all is well, until the test changes that."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make it of files."""
        self.directory = directory
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.state_dir = directory / "run"
        self.bin = directory / "bin"
        self.bin.mkdir()
        for tool in examination.TOOLS:
            self.tool(tool, "")
        self.tool("crm_mon", STATUS)
        self.tool("crm_node", "n1")
        self.configure()
        monkeypatch.setattr(examination, "AGENT", str(self.bin / "crm_mon"))
        monkeypatch.setattr(examination, "_synchronised", lambda: True)
        monkeypatch.setattr(examination, "_ping", lambda place, port: f"tocsind {__version__}")
        self.records(Record("web", node="n1", phase=Phase.RUNNING))

    def tool(self, name: str, text: str, version: str = "2.1.6") -> None:
        """Have one of Pacemaker's tools print this."""
        (self.directory / f"{name}.out").write_text(text)
        (self.bin / name).write_text(TOOL.format(file=self.directory / f"{name}.out", version=version))
        (self.bin / name).chmod(0o755)

    def configure(self, on_fail: str = "", **parameters: object) -> None:
        """Have `web` configured like this."""
        pairs = {"port": self.port, **parameters}
        given = "".join(f'<nvpair id="{name}" name="{name}" value="{value}"/>' for name, value in pairs.items())
        self.tool("cibadmin", CIB.format(parameters=given, on_fail=on_fail))

    def records(self, *records: Record) -> None:
        """Have these on disk."""
        store = Store(str(self.state_dir), self.port)
        store.open()
        store.new_secrets()
        for record in records:
            store.save(record)
        os.close(store._lock)

    def __call__(self, *words: str) -> Result:
        """Run `tocsin doctor`."""
        argv = ["--state-dir", str(self.state_dir), "--pacemaker-bin", str(self.bin), "doctor", *words]
        return CliRunner().invoke(cli.main, argv)

    def problems(self) -> list[dict[str, Any]]:
        """Return what is wrong."""
        result = self("--json")
        found = [finding for finding in json.loads(result.output) if finding["grade"] == "problem"]
        assert result.exit_code == bool(found)
        return found


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Return one."""
    require_root()
    return Node(tmp_path, monkeypatch)


def test_where_all_is_well_nothing_is_wrong(node: Node) -> None:
    """0, a line for each thing that was looked at, and none with --quiet."""
    result = node()
    assert result.exit_code == 0, result.output
    for looked in ("software", "programs", "clock", f"port {node.port}", "pacemaker", "web"):
        assert f"ok       {looked} " in result.output
    assert "problems: 0" in result.output
    assert "ok  " not in node("--quiet").output


def plant_mismatch(node: Node) -> None:
    """Set on-fail of the monitor alone."""
    node.configure('on-fail="fence"')


def plant_rights(node: Node) -> None:
    """Open the token to a group."""
    (node.state_dir / str(node.port) / "secret").chmod(0o640)


def plant_elsewhere(node: Node) -> None:
    """Let Pacemaker have it on another node."""
    node.tool("crm_mon", STATUS.replace('<node name="n1"/>', '<node name="n2"/>'))


def plant_definition(node: Node) -> None:
    """Refer to a file that is not here."""
    node.configure(config="/nonexistent/web.yaml")


def plant_no_cluster(node: Node) -> None:
    """Stop Pacemaker."""
    (node.bin / "crm_mon").write_text("#!/bin/sh\nexit 102\n")


def plant_no_configuration(node: Node) -> None:
    """Let the cluster tell how it is, and nothing else."""
    (node.bin / "cibadmin").write_text("#!/bin/sh\nexit 102\n")


def plant_no_tool(node: Node) -> None:
    """Remove a tool."""
    (node.bin / "attrd_updater").unlink()


def plant_unknown(node: Node) -> None:
    """Lose the record."""
    (node.state_dir / str(node.port) / "resources/web.json").unlink()


def plant_future(node: Node) -> None:
    """Set the clock back by a century."""
    node.records(Record("web", node="n1", phase=Phase.RUNNING).noted(5e9, "later"))


@pytest.mark.parametrize(
    ("plant", "subject", "says", "cure"),
    [
        (plant_mismatch, "web", "on-fail of monitor is fence", "op asyncmon"),
        (plant_rights, "port", "open to others (0640)", "chmod go="),
        (plant_elsewhere, "web", "for Pacemaker on n2", "pcs resource refresh web"),
        (plant_definition, "definition", "/nonexistent/web.yaml", "tocsin check"),
        (plant_no_cluster, "cluster", "cannot be asked", "systemctl start pacemaker"),
        (plant_no_configuration, "cluster", "cannot be asked", "systemctl start pacemaker"),
        (plant_no_tool, "programs", "attrd_updater", "install"),
        (plant_unknown, "web", "no tocsind knows it", "pcs resource refresh web"),
        (plant_future, "clock", "set back", "set it right"),
    ],
)
def test_what_is_planted_is_found(node: Node, plant: Any, subject: str, says: str, cure: str) -> None:  # noqa: ANN401
    """And nothing else."""
    plant(node)
    (found,) = node.problems()
    assert found["subject"].startswith(subject) and says in found["text"] and cure in found["cure"]


def test_a_stranger_on_the_port_is_named(node: Node) -> None:
    """With its pid: whoever has it, the daemon cannot."""
    (node.state_dir / str(node.port) / "lock").write_text("1\n")
    with socket.create_server(("127.0.0.1", node.port)):
        (found,) = node.problems()
    assert f"[{os.getpid()}]" in found["text"] and "ss -ltnp" in found["cure"]


def test_a_port_that_is_none_is_passed_over(node: Node) -> None:
    """The agent says what is wrong with it."""
    node.configure(port="\u00b2")
    assert node.problems() == []


def test_another_version_of_the_daemon_is_found(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was not restarted after an upgrade."""
    monkeypatch.setattr(examination, "_ping", lambda place, port: "tocsind 0.0.1")
    (found,) = node.problems()
    assert "0.0.1 runs" in found["text"] and "restart" in found["cure"]


def test_the_version_that_counts_twice_is_a_note(node: Node) -> None:
    """No problem: most thresholds can take it."""
    node.tool("crm_node", "n1", version="2.1.5")
    result = node()
    assert result.exit_code == 0 and "note     pacemaker" in result.output and "twice" in result.output
