"""Machines under the real systemd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import install
from tests.systemd.driven import UNITS, Driven
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


@pytest.fixture(scope="module")
def systemd(overlay: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Return a machine for all tests that leave it as it was."""
    machine = Machine(overlay, tmp_path_factory.mktemp("machine"), UNITS)
    yield machine
    machine.down()


Drive = Callable[[Machine], Driven]


@pytest.fixture
def drive() -> Iterator[Drive]:
    """Return what has the driver work in a machine."""
    all_of_them: list[Driven] = []

    def begin(machine: Machine) -> Driven:
        all_of_them.append(Driven(machine))
        return all_of_them[-1]

    yield begin
    for driven in all_of_them:
        driven.abandon()


@pytest.fixture
def driven(systemd: Machine, drive: Drive) -> Iterator[Driven]:
    """Return the driver at work in it; it leaves nothing."""
    driven = drive(systemd)
    yield driven
    driven.clear()
    assert driven.silent(0)
    driven.close()
    assert "50-tocsin.conf" not in systemd.run("find", "/run/systemd/system").stdout
