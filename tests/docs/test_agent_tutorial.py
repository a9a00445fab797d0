"""The agent of docs/agent.md: folded, called as Pacemaker does, and beside one on resource-agents' ocf.py."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.agent.test_describe import DTD, RNG, xmllint
from tests.requirements import require, require_program, require_root
from tocsin_ocf import fold
from tocsin_ocf.testing.plan import Options
from tocsin_ocf.testing.rules import report
from tocsin_ocf.testing.session import observe

EXAMPLE = Path(__file__).resolve().parents[2] / "docs/examples/spool"
PEER = Path("/usr/lib/ocf/resource.d/heartbeat/dummypy")
RUNS = 15
LIGHT = {"posix", "sys", "time"}


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the one file, where every user can read it, as on a node."""
    path = tmp_path_factory.mktemp("folded") / "spool"
    for directory in path.parents[:3]:
        directory.chmod(0o755)
    fold.write(path, fold.fold(EXAMPLE, [fold.LIBRARY]))
    return path


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """Return a directory for jobs."""
    path = tmp_path / "jobs"
    path.mkdir()
    return path


def call(spool: Path, action: str, **variables: object) -> subprocess.CompletedProcess[str]:
    """Call it by its first line, in an environment made by hand."""
    own = {"OCF_RESOURCE_INSTANCE": "jobs", "OCF_RESKEY_CRM_meta_on_node": "n1", "LC_ALL": "C"}
    own |= {name if name.isupper() else f"OCF_RESKEY_{name}": str(value) for name, value in variables.items()}
    null = subprocess.DEVNULL
    return subprocess.run([spool, action], env=own, stdin=null, capture_output=True, text=True, check=False)


def loaded() -> ModuleType:
    """Import it as its own tests would."""
    loader = importlib.machinery.SourceFileLoader("spool", str(EXAMPLE))
    spec = importlib.util.spec_from_loader("spool", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = (list(sys.path), sys.dont_write_bytecode), True
    loader.exec_module(module)
    sys.path[:], sys.dont_write_bytecode = before
    return module


def test_the_declaration_is_sound() -> None:
    """As the tutorial tests it."""
    assert loaded().AGENT.mistakes() == []


def test_a_life(spool: Path, jobs: Path) -> None:
    """Probe, start, monitor, too many jobs, a loss, stop; each action twice where that must not matter."""
    given = {"directory": jobs, "limit": 2}
    recurring = {**given, "CRM_meta_interval": 10000}
    done = call(spool, "monitor", **given)
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")
    assert [call(spool, "start", **given).returncode for _ in range(2)] == [0, 0]
    assert (jobs / ".owner").read_text() == "n1"
    assert call(spool, "monitor", **recurring).returncode == 0
    for number in range(3):
        (jobs / str(number)).touch()
    done = call(spool, "monitor", **recurring)
    assert (done.returncode, done.stderr) == (190, "ocf-exit-reason:3 jobs wait\n")
    assert call(spool, "monitor", **{**recurring, "limit": "", "max_jobs": 3}).returncode == 0
    assert call(spool, "reload-agent", **given).returncode == 0
    (jobs / ".owner").unlink()
    done = call(spool, "monitor", **recurring)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (7, "ocf-exit-reason:nobody owns it: .owner is gone")
    assert [call(spool, "stop", **given).returncode for _ in range(2)] == [0, 0]
    assert sorted(path.name for path in jobs.iterdir()) == ["0", "1", "2"]


def test_faults_are_told_at_once_and_stop_nothing(spool: Path) -> None:
    """The reason is the last line."""
    done = call(spool, "start", directory="jobs", limit="many")
    assert (done.returncode, done.stdout) == (6, "")
    assert [line.split(":")[0] for line in done.stderr.splitlines() if not line[0].isupper()] == [
        *("parameter directory", "parameter limit", "ocf-exit-reason")
    ]
    assert done.stderr.splitlines()[-1] == (
        "ocf-exit-reason:parameter directory: 'jobs' is wrong; use an absolute path (and 1 more)"
    )
    assert call(spool, "stop", directory="/nonexistent", limit="many").returncode == 0


def test_what_only_this_machine_lacks_is_5(spool: Path, tmp_path: Path) -> None:
    """And is not looked for without OCF_CHECK_LEVEL."""
    given = {"directory": tmp_path / "none"}
    codes = [call(spool, "validate-all", **given, OCF_CHECK_LEVEL=level).returncode for level in (0, 10)]
    assert [*codes, call(spool, "start", **given).returncode] == [0, 5, 5]


def test_the_meta_data_are_valid_by_every_schema_that_knows_ocf_1_1(spool: Path) -> None:
    """With a deprecated parameter among them, for which the document brings its own DTD."""
    require(RNG.exists() and DTD.exists(), "the packages pcs and resource-agents")
    text = call(spool, "meta-data").stdout
    assert '<replaced-with name="limit"/>' in text
    assert xmllint(text, "--valid").stderr == ""
    done = xmllint(text, "--relaxng", str(RNG))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("run", [False, True], ids=["looked at", "run"])
def test_the_conformance_run_finds_nothing(spool: Path, run: bool) -> None:
    """In namespaces of its own, where /run is a directory that is empty."""
    require_root()
    for name in ("unshare", "xmllint"):
        require_program(name)
    lines = report(observe(str(spool), Options({"directory": "/run"}, run=run, see=(str(spool.parent),))))
    assert [str(line) for line in lines if line.verdict.result == "FAIL"] == []
    assert sum(line.verdict.result == "PASS" for line in lines) > (60 if run else 40)


def test_a_monitor_loads_the_kit_and_nothing_else(spool: Path, jobs: Path) -> None:
    """Whatever is added here is paid by every agent on it, at each monitor."""
    environ = {"OCF_RESKEY_directory": str(jobs), "OCF_RESKEY_CRM_meta_interval": "10000"}
    (jobs / ".owner").touch()
    names = []
    for command in (["-c", "pass"], [str(spool), "monitor"]):
        argv = ["/usr/bin/python3", "-X", "importtime", "-IS", *command]
        done = subprocess.run(argv, check=False, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        names.append(set(re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE)))
    kit = {f"tocsin_ocf.{name}" for name in ("agent", "call", "declared", "exit_codes")}
    assert names[1] - names[0] <= {"tocsin_ocf", *kit, *LIGHT}


def cpu(command: list[str], environ: dict[str, str]) -> float:
    """Return the CPU seconds of one run, which the kernel counts, whoever else runs."""
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in (0, 1, 2)]
    pid = os.posix_spawn(command[0], command, environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    os.close(null)
    assert status == 0
    return usage.ru_utime + usage.ru_stime


def test_a_monitor_costs_half_of_one_on_ocf_py_at_most(spool: Path, jobs: Path) -> None:
    """Both look for one file. The best of several runs in turn: what disturbs only adds."""
    require(PEER.exists(), f"{PEER} (package resource-agents)")
    (jobs / ".owner").touch()
    environ = {"OCF_ROOT": "/usr/lib/ocf", "OCF_RESOURCE_INSTANCE": "jobs", "OCF_RESKEY_directory": str(jobs)}
    environ["OCF_RESKEY_state"] = str(jobs / ".owner")
    environ["PYTHONDONTWRITEBYTECODE"] = "1"
    took = [[cpu([str(agent), "monitor"], environ) for agent in (spool, PEER)] for _ in range(RUNS)]
    ours, theirs = (min(column) for column in zip(*took))
    print(f"\nmonitor, best of {RUNS}: {ours * 1000:.1f} ms CPU, on ocf.py {theirs * 1000:.1f} ms")
    assert ours < theirs / 2
