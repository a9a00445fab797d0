"""The run directory: secrets are believed only where nobody else can have written or read them."""

import fcntl
import os
from pathlib import Path

import pytest

from tests.requirements import require_root
from tocsin_ocf.rundir import Rundir


@pytest.fixture
def rundir(tmp_path: Path) -> Rundir:
    """Return a run directory with secrets as the daemon leaves them."""
    found = Rundir(str(tmp_path), 9909)
    os.makedirs(found.resources, 0o700)
    secret(found, "token\nproof\n")
    return found


def secret(rundir: Rundir, text: str, mode: int = 0o600) -> None:
    """Write the secrets."""
    with open(os.open(rundir.secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    os.chmod(rundir.secret, mode)


def test_the_secrets_are_two_words(rundir: Rundir) -> None:
    """TOKEN and PROOF."""
    assert rundir.secrets() == ("token", "proof")


def test_where_no_daemon_was_there_are_none(tmp_path: Path) -> None:
    """Neither without the file, nor the directory, nor a directory at all."""
    (tmp_path / "file").write_text("")
    places = (tmp_path, tmp_path / "missing", tmp_path / "file")
    assert [Rundir(str(place), 1).secrets() for place in places] == [None, None, None]
    assert [Rundir(str(place), 1).has_record("web") for place in places] == [False, False, False]


@pytest.mark.parametrize("text", ["", "one", "one two three", "\xff"])
def test_what_is_not_two_words_is_no_secret(rundir: Rundir, text: str) -> None:
    """A daemon that is just writing them is no daemon yet."""
    secret(rundir, text)
    assert rundir.secrets() is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o700 | 0o011])
def test_rights_that_were_given_away_are_taken_back(rundir: Rundir, mode: int) -> None:
    """Chmod -R by an administrator must not fail a stop."""
    secret(rundir, "token proof", mode)
    os.chmod(rundir.path, 0o755)  # noqa: S103 - that is the mistake
    assert rundir.secrets() == ("token", "proof")
    assert os.stat(rundir.secret).st_mode & 0o777 == 0o600
    assert os.stat(rundir.path).st_mode & 0o777 == 0o700


def test_the_lock_tells_whether_our_daemon_lives(rundir: Rundir) -> None:
    """Held from before it listens to its very end."""
    assert not rundir.held()
    with open(rundir.lock, "w") as lock:
        assert not rundir.held()
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert rundir.held()
    assert not rundir.held()


def test_secrets_of_somebody_else_are_none_to_trust(rundir: Rundir) -> None:
    """Whoever wrote them can prove anything."""
    require_root()
    os.chown(rundir.secret, 65534, 65534)
    with pytest.raises(PermissionError, match="not a file of this user"):
        rundir.secrets()


def test_a_link_is_not_followed(rundir: Rundir, tmp_path: Path) -> None:
    """It would make root read what somebody else chose."""
    os.rename(rundir.secret, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", rundir.secret)
    with pytest.raises(PermissionError, match="cannot be read"):
        rundir.secrets()


def test_a_pipe_or_directory_in_their_place_does_not_hang(rundir: Rundir) -> None:
    """Opening a pipe waits for a writer, unless told not to."""
    for make in (os.mkfifo, os.mkdir):
        os.unlink(rundir.secret)
        make(rundir.secret, 0o600)
        with pytest.raises(PermissionError):
            rundir.secrets()


def test_a_record_is_found_by_the_resources_name(rundir: Rundir) -> None:
    """With its instance number."""
    Path(rundir.record("web:1")).write_text("{}")
    assert rundir.has_record("web:1") and not rundir.has_record("web")


def test_torn_secrets_are_none_or_do_not_prove_anything(rundir: Rundir) -> None:
    """At whatever length: a part of the proof is not the proof."""
    whole = f"{'t' * 32}\n{'p' * 32}\n"
    for length in range(len(whole) - 1):
        Path(rundir.secret).write_text(whole[:length])
        found = rundir.secrets()
        assert found is None or found[1] != "p" * 32
