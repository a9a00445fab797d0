"""The agent in both of its forms, and what it meets on a node."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.daemon import Answer, FakeDaemon, FrozenDaemon, MakeDaemon
from tests.fakes.executor import Agent, Service
from tocsin_ocf import fold

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folded agent, made of the sources as they are now."""
    path = tmp_path_factory.mktemp("folded") / "service"
    fold.write(path, fold.fold(TOP / "agent/service", [TOP / "ocf"]))
    return path


@pytest.fixture(params=["checkout", "folded"])
def agent(request: pytest.FixtureRequest, tmp_path: Path, folded: Path) -> Agent:
    """Return the agent in each of its forms."""
    state_dir = tmp_path / "state"
    state_dir.mkdir(mode=0o755)
    return Agent(TOP / "agent/service" if request.param == "checkout" else folded, state_dir)


@pytest.fixture
def public(folded: Path) -> Iterator[Agent]:
    """Return the agent where every user can read it, as on a node; pytest's own directories are closed."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "state").mkdir(mode=0o755)
        shutil.copy(folded, place)
        yield Agent(place / "service", place / "state")


@pytest.fixture
def daemon(agent: Agent) -> Iterator[MakeDaemon]:
    """Return what makes a daemon that answers, and lets the agent ask it."""
    made: list[FakeDaemon] = []

    def make(answer: Answer, *, pid: int | None = None) -> FakeDaemon:
        made.append(FakeDaemon(agent.state_dir, answer, pid=pid))
        agent.with_daemon(made[-1])
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def frozen(agent: Agent) -> Iterator[FrozenDaemon]:
    """Return a daemon that holds lock and port and never answers, for the agent to ask."""
    one = FrozenDaemon(agent.state_dir)
    agent.with_daemon(one)
    yield one
    one.close()


@pytest.fixture
def service() -> Iterator[Service]:
    """Return a running service."""
    running = Service(["sleep", "1000"])
    yield running
    running.end()
