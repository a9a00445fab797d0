"""Real services in the reactor that pytest-twisted runs, and a watch on a clock."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet import reactor

from tests.fakes.cgroups import cgroups_here
from tests.fakes.checks import Watched
from tests.fakes.running import RESOURCE, end, means_in, service_in, subreaping
from tocsin_daemon.cgroup import Cgroups
from tocsin_daemon.children import Children
from tocsin_daemon.drivers import Means
from tocsin_daemon.drivers.pidfile import PidfileDriver
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_ocf import processes


@pytest.fixture
def children() -> Children:
    """Watch children in the reactor that pytest-twisted runs."""
    return Children(reactor)  # type: ignore[arg-type]


@pytest.fixture
def cgroups() -> Cgroups | None:
    """Have services without cgroups; a module that wants them in one has a fixture of its own."""
    return None


@pytest.fixture
def service(tmp_path: Path, children: Children, cgroups: Cgroups | None) -> Iterator[ProcessDriver]:
    """Run a service, and leave nothing of it whatever the test does."""
    one = service_in(tmp_path, children, cgroups)
    yield one
    end(one)


@pytest.fixture
def orphan() -> Iterator[processes.Process]:
    """Start a process whose parent is gone, and leave nothing of it."""
    fork = "import os, time\npid = os.fork()\nif pid: print(pid); os._exit(0)\nos.close(1); time.sleep(600)"
    said = subprocess.run([sys.executable, "-uc", fork], stdout=subprocess.PIPE, check=True).stdout
    process = processes.look(int(said))
    assert process is not None
    yield process
    processes.send_signal(process, signal.SIGKILL)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Return a watch; at the end nothing of it is left."""
    watched = Watched(monkeypatch)
    yield watched
    watched.watch.end()
    assert watched.clock.getDelayedCalls() == []
    assert watched.pulse.users == 0
    assert watched.means.turns.tokens == 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the pid file of a service is to be that forks."""
    return tmp_path / "web.pid"


@pytest.fixture(params=["cgroup", "none"])
def means(request: pytest.FixtureRequest, tmp_path: Path, children: Children) -> Iterator[Means]:
    """Return what a driver may use, with cgroups and without; we are the subreaper, as the daemon is."""
    with subreaping(children):
        yield means_in(tmp_path, children, cgroups_here() if request.param == "cgroup" else None)


@pytest.fixture
def forked(means: Means) -> Iterator[PidfileDriver]:
    """Run a service that forks, and leave nothing of it whatever the test does."""
    one = PidfileDriver(RESOURCE, means)
    yield one
    if one._look and one._look.active():
        one._look.cancel()
    end(one)
