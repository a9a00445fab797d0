"""
Starts the daemon where none listens, and waits until it does.

The daemon must outlive the agent and Pacemaker itself, and must not inherit what a recovering cluster happens
to have open: it is a unit of systemd, or gets a session, an environment and file descriptors of its own.
"""

import os
import select
import shlex
import signal
from time import monotonic, sleep

from tocsin_ocf import operation
from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_ERR_PERM, ActionFailed, wrong
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.local import program_fault
from tocsin_ocf.notify import NotifySocket
from tocsin_ocf.port_owner import squatter, why_unanswered
from tocsin_ocf.programs import PATH
from tocsin_ocf.rundir import DAEMON, LOG_DIR, Rundir
from tocsin_ocf.wire import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

EX_TEMPFAIL = 75
"""Exit status of a daemon that found another one in place."""
MAX_OUT = 1024 * 1024
"""Bytes of old output that are kept: the last words of a crashed daemon are evidence."""
AGAIN_SECONDS = 0.05
LAUNCH_SECONDS = 0.4
"""What a start of the daemon takes at least; with less time left another try is none."""
RELAUNCH_SECONDS = 2.0
"""How long a daemon that another agent has just started may take to listen before we try again ourselves."""
CANNOT_START = "tocsind cannot be started: "


def operate(asked: Invocation, verb: str, **fields: object) -> "tuple[int, str]":
    """Have the daemon do it, one that is started where there is none; return its answer, or why it gave none."""
    try:
        return ask_launching(asked, verb, lambda: operation.body(asked, **fields))
    except PermissionError as error:
        return OCF_ERR_PERM, str(error)
    except (Stranger, Mute) as fault:
        return OCF_ERR_GENERIC, why_unanswered(fault, asked)
    except WireError as error:
        return OCF_ERR_GENERIC, str(error)


def ask_launching(asked: Invocation, verb: str, body: "Callable[[], str]", share: float = 1.0) -> "tuple[int, str]":
    """
    Ask the daemon; where there is none, start one and ask that.

    `body` makes the request anew each time, for it holds the time that is left. At most the `share` of that
    time is spent on starting: whoever has another way needs the rest.
    """
    until = monotonic() + asked.remaining() * share
    relaunch, pause = 0.0, AGAIN_SECONDS
    while True:
        try:
            return ask(asked.rundir, asked.port, verb, asked.resource, body(), asked.remaining())
        except NoDaemon:
            if monotonic() > until:
                raise ActionFailed(OCF_ERR_GENERIC, "tocsind holds its lock but does not listen") from None
        if monotonic() < relaunch or (relaunch and until - monotonic() < LAUNCH_SECONDS):
            sleep(AGAIN_SECONDS)
        elif not launch(asked, until):
            relaunch = monotonic() + pause
            pause = min(2 * pause, RELAUNCH_SECONDS)


def launch(asked: Invocation, until: float) -> bool:
    """Start the daemon; True when it listens, False when another one is about to; ActionFailed otherwise."""
    from tocsin_ocf.unit import start_unit

    argv = command_line(asked)
    fault = program_fault("daemon", argv[0])
    if fault:
        raise ActionFailed(*fault)
    own_directories(asked.state_dir, asked.rundir)
    if start_unit(asked, until - monotonic()):
        return True
    try:
        status, said = _start(argv, asked.rundir.out, until)
    except OSError as error:
        raise ActionFailed(OCF_ERR_GENERIC, f"{CANNOT_START}{error}") from None
    if status is None or status == EX_TEMPFAIL or status < 0:  # killed while it started: once more
        return status is None
    raise ActionFailed(OCF_ERR_GENERIC, _why(asked, said, status))


def _start(argv: "list[str]", path: str, until: float) -> "tuple[int | None, str]":
    """Start the daemon with its output in `path`; return its exit status, None when it is ready, and what it said."""
    with NotifySocket() as notify, open(path, "ab", opener=_private) as out:
        if out.tell() > MAX_OUT:
            os.ftruncate(out.fileno(), 0)
        begin = os.fstat(out.fileno()).st_size
        pid = os.fork()
        if pid == 0:
            _become(argv, notify.name, out.fileno())
        status = _wait(pid, notify, until)
        return status, notify.status or _last_line(path, begin)


