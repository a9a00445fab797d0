"""The whole run: plans, has the calls made in namespaces, asks xmllint, and returns what was seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from tocsin_ocf.testing import plan
from tocsin_ocf.testing.document import Document, NotMetadata, parse
from tocsin_ocf.testing.observed import Call, Observations
from tocsin_ocf.testing.own_cgroup import own_cgroup
from tocsin_ocf.testing.xmllint import by_schemas

UNSHARE = ("--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc")
LIBRARY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tocsin_ocf.testing.inside import main; sys.exit(main())"
NEEDS_KILL = "needs --run and --kill"
ABSENT = {
    **dict.fromkeys(("probe", "probe of interval 0", "probe without programs"), "--no-probe"),
    "validate-all of a wrong value": "no integer is declared that could be wrong; name one with --wrong",
    **dict.fromkeys(("kill", "monitor of the killed", "stop of the killed"), NEEDS_KILL),
}
"""Why a call is missing that was not planned."""


class Unusable(Exception):
    """The run cannot be made; the text says why and what to do."""


def observe(path: str, options: plan.Options) -> Observations:
    """
    Call the agent and return what was seen.

    As root in namespaces of its own, unless `host`; otherwise with the caller's rights on what there is.
    """
    path = os.path.abspath(path)
    if not os.path.isfile(path):
        raise Unusable(f"{path}: there is no such file")
    if options.run and os.geteuid() != 0:
        raise Unusable("--run needs root, as Pacemaker calls an agent; try sudo")
    calls, skipped = _made(_inside(path, options, plan.describing(), ""))
    document = _document(calls)
    steps = plan.looking(document, options) + (plan.running(document, options) if options.run else [])
    with own_cgroup() if options.run and _isolated(options) else nullcontext("") as cgroup:
        more, why = _made(_inside(path, options, steps, cgroup))
    wrong = options.wrong or plan.wrong_value(document)
    return Observations(
        path,
        {**calls, **more},
        {**ABSENT, **skipped, **why},
        "what it belongs to is not advertised" if options.run else "needs --run",
        document,
        by_schemas(calls["meta-data"].out),
        dict(options.given),
        f"{wrong[0]}={wrong[1]}" if wrong else "",
        options.keep,
        isolated=_isolated(options),
        cgroups=bool(cgroup),
    )


def _isolated(options: plan.Options) -> bool:
    return os.geteuid() == 0 and not options.host


def _document(calls: dict[str, Call]) -> Document | None:
    try:
        return parse(calls["meta-data"].out)
    except NotMetadata:
        return None


def _inside(path: str, options: plan.Options, steps: list[plan.Step], cgroup: str) -> dict[str, Any]:
    """Have the calls made by a process of its own."""
    isolated = _isolated(options)
    asked = {
        "path": path,
        "see": [os.path.abspath(one) for one in options.see],
        "isolated": isolated,
        "environment": plan.environment(path, options),
        "steps": [asdict(step) for step in steps],
        "timeout": options.timeout,
        "cgroup": cgroup,
        "run": options.run,
    }
    command = [sys.executable, "-ISB", "-c", BOOT, LIBRARY]
    if isolated:
        command = ["/usr/bin/unshare", *UNSHARE, *command]
    longest = plan.longest(steps, options.timeout)
    try:
        done = subprocess.run(
            command, input=json.dumps(asked), capture_output=True, text=True, timeout=longest, check=False
        )
    except FileNotFoundError:
        raise Unusable("there is no unshare(1), of util-linux; --host goes without namespaces") from None
    except subprocess.TimeoutExpired:
        raise Unusable(f"the calls did not end within {longest:.0f} s") from None
    if done.returncode:
        raise Unusable(f"the agent was not called: {done.stderr.strip()[-300:]}")
    return dict(json.loads(done.stdout))


def _made(found: dict[str, Any]) -> tuple[dict[str, Call], dict[str, str]]:
    """Return the calls that were made, and why others were not."""
    lists = ("made", "left")
    return {
        label: Call(**{**call, **{name: tuple(call[name]) for name in lists}}) for label, call in found["calls"].items()
    }, found["skipped"]
