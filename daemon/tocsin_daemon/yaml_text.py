"""
YAML as an administrator writes it: nodes with their lines, or faults in plain words.

The only importer of yaml. Of YAML's features a definition needs few, and the others are refused, because each is a
way to mean something else than what stands there: aliases (a few lines can stand for gigabytes), tags, two documents.
What is read is bounded in size, number and depth, so that no file holds up the daemon.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any, Protocol, cast

import yaml

MOST_VALUES = 4000
"""Keys and values of a file; ten times what a hundred checks need, and read in a fifth of a second."""
DEEPEST = 24
TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SENTENCES = (
    ("'\\t' that cannot start", "a tab; YAML indents with spaces"),
    ("that cannot start any token", "this character begins no value; put the value in quotes"),
    ("expected the node content", "this character begins no value; put the value in quotes"),
    ("mapping values are not allowed", "a second colon, or wrong indentation; put a value that holds ': ' in quotes"),
    ("could not find expected ':'", "neither KEY: VALUE nor indented below a key; write a colon and a space"),
    ("unexpected end of stream", "a quote that is opened here is never closed"),
    ("unknown escape character", "in double quotes \\ begins an escape; use single quotes, or \\\\"),
    ("expected <block end>", "this does not fit what is above; look at the indentation, put values with [ { in quotes"),
    ("but found '<stream end>'", "a bracket is not closed; put a value that begins with [ or { in quotes"),
    (
        "expected ',' or",
        "a bracket is not closed, or a comma is missing; put a value that begins with [ or { in quotes",
    ),
    ("another document", "a second document begins here; one file defines one service"),
)
"""What PyYAML's problem holds, and what is said instead."""
FOUND_LATE = ("unexpected end of stream", "document separator", "could not find expected ':'")
"""What is found lines after the place where it is wrong: a quote that is never closed is found where the file ends."""


class Unreadable(Exception):
    """A text is not the YAML that is wanted: the line, and why."""

    def __init__(self, line: int, why: str) -> None:
        """Keep both."""
        super().__init__(why)
        self.line = line
        self.why = why


class Mark(Protocol):
    """A place in the text."""

    line: int


class Node(Protocol):
    """A node as PyYAML composes it: `id` is scalar, sequence or mapping."""

    id: str
    tag: str
    style: str | None
    value: Any
    start_mark: Mark


class _Bounded(yaml.SafeLoader):
    """Composes nodes without aliases and tags, so many and so deep at most."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.faults: list[tuple[int, str]] = []
        self._count = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()
        line = event.start_mark.line + 1
        self._count += 1
        if self._count > MOST_VALUES:
            raise Unreadable(line, f"more than {MOST_VALUES} values; a service definition is a page or two")
        if self._depth >= DEEPEST:
            raise Unreadable(line, "nested too deeply; look at the indentation and the brackets")
        if isinstance(event, yaml.AliasEvent):
            self.get_event()
            self.faults.append((line, f"*{event.anchor[:40]} is an alias; write out what it stands for"))
            return yaml.ScalarNode("tag:yaml.org,2002:null", "", event.start_mark, event.end_mark)
        if event.tag not in TEXT_TAGS:
            self.faults.append((line, f"{event.tag[:40]} is a tag, which means nothing here; remove it"))
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def decode(data: bytes) -> str:
    """Return the text of a file; Unreadable where it is not UTF-8."""
    if data.startswith(UTF_16):
        raise Unreadable(1, "this is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(line, f"not UTF-8: byte 0x{data[error.start]:02x}; save it as UTF-8") from None
    if "\0" in text:
        raise Unreadable(text.count("\n", 0, text.index("\0")) + 1, "a NUL byte; this is no text in UTF-8")
    return text


def compose(text: str) -> tuple[Node | None, list[tuple[int, str]]]:
    """Return the root of a text, None for an empty one, and faults with their lines; Unreadable where there is none."""
    loader = None
    try:
        loader = _Bounded(text)
        return cast("Node | None", loader.get_single_node()), loader.faults
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(line, "not YAML: a control character stands here; remove it") from None
    except yaml.MarkedYAMLError as error:
        raise Unreadable(_line(error), f"not YAML: {_sentence(error)}") from None
    except (RecursionError, ValueError, OverflowError) as error:  # PyYAML's own: "\U99999999" in quotes, %YAML 99999...
        line = loader.line + 1 if loader else 1
        raise Unreadable(line, f"not YAML: {str(error)[:80].lower()}") from None


def _line(error: yaml.MarkedYAMLError) -> int:
    """Return where to look."""
    begun = any(holds in str(error.problem) for holds in FOUND_LATE)
    mark = (error.context_mark if begun else error.problem_mark) or error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


def _sentence(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem)
    return next((said for holds, said in SENTENCES if holds in problem), problem)


def pairs(node: Node) -> Iterator[tuple[str, int, Node]]:
    """Yield key, line and value of a mapping's items; a key is the text that stands there: `on` is no truth value."""
    for key, value in node.value:
        name = str(key.value) if key.id == "scalar" else ""
        yield name, key.start_mark.line + 1, value
