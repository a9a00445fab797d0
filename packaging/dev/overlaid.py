"""./dev demo and ./dev bench: a script that gets the working tree installed into a root directory of its own."""

import sys
import tempfile
from functools import partial

import leftovers
import steps
import venvs


def main(name: str, arguments: "list[str]") -> int:
    """Install, run packaging/NAME.py --overlay DIR, clean up however it ends, and name what is left all the same."""
    steps.adopt_orphans()
    before, code = leftovers.look(), 130
    python = partial(steps.run, PYTHONPATH=":".join(f"{venvs.TOP}/{room}" for room in ("ocf", "daemon")))
    try:
        with tempfile.TemporaryDirectory(prefix="tocsin-overlay-") as overlay:
            install = [venvs.PYTHON, "-B", f"{venvs.TOP}/packaging/install.py", "install", "--quiet", "--root", overlay]
            code = python(install) or python(
                [venvs.PYTHON, f"{venvs.TOP}/packaging/{name}.py", "--overlay", overlay, *arguments]
            )
    except KeyboardInterrupt:
        print(f"./dev {name}: interrupted", file=sys.stderr)
    found = leftovers.left(before)
    for line in found:
        print(f"./dev {name}: left behind: {line}", file=sys.stderr)
    return code or int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
