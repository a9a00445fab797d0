"""
The process in the namespaces, their pid 1: reads what to call on stdin, and prints what came of it, both as JSON.

Everything is imported before the places change: our own files may lie where nothing is seen afterwards.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from dataclasses import asdict
from functools import partial
from typing import Any

from tocsin_ocf.testing import own_cgroup, places, traces
from tocsin_ocf.testing.execution import Executor
from tocsin_ocf.testing.observed import Call
from tocsin_ocf.testing.plan import Step

PR_SET_CHILD_SUBREAPER = 36
CUT_SHARE, LEAST_CUT = 0.5, 0.01
REFUSED = 75
"""Exit status where no namespace can be made safe; nothing was called then."""


def perform(executor: Executor, steps: list[Step], timeout: float) -> tuple[dict[str, Call], dict[str, str]]:
    """Make the calls; return what came of them, and why others were not made."""
    calls: dict[str, Call] = {}
    skipped: dict[str, str] = {}
    for step in steps:
        why = _not_made(step, calls)
        if why:
            skipped[step.label] = why
            continue
        seconds = max(LEAST_CUT, calls[step.cut].seconds * CUT_SHARE) if step.cut else timeout
        calls[step.label] = executor.call(step, seconds)
    return calls, skipped


def _not_made(step: Step, calls: dict[str, Call]) -> str:
    """Return why a call is not made; "" where it is."""
    before = calls.get(step.after)
    if step.after and (before is None or before.code != 0):
        return f"{step.after!r} did not succeed" if before else f"{step.after!r} was not called"
    if not step.user:
        return ""
    if os.geteuid() != 0:
        return f"only root can call as {step.user}"
    return "" if _known(step.user) else f"there is no user {step.user}"


def _known(user: str) -> bool:
    import pwd

    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def main() -> int:
    """Do what stdin asks for."""
    asked: dict[str, Any] = json.load(sys.stdin)
    isolated = asked["isolated"]
    cgroups = ""
    try:
        if asked["cgroup"]:
            own_cgroup.enter(asked["cgroup"])
        log = places.isolate([asked["path"], *asked["see"]]) if isolated else None
        if asked["cgroup"]:
            cgroups = own_cgroup.show()
        if isolated:
            places.renounce(mounting=asked["run"])
    except OSError as error:
        sys.stderr.write(f"no places of its own can be made for the agent: {error}\n")
        return REFUSED
    if not isolated:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come to us, not to init
    executor = Executor(
        asked["path"], asked["environment"], partial(traces.look, isolated=isolated, cgroups=cgroups), log
    )
    steps = [Step(**{**step, "arguments": tuple(step["arguments"])}) for step in asked["steps"]]
    calls, skipped = perform(executor, steps, asked["timeout"])
    found = {"calls": {label: asdict(call) for label, call in calls.items()}, "skipped": skipped}
    json.dump(found, sys.stdout)
    return 0
