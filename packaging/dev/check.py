"""./dev check: format, lint, types, rendered files and architecture, with the pinned tools of .venv/check."""

import sys
import time
from functools import partial

import steps
import venvs

TYPED = ("ocf", "daemon", "agent/service", "packaging", "tests/cluster/lab", "tests/typing")


def main(arguments: "list[str]") -> int:
    """Run every gate, also after one that failed, name the failed ones, and return the exit code."""
    start = time.monotonic()
    try:
        python = venvs.ensure("check")
    except venvs.Unavailable as fault:
        sys.exit(f"./dev check: {fault}")
    there = [path for path in TYPED if (venvs.TOP / path).exists()]
    gates = {
        "format": ["-m", "ruff", "format", "--check", "-q", "."],
        "lint": ["-m", "ruff", "check", "-q", "."],
        "types": ["-m", "mypy", "--no-error-summary", *there],
        "rendered": ["packaging/render.py", "--check"],
    }
    if "--without-tests" not in arguments:
        gates["architecture"] = ["-m", "pytest", "-q", "tests/test_architecture.py"]
    results = [steps.timed(name, partial(steps.run, [python, *words])) for name, words in gates.items()]
    venvs.give_back()
    failed = [result.name for result in results if not result.ok]
    verdict = f"FAILED: {' '.join(failed)}" if failed else "ok"
    print(f"check: {' '.join(gates)}: {verdict}, {time.monotonic() - start:.1f} s")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
