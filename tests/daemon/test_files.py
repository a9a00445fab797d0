"""Everything on disk: the run directory, records, captured output, environment files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from twisted.logger import capturedLogs

from tocsin_daemon import environment
from tocsin_daemon.core.record import Record
from tocsin_daemon.log_file import SharedLogFile
from tocsin_daemon.output import LINE, READ_AT_ONCE, Output
from tocsin_daemon.store import Locked, Store, Unusable
from tocsin_ocf.definition import Definition


def opened(path: Path) -> Store:
    """Return an open store below `path`."""
    store = Store(str(path / "run"), 9909)
    store.open()
    return store


def test_the_run_directory_is_for_root_alone(tmp_path: Path) -> None:
    """Directories 0700, files 0600, whatever the umask."""
    before = os.umask(0)
    try:
        store = opened(tmp_path)
        store.new_secrets()
        store.save(Record("web"))
    finally:
        os.umask(before)
    directory = tmp_path / "run/9909"
    for path in (directory, directory / "resources", directory / "output"):
        assert path.stat().st_mode & 0o7777 == 0o700
    for path in (directory / "secret", directory / "lock", directory / "resources/web.json"):
        assert path.stat().st_mode & 0o7777 == 0o600


def test_two_daemons_never_share_a_run_directory(tmp_path: Path) -> None:
    """The second is told."""
    first = opened(tmp_path)
    with pytest.raises(Locked, match="another tocsind"):
        opened(tmp_path)
    assert first.rundir.secrets() is None


@pytest.mark.parametrize("what", ["open to others", "a file", "a link", "somebody else's"])
def test_a_directory_that_is_not_ours_alone_is_refused(tmp_path: Path, what: str) -> None:
    """Somebody may have prepared it."""
    directory = tmp_path / "run/9909"
    directory.parent.mkdir()
    if what == "a file":
        directory.write_text("")
    elif what == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        directory.symlink_to(tmp_path / "elsewhere")
    else:
        directory.mkdir(mode=0o755 if what == "open to others" else 0o700)
    if what == "somebody else's":
        if os.geteuid():
            pytest.skip("needs root: chown")
        os.chown(directory, 65534, 65534)
    with pytest.raises(Unusable, match="9909"):
        Store(str(tmp_path / "run"), 9909).open()


def test_secrets_are_new_every_time_and_gone_at_the_end(tmp_path: Path) -> None:
    """Of this daemon's life."""
    store = opened(tmp_path)
    first = store.new_secrets()
    second = store.new_secrets()
    assert len({*first, *second}) == 4
    assert store.rundir.secrets() == second
    store.forget_secrets()
    store.forget_secrets()
    assert store.rundir.secrets() is None


def test_damaged_secrets_are_written_again_whatever_is_left_of_them(tmp_path: Path) -> None:
    """Else no agent could talk to a daemon that lives, nor replace it, for it holds its lock."""
    store = opened(tmp_path)
    store.new_secrets()
    path = Path(store.rundir.secret)
    whole = path.read_text()
    for length in range(len(whole)):
        path.write_text(whole[:length])
        store.keep_secrets()
        assert path.read_text() == whole
    path.unlink()
    os.mkfifo(path)
    path.rename(tmp_path / "fifo")
    path.symlink_to(tmp_path / "fifo")
    store.keep_secrets()
    assert path.read_text() == whole


def test_secrets_that_cannot_be_written_are_said_once(tmp_path: Path) -> None:
    """Nor does it end the daemon."""
    store = opened(tmp_path)
    store.new_secrets()
    os.unlink(store.rundir.secret)
    os.makedirs(f"{store.rundir.secret}/full")
    with capturedLogs() as events:
        store.keep_secrets()
        store.keep_secrets()
    assert [event["fault"] for event in events] == ["was damaged, and cannot be written: Is a directory"]


def test_the_secrets_of_a_successor_are_left_alone(tmp_path: Path) -> None:
    """Somebody removed the run directory, and another daemon made a new one; or nobody did."""
    store = opened(tmp_path)
    store.new_secrets()
    shutil.rmtree(store.rundir.path)
    store.keep_secrets()
    assert not os.path.exists(store.rundir.path)
    other = opened(tmp_path)
    secrets = other.new_secrets()
    store.keep_secrets()
    assert other.rundir.secrets() == secrets


def test_a_log_that_two_daemons_write_to_keeps_the_lines_of_both(tmp_path: Path) -> None:
    """One that finds another in place says so, and ends."""
    one, two = (SharedLogFile("log", str(tmp_path)) for _ in range(2))
    one.write("a daemon serves\n")
    two.write("another tocsind holds the lock\n")
    one.write("and serves on\n")
    one.close()
    two.close()
    assert (tmp_path / "log").read_text().split("\n")[::2] == ["a daemon serves", "and serves on"]
    assert "another tocsind" in (tmp_path / "log").read_text()


