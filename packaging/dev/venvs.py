"""The virtual environments under .venv/: made from what pyproject.toml asks for, kept until it asks for another."""

import fcntl
import hashlib
import importlib
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
VENVS = TOP / ".venv"
PYTHON = "/usr/bin/python3"
DEBIAN = "/usr/lib/python3/dist-packages/"

WANTS = {"system": ("test",), "newest": ("", "test"), "check": ("", "test", "check")}
"""Environment to extras; "" is what the product itself depends on, which `system` has from Debian."""


class Unavailable(Exception):
    """An environment cannot be made; the text says which step failed, and its own words are on the screen."""


def ensure(name: str) -> str:
    """Return the Python of environment `name`, made or renewed first where needed; only that asks the index."""
    try:
        VENVS.mkdir(exist_ok=True)
        with (VENVS / f"{name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once must not build the same one
            _renew(name, requirements(name))
    except (subprocess.CalledProcessError, OSError) as fault:
        raise Unavailable(f"no .venv/{name}: {fault}") from None
    give_back()
    return f"{VENVS}/{name}/bin/python"


def requirements(name: str) -> "list[str]":
    """Return what pip is asked for, as pyproject.toml says it."""
    toml = importlib.import_module("tomllib")  # of Python 3.11: Debian 12 has it, and mypy checks for 3.9
    project = toml.loads((TOP / "pyproject.toml").read_text())["project"]
    extras = {"": project["dependencies"], **project["optional-dependencies"]}
    return [requirement for extra in WANTS[name] for requirement in extras[extra]]


def _renew(name: str, wanted: "list[str]") -> None:
    stamp = VENVS / name / "stamp"
    key = hashlib.sha256("\n".join([sys.version, str(VENVS), *wanted]).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == key:
        return
    print(f"./dev: making .venv/{name}: {', '.join(wanted)}", file=sys.stderr, flush=True)
    shared = ["--system-site-packages"] if name == "system" else []
    subprocess.run([PYTHON, "-m", "venv", "--clear", *shared, f"{VENVS}/{name}"], check=True)
    pip = [f"{VENVS}/{name}/bin/python", "-m", "pip", "install", "-q", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *wanted], check=True)
    stamp.write_text(key)


def twisted(python: str) -> "tuple[str, str]":
    """Return the version of Twisted that `python` has, and the file it is loaded from; ("", why) without one."""
    code = "import twisted; print(twisted.__version__, twisted.__file__)"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    version, _, file = found.stdout.strip().partition(" ")
    return (version, file) if version else ("", found.stderr.strip().rpartition("\n")[2])


def give_back() -> None:
    """Make what root wrote into the checkout the caller's again, so that commands without root go on working."""
    owner = os.environ.get("SUDO_UID")
    if owner and os.geteuid() == 0:
        names = (".venv", "dist", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")
        ours = [TOP / name for name in names if (TOP / name).exists()]
        subprocess.run(["chown", "-Rh", f"{owner}:{os.environ['SUDO_GID']}", *ours], check=False)
