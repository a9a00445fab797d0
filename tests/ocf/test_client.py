"""One question over a real socket: that is the point. The listener is a stand-in."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.daemon import PROOF, Answer, FakeDaemon, MakeDaemon, says, write
from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.rundir import Rundir
from tocsin_ocf.wire import MAX_REPLY, MAX_REQUEST, WireError


@pytest.fixture
def daemon(tmp_path: Path) -> "Iterator[MakeDaemon]":
    """Return what makes a listener."""
    made: list[FakeDaemon] = []

    def make(answer: Answer) -> FakeDaemon:
        made.append(FakeDaemon(tmp_path, answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


def question(made: FakeDaemon, seconds: float = 5.0) -> "tuple[int, str]":
    """Ask the listener."""
    return ask(made.rundir, made.port, "MONITOR", "web", "{}", seconds)


def test_an_answer_comes_with_code_and_text(daemon: MakeDaemon) -> None:
    """A long one too."""
    text = "x" * 200_000
    assert question(daemon(says(7, text))) == (7, text)


def test_where_no_secret_lies_there_is_no_daemon(tmp_path: Path) -> None:
    """Whoever listens."""
    with pytest.raises(NoDaemon):
        ask(Rundir(str(tmp_path), 1), 1, "MONITOR", "web", "", 1.0)


def test_where_nobody_listens_there_is_no_daemon(daemon: MakeDaemon) -> None:
    """It left its secret behind."""
    made = daemon(says(0))
    with pytest.raises(NoDaemon):
        ask(made.rundir, 1, "MONITOR", "web", "", 1.0)


def test_silence_ends_at_the_deadline(daemon: MakeDaemon) -> None:
    """Whatever the listener does."""
    with pytest.raises(Mute):
        question(daemon(lambda verb: None), 0.1)


@pytest.mark.parametrize(
    "reply",
    [b"tocsin/1\n", f"tocsin/1 {PROOF} x\n".encode(), says(0, proof="?")(""), b"HTTP/1.1 400 Bad Request\n"],
)
def test_whoever_cannot_prove_itself_is_a_stranger(daemon: MakeDaemon, reply: bytes) -> None:
    """Whatever it says."""
    with pytest.raises(Stranger):
        question(daemon(lambda verb: reply), 5.0)


@pytest.mark.parametrize("reply", [b"\n", b"tocsin/1 half a line", b""])
def test_a_daemon_that_closes_without_a_reply_is_asked_until_the_deadline(daemon: MakeDaemon, reply: bytes) -> None:
    """It makes room in a flood, and lives: it holds its lock."""
    made = daemon(lambda verb: reply)
    with pytest.raises(Mute):
        question(made, 0.2)
    assert len(made.asked) > 1


def test_nothing_is_sent_where_no_daemon_of_ours_lives(tmp_path: Path) -> None:
    """The port of a dead one is anybody's; neither its token nor a definition goes there."""
    made = FakeDaemon(tmp_path, says(0), pid=1)
    with pytest.raises(NoDaemon):
        question(made)
    made.close()
    assert made.asked == []


def test_an_endless_reply_is_a_strangers(daemon: MakeDaemon) -> None:
    """It is cut off, not collected."""
    with pytest.raises(Stranger):
        question(daemon(lambda verb: b"x" * (MAX_REPLY + 2)))


def test_a_new_daemons_secret_is_read_again(daemon: MakeDaemon) -> None:
    """The old one closed without a reply, for it was going down."""
    made = daemon(says(0))

    def restarted(verb: str) -> bytes:
        made.answer = says(0, "new", proof="q" * 32)
        write(made.rundir.secret, "t" * 32 + "\n" + "q" * 32 + "\n")
        return b""

    made.answer = restarted
    assert question(made) == (0, "new")


def test_a_daemon_that_vanishes_after_a_closed_connection_is_no_daemon(daemon: MakeDaemon) -> None:
    """It went down between two tries."""
    made = daemon(says(0))

    def gone(verb: str) -> bytes:
        os.unlink(made.rundir.secret)
        return b""

    made.answer = gone
    with pytest.raises(NoDaemon):
        question(made)


def test_a_long_request_arrives_whole(daemon: MakeDaemon) -> None:
    """Definitions can be long."""
    made = daemon(says(0))
    ask(made.rundir, made.port, "START", "web", '{"x":"' + "y" * 60_000 + '"}', 5.0)
    assert len(made.asked[0][2]["x"]) == 60_000


def test_what_does_not_fit_is_not_sent(daemon: MakeDaemon) -> None:
    """The daemon would cut it off."""
    made = daemon(says(0))
    with pytest.raises(WireError):
        ask(made.rundir, made.port, "START", "web", "y" * MAX_REQUEST, 5.0)
    assert made.asked == []
