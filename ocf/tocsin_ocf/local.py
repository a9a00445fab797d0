"""
Can this machine run what a definition asks for? The agent asks before a start, the daemon when it starts.

A fault here is a local one: code 5 (not installed) or 4 (no rights) makes Pacemaker try another node, where 6
would stop the resource everywhere.
"""

import os
import stat

from tocsin_ocf import values
from tocsin_ocf.exit_codes import OCF_ERR_ARGS, OCF_ERR_INSTALLED, OCF_ERR_PERM
from tocsin_ocf.programs import PATH, find_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tocsin_ocf.definition import Definition

CHANGING = ("command", "promote_command", "demote_command")
"""Commands that change the state of the service: without one of them it is better not started here."""


def local_fault(definition: "Definition") -> "tuple[int, str] | None":
    """Return exit code and reason of the first thing that keeps the service from being started, None where all is."""
    return next((_named(key, (code, why)) for key, code, why in _of_service(definition)), None)


def local_faults(definition: "Definition") -> "list[tuple[str, int, str]]":
    """Return key, exit code and reason of everything that is not here, what the service runs without included."""
    return [*_of_service(definition), *_of_others(definition), *_of_checks(definition)]


def _of_service(definition: "Definition") -> "Iterator[tuple[str, int, str]]":
    looked = {
        **{key: _program(command[0]) for key in CHANGING if (command := getattr(definition, key))},
        "user": _account("user", definition.user),
        "group": _account("group", definition.group),
        "directory": _directory(definition.directory),
        "environment_file": _file(definition.environment_file),
    }
    yield from ((key, *fault) for key, fault in looked.items() if fault)


def _of_others(definition: "Definition") -> "Iterator[tuple[str, int, str]]":
    """Yield what is not needed to run the service: to be told of others, and to judge it."""
    commands = {
        "notify_command": definition.notify_command,
        "promotion_score.command": definition.promotion_score.get("command"),
    }
    for key, command in commands.items():
        fault = _program(values.command(command)[0]) if command else None
        yield from [(key, *fault)] if fault else ()


def _of_checks(definition: "Definition") -> "Iterator[tuple[str, int, str]]":
    for number, check in enumerate(definition.checks):
        looked = {
            "exec": _program(values.command(check["exec"])[0]) if "exec" in check else None,
            "user": _account("user", values.text(check.get("user"))),
            "ca": _file(values.text(check.get("ca"))),
        }
        yield from ((f"checks[{number}].{key}", *fault) for key, fault in looked.items() if fault)


def program_fault(parameter: str, path: str) -> "tuple[int, str] | None":
    """Return what keeps `path` from being executed."""
    return _named(parameter, _program(path))


def file_fault(parameter: str, path: str) -> "tuple[int, str] | None":
    """Return what keeps the file `path`, where one is given, from being read."""
    return _named(parameter, _file(path))


def _named(parameter: str, fault: "tuple[int, str] | None") -> "tuple[int, str] | None":
    return fault and (fault[0], f"parameter {parameter}: {fault[1]}")


def _program(word: str) -> "tuple[int, str] | None":
    path = find_program(word)
    if path is None:
        return OCF_ERR_INSTALLED, f"no program {word} in {PATH}"
    try:
        found = os.stat(path)
    except OSError as error:
        return _unreachable(path, error)
    if not stat.S_ISREG(found.st_mode) or not os.access(path, os.X_OK):
        return OCF_ERR_PERM, f"{path} is not an executable file"
    return None


def _file(path: str) -> "tuple[int, str] | None":
    try:
        if path and not stat.S_ISREG(os.stat(path).st_mode):
            return OCF_ERR_ARGS, f"{path} is not a regular file"
        if path and not os.access(path, os.R_OK):
            os.stat(path)
            return OCF_ERR_PERM, f"{path} cannot be read"
    except OSError as error:
        return _unreachable(path, error)
    return None


def _directory(path: str) -> "tuple[int, str] | None":
    try:
        if path and not stat.S_ISDIR(os.stat(path).st_mode):
            return OCF_ERR_INSTALLED, f"{path} is not a directory"
    except OSError as error:
        return _unreachable(path, error)
    return None


def _account(kind: str, name: str) -> "tuple[int, str] | None":
    """Return what is missing of an account; a number needs no entry in the database."""
    if not name or name.isdecimal():
        return None
    import grp
    import pwd

    try:
        pwd.getpwnam(name) if kind == "user" else grp.getgrnam(name)
    except KeyError:
        return OCF_ERR_INSTALLED, f"there is no {kind} {name} on this node"
    return None


def _unreachable(path: str, error: OSError) -> "tuple[int, str]":
    if isinstance(error, PermissionError):
        return OCF_ERR_PERM, f"no right to look at {path}"
    return OCF_ERR_INSTALLED, f"{path}: {(error.strerror or 'unusable').lower()}"
