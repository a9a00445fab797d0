"""
Reads the file of hooks: all faults at once, each as FILE:LINE: key: what is wrong.

It says what root runs and where what happens is sent, and may hold tokens: so it is a file of root's, not an argument
that everybody sees in /proc or a parameter in the CIB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tocsin_daemon.core.happening import Happening
from tocsin_daemon.environment import Untrusted, read_regular
from tocsin_daemon.yaml_text import Unreadable, compose, decode
from tocsin_daemon.yaml_values import Reader
from tocsin_ocf import values

MAX_BYTES = 64 * 1024
MOST_HOOKS = 8
"""Each runs one command or request at a time, so no more are under way at once."""
LONGEST = 300.0
ALL = frozenset(Happening)
_TEXT = {"type": "string"}
_WORDS = {"type": "array", "items": _TEXT}
_KEYS: dict[str, Any] = {
    "command": {"type": ["string", "array"], "items": _TEXT},
    "url": _TEXT,
    "headers": {"type": "object", "additionalProperties": _TEXT},
    "events": _WORDS,
    "timeout": _TEXT,
}
SHAPE = {"type": "object", "properties": {"hooks": {"type": "array", "items": {"type": "object", "properties": _KEYS}}}}


@dataclass(frozen=True)
class Hook:
    """A command or a URL, what it is told of, and how many seconds it may take; headers may be secret."""

    command: tuple[str, ...] = ()
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    events: frozenset[Happening] = ALL
    timeout: float = 10.0

    @property
    def name(self) -> str:
        """Return what it is called in the log: the program, or the host, for the rest of a URL may be a secret."""
        return self.command[0] if self.command else f"{urlsplit(self.url).scheme}://{urlsplit(self.url).hostname}"


def read(path: str) -> tuple[list[Hook], list[str]]:
    """Return the hooks in a file, or its faults as FILE:LINE: key: message; no hooks where there is no file."""
    try:
        return parse(path, decode(read_regular(path, MAX_BYTES, trusted=True)))
    except FileNotFoundError:
        return [], []
    except Unreadable as error:
        return [], [f"{path}:{error.line}: {error.why}"]
    except (Untrusted, OSError, ValueError) as error:
        return [], [f"{path}:1: {error}"]


def parse(path: str, text: str) -> tuple[list[Hook], list[str]]:
    """Return the hooks in `text`, or its faults; `path` is only named in them. Unreadable where it is no YAML."""
    node, strange = compose(text)
    if node is None:
        return [], []
    reader = Reader(SHAPE)
    value: Any = reader.read(node)
    found = [(line, "", why) for line, why in strange]
    found += [(reader.line(key), key.partition("\0")[0], why) for key, why in [*reader.faults, *_faults(value)]]
    if found:
        return [], [f"{path}:{line}: {key and f'{key}: '}{why}" for line, key, why in sorted(found)]
    return [_hook(one) for one in value["hooks"]], []


def _faults(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - whatever stands in the file
    hooks = value.get("hooks") if isinstance(value, dict) else None
    if not isinstance(hooks, list):
        yield "", "write `hooks:`, and below it a list of them, each with `command` or `url`"
        return
    yield from ((key, values.unknown(key, ["hooks"])) for key in value if key != "hooks")
    if len(hooks) > MOST_HOOKS:
        yield f"hooks[{MOST_HOOKS}]", f"more than {MOST_HOOKS} hooks; let one command do several things"
    for number, hook in enumerate(hooks):
        place = f"hooks[{number}]"
        if not isinstance(hook, dict):
            yield place, "a hook is a mapping, with `command` or `url`"
            continue
        yield from ((f"{place}.{key}", values.unknown(key, _KEYS)) for key in hook if key not in _KEYS)
        if len({"command", "url"} & set(hook)) != 1:
            yield place, "a hook has either `command` or `url`"
        if "headers" in hook and "url" not in hook:
            yield f"{place}.headers", "only with `url`"
        yield from _unreadable(place, hook)


def _unreadable(place: str, hook: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, reader in READERS.items():
        if key in hook:
            try:
                reader(hook[key])
            except values.Wrong as error:
                yield f"{place}.{key}", str(error)


def _hook(found: Mapping[str, Any]) -> Hook:
    return Hook(**{key: READERS[key](value) for key, value in found.items()})


def _program(value: object) -> tuple[str, ...]:
    words = values.command(value)
    if words[0][0] != "/":
        raise values.Wrong(f"{words[0]!r} is not an absolute path")
    return words


def _url(value: object) -> str:
    url = values.given(value)
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise values.Wrong("not a URL that begins with http:// or https://; write % codes for other letters")
    return url


def _headers(value: object) -> dict[str, str]:
    found = value if isinstance(value, dict) else {"": ""}
    for name, text in found.items():
        plain = isinstance(text, str) and text.isascii() and text.isprintable()
        if not plain or not name.replace("-", "").isalnum() or not name.isascii():
            raise values.Wrong("a mapping of header names to texts of one line, in ASCII")
    return dict(found)


def _events(value: object) -> frozenset[Happening]:
    names = [each.value for each in Happening]
    if not isinstance(value, list) or not value:
        raise values.Wrong(f"a list of {', '.join(names)}")
    return frozenset(Happening(values.one_of(name, names)) for name in value)


def _timeout(value: object) -> float:
    seconds = values.duration(value)
    if seconds > LONGEST:
        raise values.Wrong(f"at most {LONGEST:.0f} s: what comes later waits for it")
    return seconds


READERS: dict[str, Callable[[object], Any]] = {
    "command": _program,
    "url": _url,
    "headers": _headers,
    "events": _events,
    "timeout": _timeout,
}
