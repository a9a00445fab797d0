"""The whole run: plans, has the calls made in namespaces, asks xmllint, and returns what was seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict

from tocsin_ocf.testing import plan
from tocsin_ocf.testing.document import Document, NotMetadata, parse
from tocsin_ocf.testing.observed import Call, Observations, Schema

UNSHARE = ("--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc")
RELAXNG = {"ocf-1.0": "/usr/share/pcs/data/ocf-1.0.rng", "ocf-1.1": "/usr/share/pcs/data/ocf-1.1.rng"}
RESOURCE_AGENTS = "/usr/share/resource-agents"
RELAXNG["metadata.rng"] = f"{RESOURCE_AGENTS}/metadata.rng"
DTD = f"{RESOURCE_AGENTS}/ra-api-1.dtd"
LIBRARY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
XMLLINT_SECONDS = 30.0
BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tocsin_ocf.testing.inside import main; sys.exit(main())"
ABSENT = {
    "probe": "--no-probe",
    "probe of interval 0": "--no-probe",
    "probe without programs": "--no-probe",
    "validate-all of a wrong value": "no integer is declared that could be wrong; name one with --wrong",
    "kill": "needs --run and --kill",
    "monitor of the killed": "needs --run and --kill",
    "stop of the killed": "needs --run and --kill",
    "notify": "is not advertised, or not --run",
    "reload-agent": "is not advertised, or not --run",
    "promote unsupported": "promote is advertised, or not --run",
}
"""Why a call is missing that was not planned; of most others it is that --run was not given."""


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
    calls, skipped = _inside(path, options, plan.describing())
    document = _document(calls)
    steps = plan.looking(document, options) + (plan.running(document, options) if options.run else [])
    more, why = _inside(path, options, steps)
    wrong = options.wrong or plan.wrong_value(document)
    return Observations(
        path,
        {**calls, **more},
        {**_absent(options), **skipped, **why},
        document,
        _schemas(calls["meta-data"].out),
        dict(options.given),
        f"{wrong[0]}={wrong[1]}" if wrong else "",
        options.keep,
        isolated=_isolated(options),
    )


def _isolated(options: plan.Options) -> bool:
    return os.geteuid() == 0 and not options.host


def _absent(options: plan.Options) -> dict[str, str]:
    every = {**plan_labels(), **ABSENT}
    return (
        {label: why if label in ABSENT else "needs --run" for label, why in every.items()}
        if not options.run
        else ABSENT
    )


def plan_labels() -> dict[str, str]:
    """Return the labels of what only --run calls."""
    both = [None, Document(None, None, (), (), (), doctype=False)]
    return {step.label: "needs --run" for document in both for step in plan.running(document, plan.Options(kill="x"))}


def _document(calls: dict[str, Call]) -> Document | None:
    try:
        return parse(calls["meta-data"].out)
    except NotMetadata:
        return None


def _inside(path: str, options: plan.Options, steps: list[plan.Step]) -> tuple[dict[str, Call], dict[str, str]]:
    """Have the calls made by a process of its own."""
    isolated = _isolated(options)
    asked = {
        "path": path,
        "see": [os.path.abspath(one) for one in options.see],
        "isolated": isolated,
        "environment": plan.environment(path, options),
        "steps": [asdict(step) for step in steps],
        "timeout": options.timeout,
    }
    command = [sys.executable, "-ISB", "-c", BOOT, LIBRARY]
    if isolated:
        command = ["/usr/bin/unshare", *UNSHARE, *command]
    longest = sum(2 * options.timeout + step.pause for step in steps)
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
    found = json.loads(done.stdout)
    calls = {
        label: Call(**{**call, "made": tuple(call["made"]), "left": tuple(call["left"])})
        for label, call in found["calls"].items()
    }
    return calls, found["skipped"]


def _schemas(text: str) -> dict[str, Schema]:
    """Return what xmllint says by each schema that is there."""
    found = {name: _lint(text, file, ["--relaxng", file]) for name, file in RELAXNG.items()}
    own = "<!DOCTYPE" in text
    found["ra-api-1.dtd"] = _lint(text, DTD, ["--valid"] if own else ["--dtdvalid", DTD])
    return found


def _lint(text: str, schema: str, options: list[str]) -> Schema:
    if not os.path.exists(schema):
        return Schema(None, f"there is no {schema}")
    command = ["xmllint", "--noout", "--nonet", *options, "-"]
    data = text.encode("utf-8", "surrogateescape")
    try:  # the directory is where the name in a DOCTYPE is looked for, as ocf-tester does
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=XMLLINT_SECONDS, check=False, cwd=os.path.dirname(schema)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Schema(None, f"xmllint was not asked: {error}")
    said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "rror" in line]
    return Schema(done.returncode == 0, "invalid: " + "; ".join(said[:2]) if done.returncode else "valid")
