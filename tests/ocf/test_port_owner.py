"""Who holds a port, on real sockets: that is the point."""

import getpass
import os
import socket
from pathlib import Path

import pytest

from tocsin_ocf.client import Mute, Stranger
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.port_owner import daemon_pid, port_owner, squatter, why_unanswered
from tocsin_ocf.rundir import Rundir


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, ""), (socket.AF_INET6, "::")]
)
def test_a_listener_is_found_where_a_connection_to_loopback_reaches_it(family: int, address: str) -> None:
    """By name, pid and user."""
    dual = family == socket.AF_INET6
    with socket.create_server((address, 0), family=family, dualstack_ipv6=dual) as listener:
        owner = port_owner(listener.getsockname()[1])
        assert owner and (owner.pid, owner.user) == (os.getpid(), getpass.getuser())
        assert str(owner) == f"{owner.name}[{os.getpid()}] of user {owner.user}"


def test_a_bound_port_without_a_listener_has_no_owner() -> None:
    """A connection is refused there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert port_owner(bound.getsockname()[1]) is None


def test_our_own_daemon_is_no_squatter(tmp_path: Path) -> None:
    """Its pid stands in the lock."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        asked = Invocation({b"OCF_RESKEY_port": str(port).encode(), b"OCF_RESKEY_state_dir": str(tmp_path).encode()})
        (tmp_path / str(port)).mkdir()
        assert daemon_pid(asked.rundir) == -1
        assert squatter(asked.rundir, port).endswith("not by our daemon")
        Path(asked.rundir.lock).write_text(f"{os.getpid()}\n")
        assert squatter(asked.rundir, port) == ""
        assert (
            why_unanswered(Mute("?"), asked) == f"tocsind (pid {os.getpid()}, port {port}) does not answer within 19 s"
        )
        assert why_unanswered(Stranger("an endless reply"), asked) == f"tocsind on port {port}: an endless reply"


def test_a_torn_lock_names_nobody(tmp_path: Path) -> None:
    """The first digits of our daemon's pid are the pid of somebody else, who might be killed for it."""
    rundir = Rundir(str(tmp_path), 9909)
    Path(rundir.path).mkdir()
    whole = "4711\n"
    for length in range(len(whole)):
        Path(rundir.lock).write_text(whole[:length])
        assert daemon_pid(rundir) == -1
    Path(rundir.lock).write_text(whole)
    assert daemon_pid(rundir) == 4711
