"""One cluster of three nodes with fencing for all scenarios, with a judge and a bookkeeper from first to last."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from judge import sitting
from lab import Lab
from scene import Scene


@pytest.fixture(scope="package")
def lab(cluster_possible: None, installed: Path) -> Iterator[Lab]:
    """Run the working tree on three nodes, of which two are a majority, and the third is fenced."""
    with Lab(3, installed, timeout=120, fencing=True) as running:
        yield running


@pytest.fixture(scope="session")
def show(request: pytest.FixtureRequest) -> Callable[[Scene], None]:
    """Return what prints the figures of a scene, past the capture, and on stderr, which a worker's is seen of, too."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def past_the_capture(scene: Scene) -> None:
        with capture.global_and_fixture_disabled():
            print("", *scene.summary(), sep="\n", file=sys.stderr)

    return past_the_capture


@pytest.fixture(scope="package")
def stage(lab: Lab, show: Callable[[Scene], None]) -> Iterator[Scene]:
    """Have a judge and a bookkeeper; the books must agree at the end of all."""
    with sitting(lab) as judge:
        scene = Scene(lab, judge)
        yield scene
        scene.accounts()
        show(scene)


@pytest.fixture
def scene(stage: Scene, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Play one scenario on an empty stage; afterwards every death is told once, and nothing lives unheard."""
    stage.open(request.node.name.removeprefix("test_"))
    yield stage
    try:
        stage.accounts()
        assert stage.judge.unheard() == set()
    finally:
        stage.lab.mend()
        stage.clear_stage()
