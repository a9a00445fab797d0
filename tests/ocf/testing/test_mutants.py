"""The conformance run on real agents: on a good one, and for each rule on one that breaks just that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.good_agent import GOOD
from tests.fakes.mutants import KILL, MUTANTS, RUN_MUTANTS, Change
from tests.requirements import require, require_program, require_root
from tocsin_ocf.testing import call_rules
from tocsin_ocf.testing.plan import Options
from tocsin_ocf.testing.rules import RULES, report
from tocsin_ocf.testing.session import observe
from tocsin_ocf.testing.xmllint import DTD, RELAXNG

SLOW = {"meta-data-quick", "probe-quick"}
KILLED = {"kill-noticed", "stop-of-killed", "exit-status", "in-time"}
TIMEOUT = {"in-time": 3.0}
"""Seconds; all others have the time that a loaded machine takes."""
ALWAYS_SKIPPED = {"schema-ocf-1.0", "schema-ra-api-1.dtd", "schema-metadata.rng", "roles-unsupported"}
"""What says nothing of an agent that declares OCF 1.1, no DOCTYPE, and roles."""


@pytest.fixture(autouse=True)
def needed() -> None:
    """Namespaces, and the schemas of Debian's packages."""
    require_root()
    for name in ("unshare", "xmllint", "pgrep", "ipcmk"):
        require_program(name)
    for schema in (DTD, *RELAXNG.values()):
        require(Path(schema).exists(), schema)


def results(place: Path, changes: tuple[Change, ...], options: Options) -> dict[str, str]:
    """Return what the rules say of the agent with these changes."""
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = place / "good"
    file.write_text(text)
    file.chmod(0o755)
    return {line.rule.name: line.verdict.result for line in report(observe(str(file), options))}


def broken(found: dict[str, str]) -> list[str]:
    """Return the rules that are broken."""
    return [name for name, result in found.items() if result == "FAIL"]


def test_a_good_agent_keeps_every_rule(tmp_path: Path) -> None:
    """And every rule looks at it, but those that it declares itself out of."""
    found = results(tmp_path, (), Options(run=True, kill=KILL))
    assert broken(found) == []
    assert {name for name, result in found.items() if result == "SKIP"} == ALWAYS_SKIPPED


def test_there_is_a_mutant_for_each_rule() -> None:
    """A rule that nothing can break is none."""
    assert {*MUTANTS, *RUN_MUTANTS} == {rule.name for rule in RULES}
    assert not MUTANTS.keys() & RUN_MUTANTS.keys()


@pytest.mark.parametrize("rule", MUTANTS)
def test_a_rule_finds_its_mutant_and_no_other_does(rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without leave to start anything."""
    if rule in SLOW:
        monkeypatch.setattr(call_rules, "QUICK_WALL", 1.0)
    place = tmp_path / ("heartbeat" if rule == "schema-metadata.rng" else "tests")
    place.mkdir()
    assert broken(results(place, MUTANTS[rule], Options())) == [rule]


@pytest.mark.parametrize("rule", RUN_MUTANTS)
def test_a_rule_finds_its_mutant_when_it_runs(rule: str, tmp_path: Path) -> None:
    """Such an agent keeps all other rules, also while it runs."""
    options = Options(run=True, kill=KILL if rule in KILLED else "", timeout=TIMEOUT.get(rule, 20.0))
    assert broken(results(tmp_path, RUN_MUTANTS[rule], options)) == [rule]
