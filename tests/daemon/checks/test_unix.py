"""`unix` against real sockets, well and ill."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import pytest_twisted

from tests.daemon.checks.test_tcp import check
from tocsin_daemon.core.check import Outcome, Result

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest_twisted.ensureDeferred
async def test_a_unix_socket(tmp_path: Path) -> None:
    """Listened on, left behind, gone."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
        one.listen()
        assert (await check(str(path), "unix").run()).result is Result.WELL
    assert await check(str(path), "unix").run() == Outcome(Result.BAD, "connection refused")
    path.unlink()
    assert await check(str(path), "unix").run() == Outcome(Result.BAD, "no such file or directory")


@pytest_twisted.ensureDeferred
async def test_a_unix_socket_whose_queue_is_full_is_tried_again(tmp_path: Path) -> None:
    """The kernel does not wait for it, so we do."""
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)
        one.listen(0)
        waiting = socket.socket(socket.AF_UNIX)
        waiting.connect(path)
        done = check(path, "unix").run()
        assert not done.called
        one.accept()[0].close()
        assert (await done).result is Result.WELL
        waiting.close()
