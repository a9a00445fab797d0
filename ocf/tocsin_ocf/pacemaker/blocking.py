"""The runner that waits: a request in, its answer out, never longer than its timeout."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from typing import Protocol, TypeVar

from tocsin_ocf.pacemaker.command import ENVIRONMENT, Command, End, Reply, Request

_T = TypeVar("_T")


class Runs(Protocol):
    """Who can execute requests and wait for the answers: `Runner`, or a fake in a test."""

    def ask(self, request: Request[_T]) -> _T:
        """Execute a request and return its answer; Fault."""
        ...


class Runner:
    """
    Executes requests on this node, each in a session of its own, in an environment without the caller's.

    They see of the environment a search path and `LC_ALL=C`, and what is given here (CIB_file, say).
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Add variables to the little that every tool gets."""
        self._environment = {**ENVIRONMENT, **(environment or {})}

    def ask(self, request: Request[_T]) -> _T:
        """Execute a request and return its answer; Fault, by name."""
        return request.read(self.run(request))

    def run(self, command: Command) -> Reply:
        """Execute a command by the path that it has; whatever comes of it is a Reply, also that it timed out."""
        pipe = subprocess.PIPE
        stdin = pipe if command.stdin else subprocess.DEVNULL
        try:
            tool = subprocess.Popen(
                command.argv,
                stdin=stdin,
                stdout=pipe,
                stderr=pipe,
                env=self._environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            return Reply(None, stderr=str(error), end=End.NOT_EXECUTED)
        with tool:
            return _waited_for(tool, command)


def _waited_for(tool: subprocess.Popen[bytes], command: Command) -> Reply:
    try:
        out, err = tool.communicate(command.stdin.encode() or None, command.timeout)
    except subprocess.TimeoutExpired:
        _kill(tool)
        return Reply(None, end=End.TIMED_OUT)
    except BaseException:  # the caller's Ctrl-C ends what it started
        _kill(tool)
        raise
    texts = out.decode(errors="replace"), err.decode(errors="replace")
    if tool.returncode < 0:
        return Reply(None, *texts, end=End.KILLED)
    return Reply(tool.returncode, *texts)


def _kill(tool: subprocess.Popen[bytes]) -> None:
    """Kill the tool and what it has started; until it is reaped, its group's number is nobody else's."""
    if tool.returncode is None:
        os.killpg(tool.pid, signal.SIGKILL)
    tool.wait()
