"""
A daemon that lives but does not answer: stopped by a signal, stuck in a loop, or waiting for a dead disk.

Nobody watches the services meanwhile, so it is killed and replaced; the next one takes the services over. Only the
holder of our own lock is killed, and only after a question that takes no time has gone unanswered.
"""

import os
import select
from signal import SIGKILL, pidfd_send_signal

from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.port_owner import daemon_pid, port_owner
from tocsin_ocf.wire import EVERY_RESOURCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.invocation import Invocation

KILL_SECONDS = 5.0
"""A process dies within milliseconds of SIGKILL, unless it waits for a disk that does not answer."""


def attend(asked: "Invocation") -> None:
    """Make sure that a daemon which is there also answers, before something that may take its time is asked of it."""
    if is_frozen(asked):
        replace(asked)


def is_frozen(asked: "Invocation") -> bool:
    """Tell whether the daemon does not answer even what takes no time."""
    try:
        ask(asked.rundir, asked.port, "PING", EVERY_RESOURCE, "", asked.patience())
    except Mute:
        return True
    except (NoDaemon, Stranger, PermissionError):
        return False  # whoever asks next meets the same, and knows what to do
    return False


def replace(asked: "Invocation") -> bool:
    """Kill our frozen daemon; False where whoever keeps silent is not our daemon, or cannot be killed."""
    pid = daemon_pid(asked.rundir)
    owner = port_owner(asked.port)
    if pid <= 0 or (owner and owner.pid != pid):
        return False
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not asked.rundir.held():
            return False
        pidfd_send_signal(fd, SIGKILL)
        return bool(select.select([fd], [], [], KILL_SECONDS)[0])
    except OSError:
        return False
    finally:
        os.close(fd)
