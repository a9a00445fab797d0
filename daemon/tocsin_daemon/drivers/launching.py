"""How a command is started as its definition says: as whom, where, with what; and why it cannot be."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

from tocsin_daemon import environment
from tocsin_daemon.cgroup import CannotLimit, limit
from tocsin_daemon.children import Child, OnEnd, Program
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.drivers.membership import OF_RESOURCE, Membership
from tocsin_ocf import exit_codes, processes
from tocsin_ocf.local import local_fault
from tocsin_ocf.processes import MARK
from tocsin_ocf.programs import find_program

if TYPE_CHECKING:
    from tocsin_daemon.drivers import Means
    from tocsin_daemon.output import Output
    from tocsin_ocf.definition import Definition

UMASK = 0o022
"""Of a service that asks for none: the daemon's own is stricter."""


def prepare(definition: Definition, service: Membership, means: Means) -> bool:
    """
    Find out what is in the way of a start, and make the service's cgroup; CannotStart.

    True where that has its limits; else systemd is to set them (`enclosing`).
    """
    fault = local_fault(definition)
    if fault:
        raise CannotStart(*fault)
    strange = [name for name in definition.limits if not hasattr(resource, f"RLIMIT_{name.upper()}")]
    if strange:
        raise CannotStart(exit_codes.OCF_ERR_INSTALLED, f"limits: {strange[0]} is not known to this system")
    service.cgroup = means.cgroups.prepare(service.resource) if means.cgroups else None
    left = service.cgroup.pids() if service.cgroup else set()
    if left:
        # Of a start that is on no record. The stop that follows a failed start ends them.
        names = [repr(process) for process in map(processes.look, sorted(left)[:3]) if process]
        raise CannotStart(exit_codes.OCF_ERR_GENERIC, f"left of an earlier start: {', '.join(names)}")
    if definition.cgroup and means.cgroups and means.cgroups.is_scope(service.resource):
        return False
    try:
        limit(service.cgroup, definition.cgroup)
    except CannotLimit as error:
        raise CannotStart(exit_codes.OCF_ERR_INSTALLED, str(error)) from None
    return True


def launch(
    definition: Definition, service: Membership, means: Means, output: Output, on_end: OnEnd, scope: str = ""
) -> Child:
    """Execute a service's command, watched, in the directory of its scope if it is in one already; CannotStart."""
    program = _program(definition, service, scope)
    try:
        fd = output.fresh(-1 if program.user is None else program.user)
    except OSError as error:
        raise CannotStart(exit_codes.OCF_ERR_GENERIC, f"its output cannot be kept: {error}") from None
    try:
        child = means.children.spawn(program, on_end, stdout=fd, stderr=fd)
    except OSError as error:
        raise CannotStart(*_why(error, definition)) from None
    finally:
        os.close(fd)
    if means.cgroups and service.cgroup:
        means.cgroups.check(child.pid, service.cgroup)
    return child


def _program(definition: Definition, service: Membership, scope: str) -> Program:
    own = {MARK: service.incarnation, OF_RESOURCE: service.resource}
    try:
        user, group, groups = environment.identity(definition.user, definition.group)
        variables = environment.of_service(definition, own)
    except KeyError as error:
        raise CannotStart(exit_codes.OCF_ERR_INSTALLED, f"no such user or group: {error}") from None
    except environment.BadEnvironment as error:
        raise CannotStart(exit_codes.OCF_ERR_ARGS, str(error)) from None
    except OSError as error:
        raise CannotStart(*_why(error, definition)) from None
    return Program(
        (find_program(definition.command[0]) or definition.command[0], *definition.command[1:]),
        variables,
        definition.directory or "/",
        user,
        group,
        groups,
        umask=int(definition.umask, 8) if definition.umask else UMASK,
        nice=definition.nice,
        limits={name: (soft, hard) for name, (soft, hard) in definition.limits.items()},
        service=True,
        cgroup=scope or (service.cgroup.path if service.cgroup else ""),
        bound=bool(definition.cgroup),
    )


def _why(error: OSError, definition: Definition) -> tuple[int, str]:
    """Return the exit code and reason for a failed execve(2), chdir(2), setrlimit(2) or open(2)."""
    what = f"cannot start {definition.command[0]}: {error.strerror}"
    if error.filename and error.filename != definition.command[0]:
        what += f": {os.fsdecode(error.filename)}"
    codes = {
        FileNotFoundError: exit_codes.OCF_ERR_INSTALLED,
        NotADirectoryError: exit_codes.OCF_ERR_INSTALLED,
        PermissionError: exit_codes.OCF_ERR_PERM,
    }
    return codes.get(type(error), exit_codes.OCF_ERR_GENERIC), what
