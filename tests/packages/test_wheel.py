"""The wheel, for whoever has no package of a distribution: by pip into an environment, and by pipx."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import source
import venvs

from tests.requirements import require, require_program, require_root

PYTHON = venvs.PYTHON
LATEST = ("--quiet", "--disable-pip-version-check")
AGENT = "lib/ocf/resource.d/tocsin/service"
PAGES = ("man1/tocsin.1", "man5/tocsin.yaml.5", "man7/ocf_tocsin_service.7", "man8/tocsind.8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of the working tree."""
    scratch = tmp_path_factory.mktemp("wheel")
    tree = source.copy(scratch / "tree").tree
    run(PYTHON, "-m", "venv", scratch / "builder")
    run(scratch / "builder/bin/pip", "wheel", *LATEST, "--no-deps", "--wheel-dir", scratch, tree)
    (built,) = scratch.glob("tocsin-*.whl")
    return built


def run(*words: str | Path, **environment: str) -> str:
    """Run a command and return what it prints."""
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, **environment}
    )
    require("Temporary failure in name resolution" not in done.stderr, "the Python index")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=["pip", "pipx"])
def prefix(request: pytest.FixtureRequest, wheel: Path, tmp_path: Path) -> Iterator[Path]:
    """Install the wheel, with what it depends on, and return the environment that it is in."""
    if request.param == "pip":
        run(PYTHON, "-m", "venv", tmp_path / "venv")
        run(tmp_path / "venv/bin/pip", "install", *LATEST, wheel)
        yield tmp_path / "venv"
        return
    home = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    run(require_program("pipx"), "install", "--python", PYTHON, wheel, **home)
    assert sorted(path.name for path in (tmp_path / "bin").iterdir()) == ["tocsin", "tocsind"]
    assert "tocsin" in run(tmp_path / "bin/tocsin", "--version")
    yield tmp_path / "pipx/venvs/tocsin"
    run("pipx", "uninstall", "tocsin", **home)
    assert not list((tmp_path / "bin").iterdir())


def test_an_environment_has_commands_agent_and_manuals_and_runs_a_service(prefix: Path, tmp_path: Path) -> None:
    """The agent is told where the daemon is, and where state may be kept."""
    require_root()
    assert run(prefix / "bin/tocsind", "--version") == run(prefix / "bin/tocsin", "--version").replace("n,", "nd,")
    assert all((prefix / "share/man" / page).exists() for page in PAGES)
    definition = tmp_path / "web.yaml"
    definition.write_text("command: /bin/sleep 1000\n")
    assert "OK" in run(prefix / "bin/tocsin", "check", definition)
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    parameters = {"config": str(definition), "port": port, "state_dir": str(tmp_path / "state")}
    parameters.update(daemon=str(prefix / "bin/tocsind"), daemon_args=f"--linger 1 --log-file {tmp_path}/log")
    asked = {f"OCF_RESKEY_{name}": value for name, value in parameters.items()}
    try:
        for action in ("start", "monitor"):
            run(prefix / AGENT, action, OCF_RESOURCE_INSTANCE="web", **asked)
        assert "running" in run(prefix / "bin/tocsin", "--state-dir", tmp_path / "state", "status")
    finally:
        run(prefix / AGENT, "stop", OCF_RESOURCE_INSTANCE="web", **asked)
