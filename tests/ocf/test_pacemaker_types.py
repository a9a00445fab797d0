"""Users of the installed packages get their types."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import install

TOP = Path(__file__).parents[2]
USER = TOP / "tests/typing/pacemaker_user.py"
ROOMS = ("tocsin_ocf", "tocsin_daemon")


def checker() -> str:
    """Return a Python that has mypy; the one of `./dev check`, or this."""
    for python in (str(TOP / ".venv/check/bin/python"), sys.executable):
        if Path(python).exists() and subprocess.run([python, "-c", "import mypy"], check=False).returncode == 0:
            return python
    pytest.skip("needs mypy: ./dev check installs it")


def test_both_packages_say_that_they_are_typed_wherever_they_are_installed(tmp_path: Path) -> None:
    """PEP 561: without the marker, whoever checks types sees nothing of ours."""
    install.install(tmp_path)
    assert [room for room in ROOMS if not (tmp_path / install.LIB / room / "py.typed").is_file()] == []
    assert (TOP / "ocf/tocsin_ocf/py.typed").is_file()
    assert (TOP / "daemon/tocsin_daemon/py.typed").is_file()


def test_a_users_program_is_checked_strictly_against_what_is_installed(tmp_path: Path) -> None:
    """In a site-packages, where mypy believes only packages that say so; each wrong use is found."""
    python = checker()
    subprocess.run([python, "-m", "venv", "--without-pip", "--system-site-packages", tmp_path / "venv"], check=True)
    site = tmp_path / "venv/lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    for room, package in zip(("ocf", "daemon"), ROOMS):
        (site / package).symlink_to(TOP / room / package)
    (site / "theirs.pth").write_text("".join(f"{path}\n" for path in sys.path if path.endswith("-packages")))
    argv = [python, "-m", "mypy", "--strict", "--python-version=3.9", "--config-file=", "--no-error-summary"]
    argv += ["--python-executable", str(tmp_path / "venv/bin/python"), f"--cache-dir={tmp_path}/cache", str(USER)]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
