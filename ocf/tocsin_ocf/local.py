"""
Can this machine run what a definition asks for? The agent asks before a start, the daemon when it starts.

A fault here is a local one: code 5 (not installed) or 4 (no rights) makes Pacemaker try another node, where 6
would stop the resource everywhere.
"""

import os
import stat

from tocsin_ocf.exit_codes import OCF_ERR_ARGS, OCF_ERR_INSTALLED, OCF_ERR_PERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.definition import Definition

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where a program without a slash is looked up: Pacemaker's own PATH differs from node to node."""


def local_fault(definition: "Definition") -> "tuple[int, str] | None":
    """Return exit code and reason of the first thing that is not here, None where all is."""
    program = find_program(definition.command[0])
    return (
        (program_fault("command", program or definition.command[0]))
        or _account_fault("user", definition.user)
        or _account_fault("group", definition.group)
        or _directory_fault(definition.directory)
        or file_fault("environment_file", definition.environment_file)
    )


def find_program(word: str) -> "str | None":
    """Return the path of a program as execve(2) takes it, None where PATH has none of this name."""
    if "/" in word:
        return word
    places = (f"{directory}/{word}" for directory in PATH.split(":"))
    return next((place for place in places if os.path.isfile(place) and os.access(place, os.X_OK)), None)


def program_fault(parameter: str, path: str) -> "tuple[int, str] | None":
    """Return what keeps `path` from being executed."""
    if "/" not in path:
        return OCF_ERR_INSTALLED, f"parameter {parameter}: no program {path} in {PATH}"
    try:
        found = os.stat(path)
    except OSError as error:
        return _unreachable(parameter, path, error)
    if not stat.S_ISREG(found.st_mode) or not os.access(path, os.X_OK):
        return OCF_ERR_PERM, f"parameter {parameter}: {path} is not an executable file"
    return None


def file_fault(parameter: str, path: str) -> "tuple[int, str] | None":
    """Return what keeps the file `path`, where one is given, from being read."""
    try:
        if path and not stat.S_ISREG(os.stat(path).st_mode):
            return OCF_ERR_ARGS, f"parameter {parameter}: {path} is not a regular file"
        if path and not os.access(path, os.R_OK):
            os.stat(path)
            return OCF_ERR_PERM, f"parameter {parameter}: {path} cannot be read"
    except OSError as error:
        return _unreachable(parameter, path, error)
    return None


def _directory_fault(path: str) -> "tuple[int, str] | None":
    try:
        if path and not stat.S_ISDIR(os.stat(path).st_mode):
            return OCF_ERR_INSTALLED, f"parameter directory: {path} is not a directory"
    except OSError as error:
        return _unreachable("directory", path, error)
    return None


def _account_fault(kind: str, name: str) -> "tuple[int, str] | None":
    """Return what is missing of an account; a number needs no entry in the database."""
    if not name or name.isdecimal():
        return None
    import grp
    import pwd

    try:
        pwd.getpwnam(name) if kind == "user" else grp.getgrnam(name)
    except KeyError:
        return OCF_ERR_INSTALLED, f"parameter {kind}: there is no {kind} {name} on this node"
    return None


def _unreachable(parameter: str, path: str, error: OSError) -> "tuple[int, str]":
    if isinstance(error, PermissionError):
        return OCF_ERR_PERM, f"parameter {parameter}: no right to look at {path}"
    return OCF_ERR_INSTALLED, f"parameter {parameter}: {path}: {(error.strerror or 'unusable').lower()}"
