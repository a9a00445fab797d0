"""`tocsin log`: of all or of one, across rotations, and as it grows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tocsin_daemon import cli
from tocsin_daemon.admin.log import Reader, only
from tocsin_daemon.core.record import Record
from tocsin_daemon.store import Store

STAMP = "2026-11-21T15:00:00+0000 [tocsin_daemon.assembly#info]"
OWN, DONE, OTHER = f"{STAMP} web | hello", f"{STAMP} web: started", f"{STAMP} web2 | web: no"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with state of `web` and `web2`, and a log of two files."""
    store = Store(str(tmp_path / "run"), 9909)
    store.open()
    for name in ("web", "web2"):
        store.save(Record(name))
    os.close(store._lock)
    os.unlink(store.rundir.lock)
    log = tmp_path / "tocsind-9909.log"
    log.write_text(f"{OWN} 3\n{OTHER}\n{DONE}\n")
    log.with_name(f"{log.name}.1").write_text(f"{OWN} 1\n{OWN} 2\n")
    return tmp_path


def tocsin_log(place: Path, *words: str) -> Result:
    """Run it."""
    return CliRunner().invoke(cli.main, ["--state-dir", str(place / "run"), "log", "--log-dir", str(place), *words])


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ([], [f"{OWN} 1", f"{OWN} 2", f"{OWN} 3", OTHER, DONE]),
        (["web"], [f"{OWN} 1", f"{OWN} 2", f"{OWN} 3", DONE]),
        (["web", "-o"], [f"{OWN} 1", f"{OWN} 2", f"{OWN} 3"]),
        (["web", "-o", "-n", "2"], [f"{OWN} 2", f"{OWN} 3"]),
        (["web", "-n", "0"], []),
        (["web2"], [OTHER]),
        (["-o", "-n", "1"], [OTHER]),
    ],
)
def test_what_is_wanted_of_the_log_is_printed(place: Path, words: list[str], lines: list[str]) -> None:
    """Of rotated files as far as needed, oldest first."""
    result = tocsin_log(place, *words)
    assert result.exit_code == 0 and result.output.splitlines() == lines


def test_what_cannot_be_printed_is_said(place: Path) -> None:
    """No such resource, no log."""
    assert "no resource db" in tocsin_log(place, "db").output
    (place / "tocsind-9909.log").unlink()
    result = tocsin_log(place, "web")
    assert result.exit_code == 1 and "journalctl" in result.output


@pytest.mark.parametrize("words", [[], ["-f"]])
def test_where_nothing_has_run_there_is_nothing_to_follow(
    place: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be waited for in silence."""
    monkeypatch.delattr("tocsin_daemon.admin.following.time")
    words = ["--state-dir", str(place / "none"), "log", "--log-dir", str(place), *words]
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == 1 and "no tocsind has run here" in result.output


def test_a_name_is_no_pattern() -> None:
    """A resource may be called web.1."""
    assert only("web.1", output=True)(f"{STAMP} web.1 | x")
    assert not only("web.1", output=True)(f"{STAMP} webx1 | x")


def test_a_log_is_read_on_through_its_rotation(tmp_path: Path) -> None:
    """No line lost, none twice, none in pieces."""
    path = tmp_path / "log"
    path.write_text("one\ntw")
    with Reader(str(path)) as reader:
        assert list(reader.new()) == ["one"]
        assert list(reader.new()) == []
        with path.open("a") as file:
            file.write("o\nthree\n")
        path.rename(tmp_path / "log.1")
        path.write_text("four\n")
        assert list(reader.new()) == ["two", "three", "four"]
        path.unlink()
        assert list(reader.new()) == []


def test_a_log_that_is_being_rotated_is_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once more it is gone when it is to be opened: the next time it is there."""
    path = tmp_path / "log"
    path.write_text("one\n")

    def gone(_: Reader) -> None:
        raise FileNotFoundError

    with Reader(str(path)) as reader:
        path.rename(tmp_path / "log.1")
        path.write_text("two\n")
        with monkeypatch.context() as patch:
            patch.setattr(Reader, "_open", gone)
            assert list(reader.new()) == ["one"]
        assert list(reader.new()) == ["two"]
