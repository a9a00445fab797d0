"""The packages of the working tree, built once for all tests."""

from __future__ import annotations

from pathlib import Path

import deb
import pytest
import source

import rpm
from tests.requirements import require_program


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Debian package."""
    for program in ("dh", "dh_python3", "dpkg-buildpackage", "lintian"):
        require_program(program)
    scratch = tmp_path_factory.mktemp("deb")
    return deb.build(source.copy(scratch / "tocsin"), scratch / "dist")


@pytest.fixture(scope="session")
def red_hat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the RPM."""
    for program in ("rpmbuild", "rpmlint"):
        require_program(program)
    scratch = tmp_path_factory.mktemp("rpm")
    return rpm.build(source.copy(scratch / "tocsin"), scratch / "dist")
