"""Where programs are looked for: in the same directories on every node, whatever PATH Pacemaker was started with."""

import os

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Pacemaker's own PATH differs from node to node."""


def find_program(word: str) -> "str | None":
    """Return the path of a program as execve(2) takes it, None where PATH has none of this name."""
    if "/" in word:
        return word
    places = (f"{directory}/{word}" for directory in PATH.split(":"))
    return next((place for place in places if is_program(place)), None)


def is_program(path: str) -> bool:
    """Tell whether there is a file that the caller may execute."""
    return os.path.isfile(path) and os.access(path, os.X_OK)
