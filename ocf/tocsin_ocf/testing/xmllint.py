"""What xmllint says of meta-data, by each schema that is on this machine."""

from __future__ import annotations

import os
import subprocess

from tocsin_ocf.testing.observed import Schema

RESOURCE_AGENTS = "/usr/share/resource-agents"
RELAXNG = {
    "ocf-1.0": "/usr/share/pcs/data/ocf-1.0.rng",
    "ocf-1.1": "/usr/share/pcs/data/ocf-1.1.rng",
    "metadata.rng": f"{RESOURCE_AGENTS}/metadata.rng",
}
DTD = f"{RESOURCE_AGENTS}/ra-api-1.dtd"
XMLLINT_SECONDS = 30.0


def by_schemas(text: str) -> dict[str, Schema]:
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
