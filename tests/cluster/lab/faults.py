"""What can go wrong with a lab, by name."""

from __future__ import annotations

import subprocess


class LabError(Exception):
    """The lab could not be brought up, ended under its user, or cannot do what was asked."""


class CommandFailed(subprocess.CalledProcessError):
    """A command in a node ended with another status than 0."""

    def __str__(self) -> str:
        """Show what the command said, which the base class does not."""
        return f"{super().__str__()}\nstdout: {self.stdout}\nstderr: {self.stderr}"


def where(code: object) -> str:
    """Say where a function was written, for one that has no name."""
    written = getattr(code, "__code__", None)
    return f"{written.co_filename}:{written.co_firstlineno}" if written else repr(code)
