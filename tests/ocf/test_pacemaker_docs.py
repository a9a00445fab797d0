"""The tutorial's examples do what they say."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from tests.fakes.replies import RecordedRunner
from tocsin_ocf.pacemaker import Pacemaker, cluster

TUTORIAL = Path(__file__).parents[2] / "docs/pacemaker.md"


def test_the_tutorial_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer is one that was recorded from a real cluster."""
    runner = RecordedRunner()
    monkeypatch.setattr(cluster, "Runner", lambda: runner)
    example = doctest.DocTestParser().get_doctest(TUTORIAL.read_text(), {}, TUTORIAL.name, str(TUTORIAL), 0)
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert result.failed == 0, "".join(said)
    assert result.attempted > 30
    assert Pacemaker().status().dc == "n1"  # the same runner: nothing was executed for real
    assert len(runner.executed) > 15
