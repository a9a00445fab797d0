"""The environment of a service: nothing of ours or of Pacemaker's, but what a login would have, and its file's."""

from __future__ import annotations

import grp
import os
import pwd
import shlex

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MAX_FILE = 256 * 1024
"""Bytes of an environment file; the kernel itself allows little more for one variable's text."""


class BadEnvironment(Exception):
    """An environment file that cannot be used: FILE:LINE and what is wrong."""


def base(user: str) -> dict[str, str]:
    """Return what a program may count on, for the given user ("" means root)."""
    entry = pwd.getpwnam(user) if user and not user.isdigit() else pwd.getpwuid(int(user or 0))
    shell = entry.pw_shell or "/bin/sh"
    return {
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "HOME": entry.pw_dir,
        "USER": entry.pw_name,
        "LOGNAME": entry.pw_name,
        "SHELL": shell,
    }


def from_file(path: str) -> dict[str, str]:
    """
    Return the variables in a file of KEY=VALUE lines; BadEnvironment, OSError.

    As in systemd's EnvironmentFile= a value may stand in quotes, and lines that are empty or begin with # or ;
    are comments. Nothing is expanded.
    """
    with open(path, encoding="utf-8") as file:
        text = file.read(MAX_FILE + 1)
    if len(text) > MAX_FILE:
        raise BadEnvironment(f"{path}: longer than {MAX_FILE} bytes")
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return dict(_variable(line, f"{path}:{number}") for number, line in lines if line and line[0] not in "#;")


def _variable(line: str, where: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals or not name.isidentifier():
        raise BadEnvironment(f"{where}: {line[:40]!r} is not NAME=VALUE")
    if value[:1] not in ("'", '"'):
        return name, value
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise BadEnvironment(f"{where}: {name}: {error}".lower()) from None
    return name, " ".join(words)


def of_service(user: str, environment_file: str, own: dict[str, str]) -> dict[str, str]:
    """Return the whole environment: base, file, and `own`, which wins for it is how we find the service again."""
    variables = base(user)
    if environment_file:
        variables.update(from_file(environment_file))
    return {**variables, **own}


def identity(user: str, group: str) -> tuple[int | None, int | None, list[int] | None]:
    """Return uid, gid and supplementary groups to run as; None each for the daemon's own. KeyError: unknown."""
    if not user and not group:
        return None, None, None
    entry = pwd.getpwnam(user) if user and not user.isdigit() else pwd.getpwuid(int(user or 0))
    gid = _gid(group) if group else entry.pw_gid
    return entry.pw_uid, gid, os.getgrouplist(entry.pw_name, gid)


def _gid(group: str) -> int:
    return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
