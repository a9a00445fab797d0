"""
The line protocol between agent (or `tocsin`) and `tocsind`: bytes in, values out, for both ends.

One request per connection, one line each way, UTF-8, ended by a newline:

    tocsin/1 TOKEN VERB RESOURCE [{json}]       request
    tocsin/1 PROOF CODE TEXT...                 reply

TOKEN lets the client in; PROOF shows that the listener is our daemon and not another process that took the
port. CODE is an OCF exit code. TEXT is an exit reason, or one line of JSON for the verbs in `STATE_VERBS`, so
that a monitor parses no JSON. The protocol's number comes first, so that two versions disagree politely.
"""

from _operator import _compare_digest as compare_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

PROTOCOL = "tocsin/1"
STATE_VERBS = ("STATUS", "EXPLAIN", "EVENTS", "PAUSE", "RESUME", "FAIL")
"""What an administrator asks, and is answered in JSON where the code is 0."""
VERBS = ("PING", "START", "STOP", "MONITOR", "RELOAD", "PROMOTE", "DEMOTE", "NOTIFY", *STATE_VERBS)
EVERY_RESOURCE = "-"
"""The RESOURCE of a STATUS that asks for all of them; no XML id can begin with a dash."""

MAX_REQUEST = 1024 * 1024
"""
Bytes of a request line: a NOTIFY lists a clone's instances and their nodes several times over.

The 3200 instances of a clone on 32 nodes, a hundred on each, take about two thirds of it.
"""
MAX_REPLY = 4 * 1024 * 1024
"""Bytes of a reply line: a STATUS of a thousand resources fits."""
NAME_BYTES = 200
"""Bytes of a resource id: with its ending it still is a file name (NAME_MAX is 255)."""


class WireError(Exception):
    """The other end sent what this protocol does not allow; the text says what."""


class Request:
    """One parsed request: `token` is not verified yet, `body` is JSON text or ""."""

    __slots__ = ("body", "resource", "token", "verb")

    def __init__(self, token: str, verb: str, resource: str, body: str = "") -> None:
        """Keep the four fields as they came."""
        self.token = token
        self.verb = verb
        self.resource = resource
        self.body = body


def request_line(token: str, verb: str, resource: str, body: str = "") -> bytes:
    """Return the line that asks `verb` of `resource`; WireError where it would not fit or not parse."""
    if not valid_resource(resource):
        _refuse(f"{resource!r} is not a resource id")
    line = f"{PROTOCOL} {token} {verb} {resource} {body}".rstrip(" ").encode() + b"\n"
    if len(line) > MAX_REQUEST:
        _refuse(f"a request of {len(line)} bytes is longer than {MAX_REQUEST}")
    return line


def parse_request(line: bytes) -> Request:
    """Return the request in `line` (without its newline); WireError names the first fault."""
    words = _text(line).split(" ", 4)
    if words[0] != PROTOCOL:
        _refuse(f"this daemon speaks {PROTOCOL}")
    if len(words) < 4:
        _refuse("a request is: TOKEN VERB RESOURCE [JSON]")
    if words[2] not in VERBS:
        _refuse(f"{words[2]!r} is not a verb; known: {' '.join(VERBS)}")
    if not valid_resource(words[3]):
        _refuse(f"{words[3]!r} is not a resource id")
    return Request(*words[1:])


def reply_line(proof: str, code: int, text: str) -> bytes:
    """Return the line that answers with an OCF exit code and a text (made one line)."""
    line = f"{PROTOCOL} {proof} {code} {text}".replace("\n", " ").rstrip(" ")
    return line.encode("utf-8", "replace") + b"\n"


def parse_reply(line: bytes, proof: str) -> "tuple[int, str]":
    """Return code and text of a reply; WireError where it does not come from the daemon that knows `proof`."""
    words = _text(line).split(" ", 3)
    if len(words) < 3 or words[0] != PROTOCOL or not same(words[1], proof):
        _refuse("the listener is not our daemon")
    if not (words[2].isascii() and words[2].isdigit() and len(words[2]) < 4 and int(words[2]) < 256):
        _refuse(f"{words[2][:20]!r} is not an exit code")
    return int(words[2]), words[3] if len(words) > 3 else ""


def same(one: str, other: str) -> bool:
    """Compare two secrets in constant time."""
    return compare_digest(one.encode(), other.encode())


def valid_resource(name: str) -> bool:
    """Tell whether `name` can be a resource id: an XML id, hence also a harmless file name of its own."""
    if name == EVERY_RESOURCE:
        return True
    if not name.isprintable() or not 0 < len(name.encode()) <= NAME_BYTES:
        return False
    return name[0] not in ".-" and not set(name) & set("/ \\")


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        _refuse("not UTF-8")


def _refuse(why: str) -> "NoReturn":
    raise WireError(why)
