"""What holds for every look at a hostile server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater


def open_sockets() -> set[str]:
    """Return the descriptors of this process that are connected sockets."""
    found = {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_there(fd)}
    return {f"{fd} {what}" for fd, what in found.items() if what.startswith("socket:")}


def _is_there(fd: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{fd}")


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    """Compare the sockets before and after, and ask the reactor for timers of ours."""
    before = open_sockets()
    yield
    pytest_twisted.blockon(deferLater(reactor, 0.02))
    assert open_sockets() <= before
    assert not [call for call in reactor.getDelayedCalls() if "Exchange" in str(call)]
