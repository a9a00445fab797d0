"""The line protocol: whatever comes, a value or a WireError; whatever is written can be read."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tocsin_ocf import wire
from tocsin_ocf.wire import Request, WireError

TOKENS = some.text(string.hexdigits, min_size=1, max_size=64)
NAMES = some.text(string.ascii_letters + string.digits + "_.:-", min_size=1, max_size=60).filter(wire.valid_resource)
VERBS = some.sampled_from(wire.VERBS)
BODIES = some.sampled_from(["", "{}", '{"timeout":1}', '{"command": ["a b", "ü"]}'])


def fields(request: Request) -> "tuple[str, str, str, str]":
    """Return a request as a tuple."""
    return request.token, request.verb, request.resource, request.body


@given(TOKENS, VERBS, NAMES, BODIES)
def test_a_request_is_read_as_it_was_written(token: str, verb: str, name: str, body: str) -> None:
    """Both ends use this module."""
    line = wire.request_line(token, verb, name, body)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert fields(wire.parse_request(line[:-1])) == (token, verb, name, body)


@given(TOKENS, some.integers(0, 255), some.text(max_size=200))
def test_a_reply_is_one_line_and_carries_its_code(proof: str, code: int, text: str) -> None:
    """Whatever the text, lone surrogates too; only line breaks and trailing spaces are lost."""
    line = wire.reply_line(proof, code, text)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert wire.parse_reply(line[:-1], proof)[0] == code


@given(some.text(string.printable).map(lambda text: " ".join(text.split())))
def test_the_text_of_a_reply_comes_as_it_was_sent(text: str) -> None:
    """Spaces inside it are kept."""
    assert wire.parse_reply(wire.reply_line("p", 1, text)[:-1], "p") == (1, text)


@given(some.binary(max_size=300))
def test_garbage_is_no_request(garbage: bytes) -> None:
    """A stranger's bytes end in a WireError and nothing else."""
    with pytest.raises(WireError):
        wire.parse_request(garbage)


@given(some.binary(max_size=300))
def test_garbage_is_no_reply(garbage: bytes) -> None:
    """A squatter's bytes end in a WireError and nothing else."""
    with pytest.raises(WireError):
        wire.parse_reply(garbage, "proof")


@given(some.binary(max_size=60))
def test_garbage_after_the_right_proof_is_a_reply_or_refused(garbage: bytes) -> None:
    """A confused daemon is no crash of the agent."""
    try:
        code, text = wire.parse_reply(b"tocsin/1 proof " + garbage, "proof")
    except WireError:
        return
    assert 0 <= code < 256 and isinstance(text, str)


def test_every_cut_of_a_request_is_refused_or_says_less() -> None:
    """A connection may break anywhere; no cut turns one request into another verb or resource."""
    whole = wire.request_line("token", "START", "web", '{"a":1}')[:-1]
    for end in range(len(whole)):
        try:
            request = wire.parse_request(whole[:end])
        except WireError:
            continue
        assert (request.token, request.verb) == ("token", "START")
        assert "web".startswith(request.resource) and '{"a":1}'.startswith(request.body)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "this daemon speaks tocsin/1"),
        (b"tocsin/2 t STOP web", "this daemon speaks tocsin/1"),
        (b"GET / HTTP/1.1", "this daemon speaks tocsin/1"),
        (b"tocsin/1 t STOP", "a request is: TOKEN VERB RESOURCE [JSON]"),
        (
            b"tocsin/1 t stop web",
            "'stop' is not a verb; known: PING START STOP MONITOR RELOAD PROMOTE DEMOTE NOTIFY STATUS EXPLAIN "
            "EVENTS PAUSE RESUME FAIL",
        ),
        (b"tocsin/1 t STOP ../web", "'../web' is not a resource id"),
        (b"tocsin/1 t STOP  web", "'' is not a resource id"),
        (b"tocsin/1 t STOP w\xff", "not UTF-8"),
    ],
)
def test_the_first_fault_of_a_request_is_named(line: bytes, why: str) -> None:
    """For the person with a terminal."""
    with pytest.raises(WireError) as refused:
        wire.parse_request(line)
    assert str(refused.value) == why


@pytest.mark.parametrize("line", [b"tocsin/1 proof", b"tocsin/1 x 0", b"tocsin/2 proof 0", b"tocsin/1 prooF 0 ok"])
def test_a_reply_without_the_right_proof_is_a_strangers(line: bytes) -> None:
    """Its code means nothing."""
    with pytest.raises(WireError, match="not our daemon"):
        wire.parse_reply(line, "proof")


@pytest.mark.parametrize("code", ["256", "-1", "", "x", "1e1", "٣", "0" * 5000])
def test_what_is_no_exit_code_is_refused(code: str) -> None:
    """Exit statuses are a byte."""
    with pytest.raises(WireError, match="not an exit code"):
        wire.parse_reply(f"tocsin/1 proof {code}".encode(), "proof")


@pytest.mark.parametrize("name", ["web", "web:0", "a_b-c.d", "A1", "größe", wire.EVERY_RESOURCE, "x" * 200])
def test_what_pacemaker_can_call_a_resource_is_a_resource_id(name: str) -> None:
    """An XML id, with an instance number."""
    assert wire.valid_resource(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".x", "-x", "a/b", "a\\b", "a b", "a\nb", "a\0b", "\udcff", "x" * 201, "ü" * 101]
)
def test_what_could_not_be_a_file_name_is_no_resource_id(name: str) -> None:
    """It names the record on disk."""
    assert not wire.valid_resource(name)


def test_a_request_that_is_too_long_is_not_sent() -> None:
    """The daemon would cut it off without a word."""
    wire.request_line("t", "START", "web", "x" * (wire.MAX_REQUEST - 100))
    with pytest.raises(WireError, match="longer than 1048576"):
        wire.request_line("t", "START", "web", "x" * wire.MAX_REQUEST)


def test_a_request_for_what_is_no_resource_is_not_sent() -> None:
    """Neither end relies on the other."""
    with pytest.raises(WireError, match="not a resource id"):
        wire.request_line("t", "STOP", "a b")


def test_secrets_are_compared_whole() -> None:
    """Neither a beginning nor nothing is enough."""
    assert wire.same("abc", "abc")
    assert not wire.same("abc", "ab") and not wire.same("", "abc") and not wire.same("abc", "abd")
