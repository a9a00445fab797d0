"""The check `file`: there or not, how old, and what it says; never waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tocsin_daemon.checks.file import MOST_READ, File
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.core.check import Outcome, Result, Spec

NOW = 2_000_000_000.0


def look(path: Path, **options: object) -> Outcome:
    """Return what one look finds; it is done at once."""
    outside = Outside(reactor=Clock(), resource="web", run=lambda program: Deferred())
    found: list[Outcome] = []
    File(Spec("file", str(path), "file", options=options), outside, wall=lambda: NOW).run().addCallback(found.append)
    return found[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file that is 100 seconds old."""
    path = tmp_path / "state"
    path.write_text("state: running\n")
    os.utime(path, (NOW, NOW - 100))
    return path


def test_a_file_is_there_or_not(file: Path) -> None:
    """Either may be what is wanted."""
    other = file.with_name("other")
    assert look(file) == Outcome(Result.WELL, f"{file} is there")
    assert look(file, exists=False) == Outcome(Result.BAD, f"{file} is there")
    assert look(other) == Outcome(Result.BAD, f"{other} is not there")
    assert look(other, exists=False) == Outcome(Result.WELL, f"{other} is not there")
    assert look(file / "below").result is Result.BAD


def test_a_file_may_be_too_old(file: Path) -> None:
    """By its time of modification; one of the future is not old."""
    assert look(file, max_age="2m").result is Result.WELL
    assert look(file, max_age=60) == Outcome(Result.BAD, f"{file} is 100 s old, more than 60 s")
    os.utime(file, (NOW, NOW + 1000))
    assert look(file, max_age=60).result is Result.WELL


def test_a_pattern_is_searched_in_the_first_64_kib(file: Path) -> None:
    """What is not found is not shown: it may be a secret."""
    assert look(file, contains="running|starting") == Outcome(Result.WELL, f"{file} matches")
    assert look(file, contains="stopped") == Outcome(Result.BAD, f"{file} does not match 'stopped'")
    with file.open("wb") as written:
        written.write(b"\xff" * MOST_READ + b"running")
    assert look(file, contains="running").result is Result.BAD


def test_nothing_is_waited_for(tmp_path: Path) -> None:
    """A pipe without a writer would block an open(2) for ever; a directory has no text."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert look(pipe, contains="x") == Outcome(Result.BAD, f"{pipe} is not a regular file")
    assert look(pipe).result is Result.WELL
    assert look(tmp_path, contains="x").result is Result.BAD


def test_what_cannot_be_looked_at_is_not_the_services_fault(tmp_path: Path) -> None:
    """A link to itself, a name that is too long."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert look(loop).result is Result.ERROR
    assert look(tmp_path / ("x" * 300)).text.endswith("file name too long")
