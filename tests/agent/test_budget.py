"""What a monitor and a meta-data may cost, on the folded agent: modules first, for they hold on slow machines too."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, says
from tests.fakes.executor import PYTHON, SYSTEM_PYTHON, Agent
from tests.requirements import require

RUNS = 60
ROUNDS = 3
OWN = {
    *("tocsin_ocf", "tocsin_ocf.actions", "tocsin_ocf.actions.monitor", "tocsin_ocf.client", "tocsin_ocf.exit_codes"),
    *("tocsin_ocf.invocation", "tocsin_ocf.rundir", "tocsin_ocf.wire"),
}
LIGHT = {"_operator", "_socket", "posix", "sys", "time"}
DESCRIBING = {*OWN, "tocsin_ocf.metadata", "tocsin_ocf.parameters"}


@pytest.fixture
def answered(folded: Path, tmp_path: Path) -> Iterator[Agent]:
    """Return the folded agent with a daemon that answers it."""
    made = FakeDaemon(tmp_path, says(0))
    agent = Agent(folded, tmp_path)
    agent.with_daemon(made)
    yield agent
    made.close()


def loaded(command: "list[str]", environ: "dict[str, str]") -> "set[str]":
    """Return what is imported."""
    done = subprocess.run(
        [PYTHON, "-X", "importtime", "-IS", *command], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE))


def environ_of(agent: Agent) -> "dict[str, str]":
    """Return the environment of a monitor."""
    own = {f"OCF_RESKEY_{name}": value for name, value in agent.parameters.items()}
    return {**agent.variables, **own, "OCF_RESKEY_CRM_meta_interval": "60000"}


@pytest.mark.parametrize(("action", "own"), [("monitor", OWN), ("meta-data", DESCRIBING)])
def test_only_these_modules_are_loaded(answered: Agent, action: str, own: "set[str]") -> None:
    """Beyond what the bare interpreter loads; each further one needs a reason."""
    bare = loaded(["-c", "pass"], {})
    assert loaded([str(answered.path), action], environ_of(answered)) - bare <= {*own, *LIGHT}


def test_cpu_time_stays_in_the_budget(answered: Agent, record_property: Callable[[str, float], None]) -> None:
    """At most 1.5 times the bare interpreter for a monitor, 2.5 times for a meta-data."""
    require(Path(SYSTEM_PYTHON).exists(), SYSTEM_PYTHON)
    environ = environ_of(answered)
    ratios = []
    for _ in range(ROUNDS):
        best = least([["-c", "pass"], [str(answered.path), "monitor"], [str(answered.path), "meta-data"]], environ)
        ratios.append((best[1] / best[0], best[2] / best[0]))
    monitor, meta_data = (min(column) for column in zip(*ratios))
    record_property("monitor", monitor), record_property("meta_data", meta_data)
    print(f"\nof {SYSTEM_PYTHON} -IS -c pass: monitor {monitor:.2f}, meta-data {meta_data:.2f}")
    assert monitor <= 1.5 and meta_data <= 2.5


def least(commands: "list[list[str]]", environ: "dict[str, str]") -> "list[float]":
    """Return the least CPU time of each command, run in turns so that a busy moment hits all."""
    spent = [[cpu_time(command, environ) for command in commands] for _ in range(RUNS)]
    return [min(column) for column in zip(*spent)]


def cpu_time(command: "list[str]", environ: "dict[str, str]") -> float:
    """Return user and system time of one run."""
    discard = (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)
    pid = os.posix_spawn(SYSTEM_PYTHON, [SYSTEM_PYTHON, "-IS", *command], environ, file_actions=[discard])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime
