"""Our agent under the conformance run, in both of its forms; with a daemon of the working tree when it runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import require_program, require_root
from tocsin_ocf.testing.plan import Options
from tocsin_ocf.testing.rules import report
from tocsin_ocf.testing.session import observe

TOP = Path(__file__).resolve().parents[2]
TOCSIND = """#!{python} -IB
import sys
sys.path[:0] = ["{checkout}/ocf", "{checkout}/daemon"]
from tocsin_daemon.__main__ import main
sys.exit(main())
"""
SHARED = ("/run/tocsin/9909/lock", "/run/tocsin/9909/tocsind.out")
"""Of the daemon of the port, not of a resource: the next one takes them over."""
SETTLE = 30.0
"""Seconds that the daemon may take to end after its last resource; here it lingers for one."""
OUT_OF_SCOPE = {"schema-ocf-1.0", "schema-metadata.rng", "roles-unsupported"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout that nobody else runs: Python would write compiled modules there at any moment."""
    for room in ("agent", "ocf", "daemon"):
        shutil.copytree(TOP / room, tmp_path / room)
    subprocess.run(["/usr/bin/python3", "-m", "compileall", "-q", tmp_path / "ocf"], check=True)
    for directory in (tmp_path, *tmp_path.parents[:3]):
        directory.chmod(0o755)
    return tmp_path


@pytest.fixture(params=["checkout", "folded"])
def path(request: pytest.FixtureRequest, folded: Path, checkout: Path) -> str:
    """Return the agent in each of its forms."""
    require_root()
    for name in ("unshare", "xmllint"):
        require_program(name)
    return str(checkout / "agent/service" if request.param == "checkout" else folded)


def verdicts(path: str, options: Options) -> dict[str, list[str]]:
    """Return the rules by what they say, with what was seen."""
    found: dict[str, list[str]] = {"PASS": [], "FAIL": [], "SKIP": []}
    for line in report(observe(path, options)):
        found[line.verdict.result].append(line.rule.name if line.verdict.result != "FAIL" else str(line))
    return found


def test_it_is_clean_without_parameters(path: str, checkout: Path) -> None:
    """As pcs, crmsh and a probe of a new node meet it."""
    assert verdicts(path, Options(see=(str(checkout),)))["FAIL"] == []


def test_it_is_clean_when_it_runs(path: str, checkout: Path) -> None:
    """Start, stop, roles, notify, reload, a killed service and a killed start; every rule that applies looks at it."""
    daemon = checkout / "tocsind"
    daemon.write_text(TOCSIND.format(python=sys.executable, checkout=checkout))
    daemon.chmod(0o755)
    roles = dict.fromkeys(("promote_command", "demote_command", "notify_command"), "/bin/true")
    given = {"command": "/bin/sleep 98769", "daemon": str(daemon), "daemon_args": "--linger 1", **roles}
    options = Options(given, run=True, kill="pkill -9 -f '^/bin/sleep 98769'", settle=SETTLE, keep=SHARED)
    seen = (str(checkout), sys.prefix)
    found = verdicts(path, Options(**{**vars(options), "see": seen}))
    assert found["FAIL"] == []
    assert set(found["SKIP"]) - {"leftover-cgroups"} == OUT_OF_SCOPE
