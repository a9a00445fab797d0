"""What tests of the commands of `tocsin` share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.admin.node import Node
from tests.fakes.daemon import FakeDaemon, says


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Return an empty one."""
    return Node(tmp_path)


@pytest.fixture
def asked(node: Node) -> Iterator[Any]:
    """Return what makes a daemon that answers `web` like this."""
    made: list[FakeDaemon] = []

    def make(code: int, text: str) -> FakeDaemon:
        made.append(FakeDaemon(node.state_dir, says(code, text)))
        Path(made[-1].rundir.record("web")).write_text("{}")
        return made[-1]

    yield make
    for one in made:
        one.close()
