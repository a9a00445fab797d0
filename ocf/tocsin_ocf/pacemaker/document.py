"""
Replies as documents: the one place where XML is read, and the few words that it uses for truth, numbers and time.

With `--output-as=xml` each tool answers with `<pacemaker-result api-version request>` around what it has to say, and
`<status code message>` with `<error>`s in it; the schemas are /usr/share/pacemaker/api/api-result.rng. Attributes and
elements that are not known here are newer than this and do not matter, as long as the major version is the same.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tocsin_ocf.pacemaker.command import End, Reply
from tocsin_ocf.pacemaker.faults import BadVersion, Killed, NotInstalled, TimedOut, Unreadable, fault_of

AS_XML = "--output-as=xml"
RESULT = "<pacemaker-result"
API = "2"
"""Major version of the replies that are known here: of Pacemaker 2.0.3 to 3.0."""
NO_EXIT = {End.TIMED_OUT: TimedOut, End.NOT_EXECUTED: NotInstalled, End.KILLED: Killed}
UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "usec": 1e-6}
UNITS.update({"m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0})
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
ISO_DURATION = re.compile(r"p(?:(\d+)d)?t?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
INFINITY = 1_000_000
"""Pacemaker's largest score and fail count."""


def document(reply: Reply, *fine: int) -> ElementTree.Element:
    """
    Return the document in a reply, behind whatever a library printed before it.

    Exit statuses other than 0 and `fine`, and a document whose own status is another than these, are raised by name.
    """
    _refuse(reply, *fine)
    found = _parsed(reply.stdout)
    if found is None:
        raise Unreadable(f"unreadable XML: {reply.stdout.strip()[:80]!r}", reply.code)
    if found.tag == "pacemaker-result":
        version = found.get("api-version", API)
        if version.partition(".")[0] != API:
            raise BadVersion(f"replies of API version {version} are not known here", reply.code)
        status = found.find("status")
        code = number(status, "code") if status is not None else 0
        if code not in (0, *fine):
            raise fault_of(said(reply, found), code)
    return found


def text(reply: Reply) -> str:
    """Return what a tool without XML printed; Fault by its exit status."""
    _refuse(reply)
    return reply.stdout


def texts(reply: Reply, path: str) -> tuple[str, ...]:
    """Return the texts of the elements that a path finds in a reply."""
    return tuple(element.text or "" for element in document(reply).iterfind(path))


def done(reply: Reply) -> None:
    """Expect no answer but success, from a tool with XML or without."""
    if reply.code == 0 and RESULT in reply.stdout:
        document(reply)
    else:
        text(reply)


def said(reply: Reply, root: ElementTree.Element | None = None) -> str:
    """Return the words of a tool that failed: the errors of its document, else what it wrote to standard error."""
    if root is None and RESULT in reply.stdout:
        root = _parsed(reply.stdout)
    if root is None:
        return (reply.stderr or reply.stdout).strip()
    status = root.find("status")
    message = "" if status is None else status.get("message", "")
    return "\n".join(errors_in(root)) or reply.stderr.strip() or message


def errors_in(root: ElementTree.Element) -> list[str]:
    """Return the errors of a document, whatever its status is."""
    return [(error.text or "").strip() for error in root.iterfind("status/errors/error")]


def _refuse(reply: Reply, *fine: int) -> None:
    if reply.code is None:
        words = f": {reply.stderr.strip()}" if reply.stderr.strip() else ""
        raise NO_EXIT[reply.end](f"{reply.end.value}{words}")
    if reply.code not in (0, *fine):
        raise fault_of(said(reply), reply.code)


def _parsed(output: str) -> ElementTree.Element | None:
    start = output.find(RESULT) if RESULT in output else output.find("<")
    try:
        return ElementTree.fromstring(output[max(start, 0) :])
    except ElementTree.ParseError:
        return None


def inner(element: ElementTree.Element | None) -> ElementTree.Element:
    """Return the document that an element holds as text; Unreadable."""
    found = None if element is None else _parsed(element.text or "")
    if found is None:
        raise Unreadable("no XML inside the reply")
    return found


def true(element: ElementTree.Element | None, name: str) -> bool:
    """Return an attribute that is "true" or not."""
    return element is not None and element.get(name) == "true"


def number(element: ElementTree.Element | None, name: str) -> int:
    """Return an attribute that is a whole number, 0 where it is none."""
    return whole("" if element is None else element.get(name, ""))


def whole(word: str) -> int:
    """Return a whole number, 0 of what is none; INFINITY is Pacemaker's million."""
    word = word.strip()
    if word.lstrip("+-") == "INFINITY":
        return -INFINITY if word.startswith("-") else INFINITY
    try:
        return int(word)
    except ValueError:
        return 0


def seconds_in(word: str) -> float:
    """
    Return the seconds of a duration as Pacemaker writes and reads it: "10s", "9ms", "1min", "PT2M", "20".

    Without a unit it is seconds; what is no duration is 0.
    """
    word = word.strip().lower()
    plain = DURATION.fullmatch(word)
    if plain:
        return float(plain.group(1)) * UNITS.get(plain.group(2), 0.0)
    iso = ISO_DURATION.fullmatch(word)
    parts = [float(part or 0) for part in iso.groups()] if iso else [0.0] * 4
    return sum(part * factor for part, factor in zip(parts, (86400, 3600, 60, 1)))
