"""
What a monitor and a meta-data may load, on the folded agent.

The modules decide what they cost, and hold on slow machines too; the CPU time itself is measured by `./dev bench`.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, says
from tests.fakes.executor import PYTHON, Agent

OWN = {
    *("tocsin_ocf", "tocsin_ocf.actions", "tocsin_ocf.actions.monitor", "tocsin_ocf.client", "tocsin_ocf.exit_codes"),
    *("tocsin_ocf.call", "tocsin_ocf.invocation", "tocsin_ocf.rundir", "tocsin_ocf.wire"),
}
LIGHT = {"_operator", "_socket", "fcntl", "posix", "sys", "time"}
DESCRIBING = {
    *OWN,
    "tocsin_ocf.actions.by_name",
    "tocsin_ocf.advertised",
    "tocsin_ocf.declared",
    "tocsin_ocf.metadata",
    "tocsin_ocf.parameters",
}


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