def command_line(asked: Invocation) -> "list[str]":
    """Return the daemon's arguments; what the administrator adds comes last, for the last one counts."""
    log_file = f"{LOG_DIR}/tocsind-{asked.port}.log"
    own = ["--port", str(asked.port), "--state-dir", asked.state_dir, "--log-file", log_file]
    return [daemon(asked), *own, *daemon_args(asked)]


def daemon(asked: Invocation) -> str:
    """Return the path of the daemon's program."""
    program = asked.parameter("daemon") or DAEMON
    if program[0] != "/":
        raise wrong("daemon", program, f"use an absolute path, such as {DAEMON}")
    return program


def daemon_args(asked: Invocation) -> "list[str]":
    """Return the arguments that the administrator adds."""
    text = asked.parameter("daemon_args")
    try:
        words = shlex.split(text)
    except ValueError:
        raise wrong("daemon_args", text, "close the quote, or put a backslash before it") from None
    for word in words:
        if word.partition("=")[0] in ("--port", "--state-dir"):
            raise wrong("daemon_args", text, "use the parameters port and state_dir: the agent has to know them too")
    return words


def own_directories(state_dir: str, rundir: Rundir) -> None:
    """Create the run directory, or make sure that it and the one above are nobody else's."""
    try:
        os.makedirs(state_dir, 0o755, exist_ok=True)
        os.makedirs(rundir.path, 0o700, exist_ok=True)
    except OSError as error:
        raise ActionFailed(OCF_ERR_PERM, f"cannot create {rundir.path}: {error.strerror}") from None
    for path, found, forbidden in ((state_dir, os.stat(state_dir), 0o022), (rundir.path, os.lstat(rundir.path), 0o077)):
        if found.st_uid != os.geteuid() or found.st_mode & forbidden:
            raise ActionFailed(
                OCF_ERR_PERM, f"{path} is open to other users; chmod 0700 it, if nobody else wrote there"
            )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _become(argv: "list[str]", notify_name: str, out: int) -> None:
    """Become the daemon; in the child, from which nothing may return."""
    try:
        os.setsid()
        os.chdir("/")
        os.umask(0o077)
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)  # exec hands on what is ignored, as nohup and Python itself do
        null = os.open("/dev/null", os.O_RDONLY)
        for target, source in ((0, null), (1, out), (2, out)):
            os.dup2(source, target)
        os.closerange(3, 1 + max(map(int, os.listdir("/proc/self/fd"))))
        environment = {"PATH": PATH, "LC_ALL": "C.UTF-8", "NOTIFY_SOCKET": notify_name}
        os.execve(argv[0], argv, environment)  # noqa: S606 no shell is the point
    except OSError as error:
        os.write(2, f"cannot execute {argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _wait(pid: int, notify: NotifySocket, until: float) -> "int | None":
    """Return None when the daemon is ready, its exit status when it ended before that; ActionFailed at `until`."""
    fd = os.pidfd_open(pid)
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)
    waiting.register(notify.fileno(), select.POLLIN)
    try:
        while True:
            left = until - monotonic()
            ended = (fd, select.POLLIN) in (waiting.poll(left * 1000) if left > 0 else [])
            if notify.ready():
                return None
            if ended:
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if left <= 0:
                signal.pidfd_send_signal(fd, signal.SIGTERM)  # or one more of them stays with each try
                raise ActionFailed(OCF_ERR_GENERIC, f"tocsind (pid {pid}) was started, but does not get ready")
    finally:
        os.close(fd)


def _why(asked: Invocation, said: str, status: int) -> str:
    """Return why the daemon ended: who has its port, else its own words, else its status."""
    taken = squatter(asked.rundir, asked.port)
    ended = f"exit status {status}" if status >= 0 else f"killed by signal {-status}"
    return f"{CANNOT_START}{taken or said or ended}"


def _last_line(path: str, begin: int) -> str:
    """Return the last line that was written to a file after `begin`."""
    with open(path, "rb") as file:
        file.seek(begin)
        lines = file.read(MAX_OUT).decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
