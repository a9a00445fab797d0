"""Machines under the real systemd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import install
from tests.systemd.machine import Machine, require_systemd

Boot = Callable[..., Machine]


@pytest.fixture(scope="session")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the working tree into a root directory of its own; a service of another user has to get through."""
    require_systemd()
    root = tmp_path_factory.mktemp("root")
    for directory in (root, *root.parents[:2]):
        directory.chmod(0o755)
    install.install(root)
    return root


@pytest.fixture
def boot(overlay: Path, tmp_path: Path) -> Iterator[Boot]:
    """Return what boots a machine that knows the given units, NAME="text" as a dict, besides ours."""
    booted: list[Machine] = []

    def bring_up(units: dict[str, str] | None = None) -> Machine:
        booted.append(Machine(overlay, tmp_path / f"machine{len(booted)}", units or {}))
        return booted[-1]

    yield bring_up
    for machine in booted:
        machine.down()


@pytest.fixture
def machine(boot: Boot) -> Machine:
    """Return a machine that knows our units only."""
    return boot()
