"""
Readers of what checks aim at and compare with: addresses, URLs, patterns, HTTP statuses, limits of a process, agents.

The daemon's checks read by them too, so a value that was accepted here means there what it meant here.
"""

from functools import partial

from tocsin_ocf import parts, values
from tocsin_ocf.values import Wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LAST_PORT = 65535
LONGEST_PATTERN = 1000
STATUSES = (100, 599)
IN_AGENTS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def port(value: object) -> int:
    """Return the number of a port."""
    return values.whole(value, 1, LAST_PORT, "a port")


def address(value: object) -> "tuple[str, int]":
    """Return host and port of "HOST:PORT", or of "[::1]:PORT"."""
    found = values.text(value)
    host, colon, number = found.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not _is_host(host) or (":" in host) != bracketed:
        raise Wrong(f"{found[:60]!r} is not an address; give HOST:PORT, such as 127.0.0.1:6379 or [::1]:6379")
    return host, port(number)


def _is_host(host: str) -> bool:
    return bool(host) and len(host) <= 253 and host.isprintable() and not set(host) & set(" /[]@?#%\\\"'")


def listening(value: object) -> "tuple[str, int]":
    """Return host ("" for any) and port of "PORT" or "HOST:PORT"."""
    found = values.text(value)
    return address(found) if ":" in found else ("", port(found))


def url(value: object) -> str:
    """Return an http or https URL."""
    from urllib.parse import urlsplit

    found = values.text(value)
    example = "give one such as http://127.0.0.1:8080/health"
    shown = found.rpartition("@")[2].partition("?")[0][:60]  # without what may be a secret
    try:
        split = urlsplit(found)
        number, host = split.port, split.hostname or ""
    except ValueError as error:
        raise Wrong(f"{shown!r} is not a URL ({str(error).lower()}); {example}") from None
    if split.scheme not in ("http", "https") or not _is_host(host) or set(found) & set(' "<>\\^`{|}') or number == 0:
        raise Wrong(f"{shown!r} is not a URL; {example}")
    if split.username is not None or split.fragment:
        raise Wrong("an account, or a part after #, which is not sent; give a header such as Authorization")
    return found


def pattern(value: object) -> str:
    """Return a regular expression that compiles."""
    import re
    import warnings

    found = values.sendable(value)
    if len(found) > LONGEST_PATTERN:
        raise Wrong(f"a pattern of more than {LONGEST_PATTERN} characters; give a shorter one")
    try:
        with warnings.catch_warnings():  # of what the next Python will read differently
            warnings.simplefilter("ignore")
            re.compile(found)
    except (re.error, RecursionError, OverflowError) as error:
        raise Wrong(
            f"{found[:60]!r} is not a regular expression: {error}; put \\ before what is meant itself"
        ) from None
    return found


def statuses(value: object) -> "tuple[tuple[int, int], ...]":
    """Return lowest and highest of each range of HTTP statuses in 204, "200-399", "200,301-302" or a list of them."""
    items = value if isinstance(value, (list, tuple)) else [value]
    words = [word.strip() for item in items for word in values.text(item).split(",")]
    ranges = [tuple(_status(end) for end in word.split("-", 1)) for word in words]
    if not ranges or any(found[0] > found[-1] for found in ranges):
        raise Wrong(f"{', '.join(words)[:40]!r} is no range; give the lower first, such as 200-399")
    return tuple((found[0], found[-1]) for found in ranges)


def _status(word: str) -> int:
    return values.whole(word, *STATUSES, "a status of HTTP")


def agent(value: object) -> "tuple[str, str]":
    """Return provider and type of "ocf:heartbeat:redis" or "heartbeat:redis"."""
    found = values.text(value).removeprefix("ocf:")
    provider, _, name = found.partition(":")
    if not provider or not name or set(provider + name) - IN_AGENTS or provider[0] == "." or name[0] == ".":
        raise Wrong(f"{found[:60]!r} is not an OCF agent; give PROVIDER:TYPE, such as heartbeat:redis")
    return provider, name


def percent(value: object) -> float:
    """Return percent of one core: 100 is one core, 250 two and a half."""
    text = values.text(value).replace(" ", "").removesuffix("%")
    digits = text.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 9):
        raise Wrong(f"{text[:20]!r} is not a share of a core; give percent, such as 80 (100 is one whole core)")
    return float(text)


LEVELS: "dict[str, Callable[[object], float]]" = {
    "rss": values.size,
    "cpu": percent,
    "open_files": partial(values.whole, least=0, most=values.LAST_SIZE, what="a number of open files"),
    "threads": partial(values.whole, least=0, most=values.LAST_SIZE, what="a number of threads"),
    "children": partial(values.whole, least=0, most=values.LAST_SIZE, what="a number of children"),
    "stuck": values.seconds,
}


def levels(value: object) -> "dict[str, tuple[float | None, float | None]]":
    """Return soft and hard limit, None for what is not given, by what a process check measures."""
    if value in (None, "", {}):
        raise Wrong(f"no limit; give one of {', '.join(LEVELS)}")
    return parts.each(value, _level)


def _level(name: str, value: object) -> "tuple[float | None, float | None]":
    if name not in LEVELS:
        raise Wrong(values.unknown(name, LEVELS))
    if not isinstance(value, dict):
        return None, LEVELS[name](value)
    ends = values.gather((f".{end}", partial(_end, name, end, item)) for end, item in value.items())
    soft, hard = ends.get(".soft"), ends.get(".hard")
    if soft is None and hard is None:
        raise Wrong("neither soft nor hard; give one limit, or both")
    if soft is not None and hard is not None and soft > hard:
        raise Wrong("the soft limit is above the hard one; turn them round")
    return soft, hard


def _end(name: str, end: str, item: object) -> float:
    if end not in ("soft", "hard"):
        raise Wrong(values.unknown(end, ("soft", "hard")))
    return LEVELS[name](item)
