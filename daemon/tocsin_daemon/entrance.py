"""
How a process comes to be: a service born in its cgroup, a tool bound to die with the daemon, and only then executed.

`subprocess` cannot do it. A process that enters a cgroup afterwards pays for it: the kernel waits until all
other processors have noticed (10 to 20 ms, unless somebody has just done the same). clone3(2) with
CLONE_INTO_CGROUP (Linux 5.7) gives birth there, for nothing. Where the kernel or a seccomp filter refuses that,
the process is forked and moves itself while it still is root's: another user may not, before Linux 5.16.

Python code after a fork, let alone after a bare clone3 that runs none of the C library's fork handlers, is sound
as long as the daemon has one thread, and it has. Signals are blocked meanwhile, so that no handler of the
daemon's runs in the new process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tocsin_daemon.children import Program

PR_SET_PDEATHSIG = 1
SYS_CLONE3 = 435
"""The same on every architecture that Debian 12 and RHEL 9 run on."""
CLONE_INTO_CGROUP = 0x200000000
ORDINARY = b"0"
"""For oom_score_adj (proc(5)): the daemon may be spared, and must not hand that on to a service that eats memory."""
MYSELF = b"0"
"""For cgroup.procs: whoever writes it."""
OPEN_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)
"""Soft and hard limit that the daemon was born with, and each process of it is."""
ENOUGH_FILES = 65536
SIGNALS = signal.valid_signals()
WHY = {MemoryError: errno.ENOMEM, ValueError: errno.EPERM}
"""
What an exception without an errno means: a limit on memory too low to execute anything; a hard limit that may not be
raised, which Python's setrlimit calls a ValueError, as one that is below the soft one.
"""
REPORT = 3
"""Descriptor through which the new process says why it could not be executed; exec closes it."""

_libc = ctypes.PyDLL(None, use_errno=True)  # it keeps the interpreter's lock, which the new process could not wait for


def execute(program: Program, stdout: int, stderr: int) -> int:
    """Return the pid of a new process that executes the program; OSError where it cannot, naming the file at fault."""
    stdin = _fed(program.stdin)
    report, say = os.pipe()
    daemon = os.getpid()
    # Found out here: in the new process, every page of memory that is touched is copied first.
    unusual = [number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_DFL, None)]
    beyond = 8 + max(map(int, os.listdir("/proc/self/fd")))
    with open(report, encoding="utf-8", errors="surrogateescape") as said:
        mask = signal.pthread_sigmask(signal.SIG_SETMASK, SIGNALS)
        try:
            pid = _fork(program.cgroup)
            if pid == 0:
                _prepare([stdin, stdout, stderr, say], beyond)
                _become(program, unusual, daemon)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(say)
            os.close(stdin)
        number, _, file = said.read().partition(" ")
    if number.isdecimal():
        os.waitpid(pid, 0)
        raise OSError(int(number), os.strerror(int(number)), file)
    return pid  # also of one that was killed before it could execute: its end is told like any other


def _fork(cgroup: str) -> int:
    """Fork, into the directory of a cgroup if there is one."""
    try:
        directory = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if cgroup else -1
    except FileNotFoundError:
        directory = -1
    if directory < 0:
        return os.fork()
    try:
        pid = _clone_into(directory)
        if pid < 0:
            pid = os.fork()
            if pid == 0:
                _move_to(directory)
    finally:
        os.close(directory)
    return pid


def _clone_into(directory: int) -> int:
    """Do what fork(2) does, into a cgroup; -1 where that is not possible."""
    # struct clone_args (clone3(2)): flags, pidfd, child_tid, parent_tid, exit_signal, stack, ..., cgroup
    arguments = (ctypes.c_uint64 * 11)(CLONE_INTO_CGROUP, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, directory)
    return int(_libc.syscall(SYS_CLONE3, arguments, ctypes.sizeof(arguments)))


def _move_to(directory: int) -> None:
    with suppress(OSError):  # the daemon looks whether it worked: a service runs without, too
        os.write(os.open("cgroup.procs", os.O_WRONLY | os.O_CLOEXEC, dir_fd=directory), MYSELF)


def _fed(stdin: bytes) -> int:
    """Return a descriptor to read these bytes from: memory, for a pipe would have to wait for its reader."""
    if not stdin:
        return os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    fd = os.memfd_create("stdin")
    try:
        with open(fd, "wb", closefd=False) as memory:
            memory.write(stdin)
        os.lseek(fd, 0, os.SEEK_SET)
    except OSError:
        os.close(fd)
        raise
    return fd


def _prepare(wanted: Sequence[int], beyond: int) -> None:
    """Have standard input, output and error, and the way to report; nothing else, inheritable or not."""
    try:
        fresh = [os.dup(fd) for fd in wanted]
        for target, source in enumerate(fresh):
            os.dup2(source, target, inheritable=target != REPORT)
        os.closerange(REPORT + 1, beyond)
    except OSError as error:
        os.write(wanted[REPORT], f"{error.errno} ".encode())
        os._exit(127)


def _become(program: Program, unusual: Sequence[int], daemon: int) -> NoReturn:
    """Become the program; in the new process, from which nothing may return."""
    at_fault = program.directory
    try:
        os.setsid()
        if not program.service:
            _die_with(daemon)
        os.chdir(program.directory)
        if program.bound:
            at_fault = program.cgroup
            _must_be_in(program.cgroup)
        _be_ordinary()
        at_fault = f"nice {program.nice}"
        _take_priority(program.nice)
        for name, (soft, hard) in program.limits.items():  # as root still, and where all files are open that we need
            at_fault = f"limits: {name} {_words(soft)}:{_words(hard)}"
            resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (soft, hard))
        at_fault = "user or group"
        _take_identity(program)
        if not program.service:
            _die_with(daemon)  # once more: the kernel forgets it when the identity changes
        at_fault = program.argv[0]
        os.umask(program.umask)
        _hear_all_signals(unusual)
        os.execve(program.argv[0], list(program.argv), dict(program.environment))  # noqa: S606 - no shell is the point
    except Exception as error:  # noqa: BLE001 - the daemon raises it again
        number = (error.errno if isinstance(error, OSError) else None) or WHY.get(type(error), errno.EINVAL)
        os.write(REPORT, f"{number} {at_fault}".encode(errors="surrogateescape"))
    finally:
        os._exit(127)


def _die_with(daemon: int) -> None:
    """
    End when the daemon does, also where it has just done so: a `crm_resource --fail` must not outlive who decided it.

    The next daemon would look, see no failure yet, and send a second one; or this one would hit the next incarnation.
    """
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != daemon:
        os._exit(127)


def allow_many_files() -> None:
    """Let the daemon have as many open files as it may: a thousand services are more than the usual 1024."""
    _, most = OPEN_FILES
    with suppress(OSError, ValueError):
        wanted = ENOUGH_FILES if most == resource.RLIM_INFINITY else min(ENOUGH_FILES, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, OPEN_FILES[0]), most))


def _be_ordinary() -> None:
    """Hand on neither the daemon's protection from want of memory nor its many files: select(2) breaks beyond 1024."""
    resource.setrlimit(resource.RLIMIT_NOFILE, OPEN_FILES)
    with suppress(OSError):
        fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        os.write(fd, ORDINARY)
        os.close(fd)


def _must_be_in(cgroup: str) -> None:
    """Fail where the birth in the cgroup and the move to it were both refused: its limits would not hold."""
    fd = os.open(f"{cgroup}/cgroup.procs", os.O_RDONLY | os.O_CLOEXEC)
    if str(os.getpid()).encode() not in os.read(fd, 65536).split():
        raise PermissionError(errno.EPERM, "")
    os.close(fd)


def _take_priority(nice: int | None) -> None:
    """Be as nice as was asked for; else ordinary, where we may: the daemon may be preferred, and hands it on."""
    if nice is not None:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    elif os.getpriority(os.PRIO_PROCESS, 0):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, 0)


def _words(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)


def _take_identity(program: Program) -> None:
    if program.groups is not None:
        os.setgroups(program.groups)
    if program.group is not None:
        os.setregid(program.group, program.group)
    if program.user is not None:
        os.setreuid(program.user, program.user)


def _hear_all_signals(unusual: Sequence[int]) -> None:
    """
    Ignore, handle and block nothing: nohup or a shell's & may have ignored some, which exec(2) hands on.

    A handler of the daemon's would run right here, in the new process, for a signal that came meanwhile.
    """
    for number in unusual:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
