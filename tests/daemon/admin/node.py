"""A node for the commands of `tocsin`: what a daemon that has ended left there, and a cluster that answers as told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tocsin_daemon import cli
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Incident, Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.store import Store

CRM_MON = """#!/bin/sh
cat <<END
<pacemaker-result><summary><cluster_options maintenance-mode="false"/></summary>
<resources><resource id="web" managed="true" role="Started">{nodes}</resource></resources></pacemaker-result>
END
"""


class Node:
    """A state directory, and Pacemaker's tools as the test wants them."""

    def __init__(self, directory: Path) -> None:
        """Have neither state nor tools."""
        self.directory = directory
        self.state_dir = directory / "run"
        self.bin = directory / "bin"
        self.bin.mkdir()

    def leave(self, *records: Record, port: int = 9909) -> None:
        """Leave records as a daemon that has ended does."""
        store = Store(str(self.state_dir), port)
        store.open()
        for record in records:
            store.save(record)
        os.close(store._lock)

    def crm_mon(self, *nodes: str) -> None:
        """Have a cluster in which `web` runs on these nodes."""
        tool = self.bin / "crm_mon"
        tool.write_text(CRM_MON.format(nodes="".join(f'<node name="{node}"/>' for node in nodes)))
        tool.chmod(0o755)

    def __call__(self, *words: str) -> Result:
        """Run `tocsin`."""
        argv = ["--state-dir", str(self.state_dir), "--pacemaker-bin", str(self.bin), *words]
        return CliRunner().invoke(cli.main, argv)


def incident(number: int, **more: Any) -> Incident:  # noqa: ANN401
    """Return an incident of its own time, told from others."""
    marks = {"detected": 1000.0 * number}
    return Incident(f"i{number}", f"cause {number}", Stage.ACKNOWLEDGED, marks=marks, output=(f"bye {number}",), **more)


WEB = Record("web", node="n1", phase=Phase.STOPPED)


def history(count: int) -> Record:
    """Return a record with so many incidents, and a journal of them."""
    record = WEB
    for number in range(1, count + 1):
        record = record.with_incident(incident(number)).noted(1000.0 * number, f"seen {number}")
    return record
