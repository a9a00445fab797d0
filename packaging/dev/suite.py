"""./dev test: everything, on Debian's Twisted and the newest, and the real cluster; leaves nothing behind."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import leftovers
import steps
import venvs
from steps import Result

CHAOS = "tests/chaos"
MACHINES = ("tests/packages", "tests/cluster", CHAOS, "tests/systemd", "tests/ocf/testing")
"""Tests of what is installed, and long ones: on Debian's Python and Twisted, so once; chaos on the newest, too."""
ALONE = ("tests/cluster/test_daemon_kills.py", "tests/stress")
"""Tests that bound a median, or starve the machine: with nothing beside them."""
NOT_BESIDE = [f"--ignore={path}" for path in ALONE]
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
TWO, FOUR = ("-n", "2", *BY_FILE), ("-n", "4", *BY_FILE)
"""Files at a time: two for what computes, four for what mostly waits, each in namespaces of its own."""
CHECK = [venvs.PYTHON, "-B", str(Path(__file__).with_name("check.py")), "--without-tests"]


def main(arguments: "Sequence[str]") -> int:
    """Run every step, also after one that failed, and return the exit code."""
    steps.adopt_orphans()
    before, results, interrupted = leftovers.look(), list[Result](), False
    try:
        with tempfile.TemporaryDirectory(prefix="tocsin-test-") as scratch:
            for result in plan(arguments, Path(scratch)):
                results.append(result)  # one by one: what was done before an interruption counts
    except KeyboardInterrupt:
        interrupted = True
        results.append(Result("interrupted", ok=False))
    finally:
        venvs.give_back()
    results.append(nothing_left(before))
    good = summary(results, in_ci=os.environ.get("CI") == "true")
    return 130 if interrupted else int(not good)


def plan(arguments: "Sequence[str]", scratch: Path) -> "Iterator[Result]":
    """Yield the result of each step; with arguments only pytest's, on what they name."""
    words = [word.removeprefix("./") for word in arguments]
    paths = [word for word in words if is_path(word)]
    options = [word for word in words if not is_path(word)]
    machines = [path for path in paths if path.startswith((*MACHINES, *ALONE))]
    unit = [path for path in paths if path not in machines]
    parts = {"machines": machines}
    if not paths:
        parts = {"machines": [*FOUR, *MACHINES, *NOT_BESIDE], "alone": [*ALONE]}
        unit = [*TWO, "tests", *map("--ignore={}".format, MACHINES), *NOT_BESIDE]
    pytest = partial(steps.pytest, scratch=scratch, none_is_fine=bool(arguments))
    if not arguments:
        yield steps.timed("check", partial(steps.run, CHECK))
    for name in ("system", "newest"):
        try:
            python, version = environment(name)
        except venvs.Unavailable as fault:
            yield Result(name, ok=False, note=str(fault))
            continue
        if unit:
            yield pytest(f"unit, Twisted {version}", python, [*unit, *options])
        for part, named in parts.items():
            here = named if name == "system" else [path for path in named if path.startswith(CHAOS)]
            if here:
                yield pytest(f"{part}, Twisted {version}", python, [*here, *options])


def is_path(word: str) -> bool:
    """Tell whether a word names tests; in `-k daemon` it names none, though there is such a directory."""
    path = word.partition("::")[0]
    return path.split("/")[0] == "tests" and (venvs.TOP / path).exists()


def environment(name: str) -> "tuple[str, str]":
    """Return the Python of an environment and its version of Twisted; `system` must have Debian's, or tests nothing."""
    python = venvs.ensure(name)
    version, file = venvs.twisted(python)
    if name == "system" and not file.startswith(venvs.DEBIAN):
        raise venvs.Unavailable(f"tests would not get Twisted of Debian's python3-twisted, but: {file}")
    return python, version


def nothing_left(before: "set[str]") -> Result:
    """Return whether the machine is as it was."""
    found = leftovers.left(before)
    return Result("leftovers", not found, note="; ".join(found))


def summary(results: "Sequence[Result]", *, in_ci: bool) -> bool:
    """Print what ran, every skip by name, and the sums on the last line; return whether all is well."""
    print(f"\n{'step':26}{'':8}{'passed':>8}{'failed':>8}{'skipped':>8}{'seconds':>9}")
    for result in results:
        counts = f"{result.passed:8}{result.failed:8}{len(result.skipped):8}{result.seconds:9.1f}"
        print(f"{result.name:26}{'ok' if result.ok else 'FAILED':8}{counts}  {result.note}".rstrip())
    skipped = [f"{result.name}: {name}" for result in results for name in result.skipped]
    for line in skipped:
        print(f"SKIPPED {line}")
    if skipped and in_ci:
        print("FAILED: with CI=true nothing may be skipped")
    passed, failed = sum(result.passed for result in results), sum(result.failed for result in results)
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped", flush=True)
    return all(result.ok for result in results) and not (skipped and in_ci)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
