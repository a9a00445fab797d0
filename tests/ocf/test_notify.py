"""The receiving end of sd_notify, on real sockets: the kernel's word is the point."""

import os
import socket
import subprocess
import sys

from tests.requirements import require_root
from tocsin_ocf.notify import NotifySocket


def send(name: str, text: bytes) -> None:
    """Send as a daemon does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(text, "\0" + name[1:])


def test_ready_is_heard_once_it_is_said() -> None:
    """Among other lines, and other datagrams."""
    with NotifySocket() as notify:
        assert not notify.ready()
        for text in (b"STATUS=starting\nMAINPID=7", b"", b"\xff", b"READY=0", b"XREADY=1"):
            send(notify.name, text)
        assert not notify.ready() and notify.status == "starting"
        send(notify.name, b"STATUS=listens\nREADY=1\n")
        assert notify.ready() and notify.status == "listens"


def test_two_sockets_never_share_a_name() -> None:
    """Two agents may start daemons at once."""
    with NotifySocket() as one, NotifySocket() as other:
        assert one.name != other.name and one.name.startswith("@")


def test_another_users_word_counts_for_nothing() -> None:
    """/proc/net/unix shows the name to everybody."""
    require_root()
    with NotifySocket() as notify:
        program = (
            "import os, socket, sys; os.setuid(65534);"
            "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1\\nSTATUS=mine', '\\0' + sys.argv[1])"
        )
        subprocess.run([sys.executable, "-IS", "-W", "ignore", "-c", program, notify.name[1:]], check=True, cwd="/")
        assert not notify.ready() and notify.status == ""
        assert os.geteuid() == 0
