"""Running one step of a developer's command: the signals, the orphans, and what pytest counted."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from xml.etree import ElementTree

from venvs import TOP, VENVS

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
NO_TESTS = 5  # pytest's exit code


@dataclass(frozen=True)
class Result:
    """What one step came to; `skipped` are names with their reasons, `note` says why a step failed or was not run."""

    name: str
    ok: bool
    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    skipped: "tuple[str, ...]" = ()
    note: str = ""


class Terminated(KeyboardInterrupt):
    """Somebody sent SIGTERM to this process alone; Ctrl-C reaches the children by itself."""


def adopt_orphans() -> None:
    """Become the parent of every orphan below us, so that what is left behind can be told from strangers' processes."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored


def _terminated(_signal: int, _frame: "FrameType | None") -> None:
    raise Terminated


def run(command: "Sequence[str]", **environment: str) -> int:
    """Run `command` at the top of the checkout and return its exit code; it may clean up when we are interrupted."""
    cache = {"PYTHONPYCACHEPREFIX": f"{VENVS}/pycache"}  # root leaves no __pycache__ in the checkout
    child = subprocess.Popen(command, cwd=TOP, env={**os.environ, **cache, **environment})
    try:
        return _wait(child)
    except KeyboardInterrupt as interrupt:
        if isinstance(interrupt, Terminated):
            child.send_signal(signal.SIGINT)
        _wait(child)
        raise


def _wait(child: "subprocess.Popen[bytes]") -> int:
    """Wait for `child`, and bury the orphans meanwhile: a test may wait until one is gone from the process table."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode


def timed(name: str, step: "Callable[[], int]") -> Result:
    """Return the result of a step that only has an exit code."""
    start = time.monotonic()
    code = step()
    return Result(name, code == 0, time.monotonic() - start, note="" if code == 0 else f"exit code {code}")


def pytest(name: str, python: str, arguments: "Sequence[str]", scratch: Path, *, none_is_fine: bool) -> Result:
    """Run pytest with `python`, its temporary files below `scratch`, and return what it counted."""
    print(f"\n===== {name}", flush=True)
    start, report = time.monotonic(), scratch / f"{len(list(scratch.iterdir()))}.xml"
    own = [f"--basetemp={report.with_suffix('')}", f"--junitxml={report}"]
    logs = f"{VENVS}/cluster-logs"  # of a failed test, to be read afterwards
    code = run([python, "-m", "pytest", *own, *arguments], TOCSIN_CLUSTER_LOGS=logs)
    seconds = time.monotonic() - start
    if not report.exists():
        return Result(name, ok=False, seconds=seconds, failed=1, note=f"pytest gave up, exit code {code}")
    ok = code == 0 or (code == NO_TESTS and none_is_fine)
    return Result(name, ok, seconds, *counted(report), note="" if ok else f"pytest's exit code {code}")


def counted(report: Path) -> "tuple[int, int, tuple[str, ...]]":
    """Return passed, failed (errors included) and the skipped by name, from pytest's JUnit report."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [(case, case.find("skipped")) for case in cases]
    names = tuple(
        f"{case.get('classname', '')}::{case.get('name')}: {why.get('message', '')}".lstrip(":")
        for case, why in skipped
        if why is not None and why.get("type") != "pytest.xfail"
    )
    expected = sum(why is not None for _case, why in skipped)
    return len(cases) - len(failed) - expected, len(failed), names