def test_an_unreadable_record_is_put_aside_and_named(tmp_path: Path) -> None:
    """The others are read; nothing is lost, nothing crashes."""
    store = opened(tmp_path)
    store.save(Record("db"))
    (tmp_path / "run/9909/resources/web.json").write_text('{"version":1,')
    found = list(store.records())
    assert found[0] == Record("db")
    assert isinstance(found[1], tuple) and found[1][0] == "web"
    assert (tmp_path / "run/9909/resources/web.json.bad").exists()
    assert list(store.records()) == [Record("db")]


def test_output_is_read_once_and_given_back(tmp_path: Path) -> None:
    """What was read takes no room any more, and a later reader begins behind it."""
    path = str(tmp_path / "out")
    output = Output(path)
    fd = output.fresh()
    os.write(fd, b"one\ntwo\nthr")
    assert output.drain() == ["one", "two"]
    assert output.last() == ("one", "two", "thr")
    os.write(fd, b"ee\n")
    assert output.drain() == ["three"]
    assert output.drain() == []
    os.write(fd, b"x" * 100_000 + b"\n")
    output.drain()
    assert os.stat(path).st_blocks * 512 <= 8192
    os.write(fd, b"last\n")
    assert Output(path).drain()[-1].endswith("last")
    os.close(fd)


def test_a_flood_is_read_in_portions_and_long_lines_are_cut(tmp_path: Path) -> None:
    """Other services are watched meanwhile."""
    output = Output(str(tmp_path / "out"))
    fd = output.fresh()
    os.write(fd, b"y\n" * READ_AT_ONCE)
    assert sum(len(line) + 1 for line in output.drain()) <= READ_AT_ONCE
    os.close(fd)
    fd = output.fresh()
    os.write(fd, b"z" * 5000)
    assert [len(line) for line in output.drain()] == [LINE]
    os.close(fd)


@pytest.mark.parametrize("read", ["drain", "rest"])
def test_a_flood_that_is_over_is_not_looked_for_for_ever(tmp_path: Path, read: str) -> None:
    """What was read last filled a whole portion, and nothing follows it; or the next service has written nothing."""
    output = Output(str(tmp_path / "out"))
    fd = output.fresh()
    os.write(fd, b"y\n" * (READ_AT_ONCE // 2))
    getattr(output, read)()
    output.drain()
    assert not output.behind
    os.write(fd, b"y\n" * READ_AT_ONCE)
    output.drain()
    assert output.behind
    output.drain()
    assert not output.behind
    os.close(fd)


def test_output_that_its_service_has_emptied_is_read_from_its_beginning(tmp_path: Path) -> None:
    """A shell's `> /dev/stderr` does so."""
    output = Output(str(tmp_path / "out"))
    fd = output.fresh()
    os.write(fd, b"before\n" * 1000)
    output.drain()
    os.truncate(tmp_path / "out", 0)
    os.write(fd, b"after\n")
    assert output.drain() == ["after"]
    os.close(fd)


def test_a_backlog_beyond_the_limit_is_skipped_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest is kept."""
    monkeypatch.setattr("tocsin_daemon.output.LONGEST_BACKLOG", 100)
    output = Output(str(tmp_path / "out"))
    fd = output.fresh()
    os.write(fd, b"".join(b"%06d\n" % n for n in range(1000)))
    lines = output.drain()
    os.close(fd)
    assert "skipped" in lines[0]
    assert lines[-1] == "000999"


def test_output_without_a_file_is_none(tmp_path: Path) -> None:
    """Nothing was started yet."""
    assert Output(str(tmp_path / "out")).drain() == []


def test_an_environment_file_is_read_as_systemd_reads_it(tmp_path: Path) -> None:
    """Comments, quotes, no expansion."""
    path = tmp_path / "env"
    path.write_text("# a\n;b\n\nA=1\nB = no\nC='x y'\nD=\"$HOME\"\nE=\n".replace("B = no\n", ""))
    assert environment.from_file(str(path)) == {"A": "1", "C": "x y", "D": "$HOME", "E": ""}


@pytest.mark.parametrize("line", ["novalue", "1A=x", "A B=x", "A='x"])
def test_a_faulty_environment_file_names_its_line(tmp_path: Path, line: str) -> None:
    """FILE:LINE and what is wrong."""
    path = tmp_path / "env"
    path.write_text(f"OK=1\n{line}\n")
    with pytest.raises(environment.BadEnvironment, match=f"{path}:2"):
        environment.from_file(str(path))


def test_a_service_gets_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Pacemaker's variables nor the daemon's."""
    monkeypatch.setenv("OCF_RESKEY_password", "secret")
    monkeypatch.setenv("NOTIFY_SOCKET", "@x")
    variables = environment.of_service(Definition(), {"TOCSIN_RESOURCE": "web"})
    assert set(variables) == {"PATH", "LANG", "HOME", "USER", "LOGNAME", "SHELL", "TOCSIN_RESOURCE"}
