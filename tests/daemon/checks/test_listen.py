"""The check `listen`: on real sockets, for whose they are is the point."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tocsin_daemon.checks.listen import Listen
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.core.check import Outcome, Result, Spec
from tocsin_ocf.processes import Process, look

SERVE = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"


class Members:
    """The processes of a service, and how often they were asked for."""

    def __init__(self, *pids: int) -> None:
        """Name them."""
        self.pids = pids
        self.asked = 0

    def __call__(self) -> list[Process]:
        """Return those that live."""
        self.asked += 1
        return [process for process in map(look, self.pids) if process]


def check(target: str, members: Members) -> Listen:
    """Return a check."""
    outside = Outside(reactor=Clock(), resource="web", run=lambda program: Deferred(), members=members)
    return Listen(Spec("listen", target, "listen"), outside)


def seen(listen: Listen) -> Outcome:
    """Return what a look finds; it is done at once."""
    found: list[Outcome] = []
    listen.run().addCallback(found.append)
    return found[0]


@pytest.fixture
def server() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Return the port of another process that listens on 127.0.0.1, and the process."""
    words = [sys.executable, "-c", SERVE]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process
        process.kill()


def test_a_port_of_the_service_is_well(server: tuple[int, subprocess.Popen[str]]) -> None:
    """Its processes are asked for once: who was found is asked first."""
    port, process = server
    members = Members(os.getpid(), process.pid)
    listen = check(str(port), members)
    for _ in range(3):
        assert seen(listen).result is Result.WELL
    assert f"[{process.pid}] listens on port {port}" in seen(listen).text
    assert members.asked == 1
    process.kill()
    process.wait()
    assert seen(listen) == Outcome(Result.BAD, f"nobody listens on port {port}")


def test_a_strangers_port_is_bad_and_names_him(server: tuple[int, subprocess.Popen[str]]) -> None:
    """A predecessor that was not ended answers connections, too."""
    port, process = server
    listen = check(str(port), Members(os.getpid()))
    outcome = seen(listen)
    assert outcome.result is Result.BAD
    assert outcome.text.startswith(f"port {port} is held by ") and f"[{process.pid}]" in outcome.text
    assert outcome.text.endswith("not by this service")
    assert seen(listen) == outcome


def test_the_nearest_socket_answers(server: tuple[int, subprocess.Popen[str]]) -> None:
    """127.0.0.1 is a stranger's, everything else is ours: whether that is well depends on the address asked for."""
    port, _ = server
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind(("127.0.0.2", port))
        own.listen()
        members = Members(os.getpid())
        assert seen(check(f"127.0.0.2:{port}", members)).result is Result.WELL
        assert seen(check(f"127.0.0.1:{port}", members)).result is Result.BAD
        assert seen(check(str(port), members)).result is Result.WELL
        assert seen(check(f"127.0.0.3:{port}", members)) == Outcome(Result.BAD, f"nobody listens on port {port}")


@pytest.mark.parametrize("host", ["", "127.0.0.1", "[::1]", "192.0.2.1"])
def test_a_socket_for_everything_answers_everybody(host: str) -> None:
    """One of IPv6 takes IPv4 connections as well."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as own:
        port = own.getsockname()[1]
        target = f"{host}:{port}" if host else str(port)
        assert seen(check(target, Members(os.getpid()))).result is Result.WELL


def test_a_bound_port_is_not_listened_on_and_a_service_needs_a_process() -> None:
    """Neither is well."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert seen(check(str(port), Members(os.getpid()))).text == f"nobody listens on port {port}"
        assert seen(check(str(port), Members())).text == "no process of the service is there"


def test_a_name_is_refused() -> None:
    """A socket has an address."""
    with pytest.raises(ValueError, match="is a name"):
        check("localhost:80", Members())
