"""What tests of checks with real sockets share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet import reactor

from tests.fakes.speaking import Service


def watched() -> set[object]:
    """Return what the reactor watches, but for its own wakers, which come when it begins to run."""
    found = {*reactor.getReaders(), *reactor.getWriters()}  # type: ignore[attr-defined]
    return {each for each in found if not type(each).__name__.endswith("Waker")}


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """No look leaves a descriptor, in the reactor or open, or a timer."""
    before = watched()
    yield
    assert watched() == before
    assert [call for call in reactor.getDelayedCalls() if "Look" in str(call)] == []  # type: ignore[attr-defined]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Return a service that has said nothing yet."""
    made = Service(str(tmp_path / "notify" / "9909" / "web"))
    yield made
    made.notify.close()
    assert not made.reactor.readers and not made.reactor.getDelayedCalls()
