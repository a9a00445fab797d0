"""docs/agent.md on a real Pacemaker: the folded agent, the tools of the field, a loss and its recovery."""

from __future__ import annotations

from pathlib import Path

import peers
import pytest
from lab import Lab, Node

EXAMPLE = Path(__file__).parents[2] / "docs/examples/spool"
AGENT = "usr/lib/ocf/resource.d/example/spool"
JOBS = f"{peers.HOME}/jobs"


@pytest.fixture(scope="module")
def lab_overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the one file, and nothing else of Tocsin."""
    from tocsin_ocf import fold

    root = tmp_path_factory.mktemp("root")
    for directory in (root, *root.parents[:2]):
        directory.chmod(0o755)
    fold.write(root / AGENT, fold.fold(EXAMPLE, [fold.LIBRARY]))
    return root


@pytest.fixture(autouse=True)
def jobs(node: Node) -> Path:
    """Have a directory for jobs."""
    place = node.path(JOBS)
    place.mkdir(exist_ok=True)
    return place


def test_ocf_tester_passes(node: Node) -> None:
    """Its validation of the meta-data included."""
    done = node.run(["ocf-tester", "-n", "tested", "-o", f"directory={JOBS}", f"/{AGENT}"], timeout=120, check=False)
    assert done.returncode == 0 and "passed all tests" in done.stdout, done.stdout + done.stderr


def test_pcs_and_crmsh_read_it(node: Node) -> None:
    """A parameter's former name, too: pcs shows it only where all is asked for."""
    assert "limit" in node.run(["pcs", "resource", "describe", "ocf:example:spool"], timeout=60).stdout
    assert "max_jobs" in node.run(["pcs", "resource", "describe", "ocf:example:spool", "--full"], timeout=60).stdout
    assert "limit" in node.run(["crm", "ra", "info", "ocf:example:spool"], timeout=60).stdout


def test_pacemaker_runs_degrades_reloads_and_recovers_it(lab: Lab, node: Node, jobs: Path) -> None:
    """Each with the reason that crm_mon shows."""
    words = [f"directory={JOBS}", "limit=2", "op", "monitor", "interval=1s"]
    node.run(["pcs", "resource", "create", "jobs", "ocf:example:spool", *words, "--wait=60"], timeout=90)
    try:
        assert (jobs / ".owner").read_text() == node.name
        for number in range(3):
            (jobs / str(number)).touch()
        shown = lab.wait(lambda: peers.failure(node, "jobs", "monitor"), what="the degraded spool")
        assert (shown["exitcode"], shown["exitreason"]) == ("190", "3 jobs wait")
        started = (jobs / ".owner").stat().st_mtime_ns
        node.run(["pcs", "resource", "update", "jobs", "limit=3"], timeout=60)
        node.run(["crm_resource", "--wait"], timeout=60)
        assert ((jobs / ".owner").stat().st_mtime_ns, node.is_active("jobs")) == (started, True)
        node.run(["crm_resource", "--cleanup", "--resource", "jobs"], timeout=60)
        (jobs / ".owner").unlink()
        lab.wait(lambda: (jobs / ".owner").exists(), timeout=60, what="the recovery")
        lab.wait(lambda: peers.failure(node, "jobs", "monitor"), what="the failure")
        assert peers.failure(node, "jobs", "monitor")["exitreason"] == "nobody owns it: .owner is gone"
    finally:
        node.run(["pcs", "resource", "delete", "--force", "jobs"], timeout=60)
    lab.wait(lambda: not (jobs / ".owner").exists(), what="the stop")
