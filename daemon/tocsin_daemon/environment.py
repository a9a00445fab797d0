"""The environment of a service: nothing of ours or of Pacemaker's, but what a login would have, and its file's."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import shlex
import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin_ocf.definition import Definition

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MAX_FILE = 256 * 1024
"""Bytes of an environment file; the kernel itself allows little more for one variable's text."""


class BadEnvironment(Exception):
    """An environment file that cannot be used: FILE:LINE and what is wrong."""


def base(user: str) -> dict[str, str]:
    """Return what a program may count on, for the given user ("" means root)."""
    entry = _account(user)
    name, home, shell = (entry.pw_name, entry.pw_dir, entry.pw_shell) if entry else (user, "/", "")
    own = {"HOME": home, "USER": name, "LOGNAME": name, "SHELL": shell or "/bin/sh"}
    return {"PATH": PATH, "LANG": "C.UTF-8", **own}


def _account(user: str) -> pwd.struct_passwd | None:
    """Return the entry of an account, None for a number without one; KeyError for a name without one."""
    if user and not user.isdigit():
        return pwd.getpwnam(user)
    try:
        return pwd.getpwuid(int(user or 0))
    except KeyError:
        return None


def from_file(path: str, *, trusted: bool = False) -> dict[str, str]:
    """
    Return the variables in a file of KEY=VALUE lines; BadEnvironment, OSError. `trusted` as in `read_regular`.

    As in systemd's EnvironmentFile= a value may stand in quotes, and lines that are empty or begin with # or ;
    are comments. Nothing is expanded.
    """
    try:
        text = read_regular(path, MAX_FILE, trusted=trusted).decode("utf-8-sig")
    except ValueError as error:  # UnicodeDecodeError is one
        why = "not UTF-8" if isinstance(error, UnicodeDecodeError) else error
        raise BadEnvironment(f"{path}: {why}") from None
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return dict(_variable(line, f"{path}:{number}") for number, line in lines if line and line[0] not in "#;")


class Untrusted(ValueError):
    """Somebody else could write a file that decides what root runs."""


def read_regular(path: str, limit: int, *, trusted: bool = False) -> bytes:
    """
    Return the bytes of a regular file; OSError, ValueError where it is something else or longer than `limit`.

    A pipe or a device would be waited for, and all services with it. `trusted`: Untrusted where others than root, and
    ourselves, may write it.
    """
    with open(path, "rb", opener=_open_regular) as file:
        if trusted:
            _must_be_ours(os.fstat(file.fileno()))
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"longer than {limit} bytes")
    return data


def _open_regular(path: str, flags: int) -> int:
    """Open nothing else: to open a device may start something, and who may write a pid file may link it to one."""
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        kind = os.fstat(place).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(kind):
            raise ValueError("not a regular file")
        return os.open(f"/proc/self/fd/{place}", flags | os.O_NONBLOCK)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(place)


def _must_be_ours(found: os.stat_result) -> None:
    others = found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and found.st_gid)
    if found.st_uid not in (0, os.geteuid()):
        raise Untrusted(f"belongs to uid {found.st_uid}, who could have root run anything; chown root")
    if others:
        raise Untrusted("others may write it, and have root run anything; chmod go-w")


def _variable(line: str, where: str) -> tuple[str, str]:
    name, equals, value = line.removeprefix("export ").lstrip().partition("=")
    if not equals or not name.isidentifier() or "\0" in value:
        raise BadEnvironment(f"{where}: not NAME=VALUE")  # never the line itself: it may hold a password
    if value[:1] not in ("'", '"'):
        return name, value
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise BadEnvironment(f"{where}: {name}: {str(error).lower()}") from None
    return name, " ".join(words)


def of_service(definition: Definition, own: Mapping[str, str]) -> dict[str, str]:
    """
    Return the whole environment, what comes later winning: base, the definition's file, its variables, and `own`.

    That is how we find the service again.
    """
    variables = base(definition.user)
    if definition.environment_file:
        root = definition.user in ("", "0", "root")
        variables.update(from_file(definition.environment_file, trusted=root))
    return {**variables, **definition.environment, **own}


def identity(user: str, group: str) -> tuple[int | None, int | None, list[int] | None]:
    """Return uid, gid and supplementary groups to run as; None each for the daemon's own. KeyError: unknown."""
    if not user and not group:
        return None, None, None
    entry = _account(user)
    uid = entry.pw_uid if entry else int(user)
    gid = _gid(group) if group else (entry.pw_gid if entry else uid)
    return uid, gid, os.getgrouplist(entry.pw_name, gid) if entry else [gid]


def _gid(group: str) -> int:
    return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
