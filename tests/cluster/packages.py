"""The Debian package, built of the working tree and of one that is a version ahead, for the nodes of a lab."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging/dev"))

import deb
import source
from lab import Node

NEXT = "99.9"
"""The version of what the nodes are upgraded to: the same program, so that it can go back, too."""
ALLOWED = "#!/bin/sh\nexit 104\n"


def build(scratch: Path, version: str = "") -> Path:
    """Return a package of the working tree, which may be made to believe in another version of itself."""
    made_from = source.copy(scratch / f"build{version}" / "tocsin")
    if version:
        file = made_from.tree / "ocf/tocsin_ocf/__init__.py"
        file.write_text(re.sub(r'(?<=__version__ = ")[^"]+', version, file.read_text()))
        made_from = source.Source(made_from.tree, version, made_from.date + 1)
    return deb.build(made_from, scratch / f"dist{version}")


def open_usr(node: Node) -> None:
    """Let dpkg write below /usr of the node, where the lab's is read-only, and let it restart what it wants."""
    layers = "lowerdir=/usr,upperdir=/run/usr/upper,workdir=/run/usr/work"
    node.run(["mkdir", "-p", "/run/usr/upper", "/run/usr/work"])
    node.run(["mount", "-t", "overlay", "overlay", "-o", layers, "/usr"])
    node.run(["tee", "/usr/sbin/policy-rc.d"], input=ALLOWED)
    node.run(["chmod", "755", "/usr/sbin/policy-rc.d"])


def dpkg(node: Node, *words: str | Path) -> str:
    """Have dpkg do something in the node, and return what it said."""
    done = node.run(["dpkg", *words], timeout=120, env={"DEBIAN_FRONTEND": "noninteractive"})
    return done.stdout + done.stderr


def files(node: Node) -> set[str]:
    """Return everything that a package could leave behind."""
    places = ["/usr", "/etc", "/var/log", "/var/lib/dpkg/info", "/run/tocsin", "/run/lock"]
    found = node.run(["find", *places, "-not", "-type", "d", "-o", "-name", "*tocsin*"], check=False, timeout=60)
    return set(found.stdout.splitlines())
