"""What no lab can be made of, and what becomes of the tests where none can run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from lab import Lab, LabError


@pytest.mark.parametrize(("nodes", "remotes"), [(0, 0), (-1, 0), (101, 0), (1, -1)])
def test_a_lab_of_no_nodes_or_of_too_many_is_refused(nodes: int, remotes: int) -> None:
    """By a sentence; n101 would be r1."""
    lab = Lab(nodes, remotes=remotes)
    with pytest.raises(LabError, match="1 to 100 nodes"):
        lab.up()
    assert lab.state is None


def test_an_overlay_that_would_close_usr_to_others_is_refused(tmp_path: Path) -> None:
    """The mode of a merged directory is the overlay's."""
    (tmp_path / "usr").mkdir(mode=0o700)
    with pytest.raises(ValueError, match="not open to all"):
        Lab(overlay=tmp_path)


@pytest.mark.parametrize(("environment", "status"), [({}, 0), ({"CI": "true"}, 1)], ids=["skip", "fail"])
def test_without_a_lab_tests_skip_by_name_but_fail_in_ci(environment: dict[str, str], status: int) -> None:
    """Never silently green: here for want of root."""
    code = "import os, sys, pytest; os.geteuid = lambda: 1000; sys.exit(pytest.main(sys.argv[1:]))"
    test = f"{Path(__file__).with_name('test_lab.py')}::test_the_node_is_online_and_the_cluster_has_a_controller"
    argv = [sys.executable, "-c", code, "-rsE", "-p", "no:cacheprovider", "--import-mode=importlib", test]
    found = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
    assert found.returncode == status, found.stdout
    assert ("1 error" if status else "1 skipped") in found.stdout
    assert "not root" in found.stdout
