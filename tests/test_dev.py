"""The developer's commands: what they count, and that they see what is left behind."""

import subprocess
import sys
from pathlib import Path

import leftovers
import pytest
import steps
import suite
from steps import Result

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="no"/></testcase>
<testcase classname="a" name="broken"><error message="no"/></testcase>
<testcase classname="a" name="awaited"><skipped type="pytest.xfail" message="known"/></testcase>
<testcase classname="a" name="absent"><skipped type="pytest.skip" message="no Pacemaker"/></testcase>
</testsuite></testsuites>"""
ORPHAN = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid)"


def test_every_test_counts_once_and_a_skip_has_a_name(tmp_path: Path) -> None:
    """An error in a fixture is a failure; a failure that is expected is neither passed nor skipped."""
    (tmp_path / "report.xml").write_text(REPORT)
    assert steps.counted(tmp_path / "report.xml") == (1, 2, ("a::absent: no Pacemaker",))


@pytest.mark.parametrize(("in_ci", "good"), [(False, True), (True, False)])
def test_a_skip_is_loud_and_in_ci_a_failure(capsys: pytest.CaptureFixture[str], *, in_ci: bool, good: bool) -> None:
    """Never silently green; the last line is the sum."""
    results = [Result("unit", ok=True, passed=3), Result("cluster", ok=True, skipped=("a::b: no Pacemaker",))]
    assert suite.summary(results, in_ci=in_ci) is good
    lines = capsys.readouterr().out.splitlines()
    assert "SKIPPED cluster: a::b: no Pacemaker" in lines
    assert lines[-1] == "3 passed, 0 failed, 1 skipped"


def test_a_failed_step_without_tests_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """What is left behind is a failure although every test passed."""
    assert not suite.summary([Result("leftovers", ok=False, note="process 1: sleep")], in_ci=False)
    assert "process 1: sleep" in capsys.readouterr().out


def test_an_orphan_is_seen_and_named() -> None:
    """Whatever a step started is below this process, also when its parent has gone."""
    code = f"import os, steps, sys, leftovers; steps.adopt_orphans(); steps.run([sys.executable, '-c', {ORPHAN!r}]);"
    code += "[found] = leftovers.descendants(os.getpid()); print(found); os.kill(int(found.split()[1][:-1]), 9)"
    environment = {"PYTHONPATH": str(Path(steps.__file__).parent)}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    pid, named = shown.stdout.splitlines()
    assert named == f"process {pid}: sleep 60"


def test_what_was_there_before_is_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is new is named, and only if it stays."""
    states = iter([{"mount /a (tmpfs)", "mount /b (tmpfs)"}, {"mount /a (tmpfs)"}])
    monkeypatch.setattr(leftovers, "look", lambda: next(states))
    monkeypatch.setattr(leftovers, "descendants", lambda of: [])
    assert leftovers.left({"mount /a (tmpfs)"}) == []


@pytest.mark.parametrize(
    ("words", "unit", "machines"),
    [
        (["-k", "daemon"], ["tests", "-k", "daemon"], ["tests/cluster", "-k", "daemon"]),
        (["-x", "tests/core"], ["tests/core", "-x"], []),
        (["./tests/cluster/test_lab.py::test_a"], [], ["tests/cluster/test_lab.py::test_a"]),
    ],
)
def test_what_is_to_be_tested_is_told_from_other_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], unit: list[str], machines: list[str]
) -> None:
    """Words to look for may be names of directories, as those of our rooms are."""
    asked: dict[str, list[str]] = {}

    def pytest_asked(name: str, _python: str, arguments: list[str], **_: object) -> Result:
        asked.setdefault(name.split(",")[0], arguments)
        return Result(name, ok=True)

    monkeypatch.setattr(suite, "environment", lambda name: (name, "1"))
    monkeypatch.setattr(steps, "pytest", pytest_asked)
    assert all(result.ok for result in suite.plan(words, tmp_path))
    assert [word for word in asked.get("unit", []) if word in unit] == unit
    assert [word for word in asked.get("machines", []) if word in machines] == machines
