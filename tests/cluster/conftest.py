"""
Fixtures on a real cluster.

A test module takes `lab` (or `node`, its first one), which runs the working tree. To change the cluster it overrides
`lab_nodes`, `lab_fencing`, `lab_remotes` or `lab_overlay` with a module-scoped fixture of the same name.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "packaging"))

from lab import Lab, Node

from tests.requirements import require

if TYPE_CHECKING:
    import pluggy
    from lab.requirements import Overlay
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling


def _require(missing: list[str]) -> None:
    if missing and os.environ.get("TOCSIN_REQUIRE_CLUSTER") == "1":
        pytest.fail(f"the cluster tests are required here, but: {'; '.join(missing)}")
    require(not missing, f"a cluster lab: {'; '.join(missing)}")


@pytest.fixture(scope="session")
def cluster_possible() -> None:
    """Skip by name where no lab can run, but fail where the cluster tests are required."""
    _require(Lab.missing())


@pytest.fixture(scope="module")
def lab_nodes() -> int:
    """Say how many nodes the module's lab has."""
    return 1


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the working tree into a root directory of its own, open to the users of the nodes."""
    import install

    root = tmp_path_factory.mktemp("root")
    for directory in (root, *root.parents[:2]):
        directory.chmod(0o755)
    install.install(root)
    return root


@pytest.fixture(scope="module")
def lab_overlay(installed: Path) -> Overlay | None:
    """Give the tree that appears over every node's /usr, /etc and /var, or what fills it; here the working tree."""
    return installed


@pytest.fixture(scope="module")
def lab_fencing() -> bool:
    """Say whether the cluster fences its nodes."""
    return False


@pytest.fixture(scope="module")
def lab_remotes() -> int:
    """Say how many Pacemaker Remote nodes there are beside."""
    return 0


@pytest.fixture(scope="module")
def lab(
    cluster_possible: None, lab_nodes: int, lab_overlay: Overlay | None, lab_fencing: bool, lab_remotes: int
) -> Iterator[Lab]:
    """Run one cluster for the tests of a module."""
    _require(Lab.missing_for_remotes() if lab_remotes else [])
    with Lab(lab_nodes, lab_overlay, timeout=120, fencing=lab_fencing, remotes=lab_remotes) as running:
        yield running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a private authority."""
    import peers

    return peers.certificates(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def node(lab: Lab) -> Node:
    """Pick the first node of the module's lab."""
    return lab.nodes[0]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pluggy.Result[pytest.TestReport], None]:
    """Keep the nodes' logs of a failed test and say in its report where they are."""
    report = (yield).get_result()
    running = getattr(item, "funcargs", {}).get("lab")
    if report.failed and isinstance(running, Lab) and running.nodes:
        place = running.save_logs(_logs_of(item))
        report.sections.append(("cluster logs", f"kept in {place}"))


def _logs_of(item: pytest.Item) -> Path:
    base = Path(os.environ.get("TOCSIN_CLUSTER_LOGS", "/tmp/tocsin-cluster-logs"))
    return base / re.sub(r"[^\w.-]+", "_", item.nodeid.split("/")[-1])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Where files are shared out among workers, give those of a package to one: they share a cluster."""
    from xdist.scheduler import LoadFileScheduling

    class LoadClusterScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = Path(super()._split_scope(nodeid))
            return str(file.parent if (config.rootpath / file.with_name("__init__.py")).exists() else file)

    return LoadClusterScheduling(config, log) if config.getoption("dist") == "loadfile" else None
