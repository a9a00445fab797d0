"""What a test needs of the machine: where it is missing the test is skipped by name, and fails in CI."""

import os
import shutil

import pytest


def require(there: bool, what: str) -> None:
    """Skip the test that needs `what`, loudly; in CI everything is there, or CI proves nothing."""
    if there:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI lacks {what}")
    pytest.skip(f"needs {what}")


def require_root() -> None:
    """Go on only as root."""
    require(os.geteuid() == 0, "root")


def require_program(name: str) -> str:
    """Return the path of a program."""
    path = shutil.which(name) or ""
    require(bool(path), f"the program {name}")
    return path
