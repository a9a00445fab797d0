"""What the lab adds to every node's /usr: its fence agent, a stand-in for systemctl, and what is not installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_INSIDE = Path(__file__).with_name("inside")
_PLACES = {"fence_lab.py": "usr/sbin/fence_lab", "systemctl.py": "usr/bin/systemctl"}


def install(root: Path, borrowed: Mapping[str, str]) -> None:
    """Put them below the root, which becomes a part of every node's overlay, and the borrowed files to their places."""
    files = {_INSIDE / name: place for name, place in _PLACES.items()}
    files.update({Path(source): place.lstrip("/") for source, place in borrowed.items()})
    for source, place in files.items():
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        target.chmod(0o755)
    for directory in (root, *root.rglob("*")):
        if directory.is_dir():
            directory.chmod(0o755)  # a merged directory takes this mode
