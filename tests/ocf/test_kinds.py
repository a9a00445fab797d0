"""Health checks as they are asked for: the target and options of each kind, and every way in which they are wrong."""

import pytest

from tocsin_ocf import kinds, targets, values
from tocsin_ocf.values import Wrong


def wrong(check: object) -> "list[tuple[str, str]]":
    """Return the faults of a check."""
    with pytest.raises(Wrong) as found:
        kinds.check(check)
    return found.value.places


GOOD = [
    {"tcp": "[::1]:80", "send": "PING\r\n", "expect": r"\+PONG"},
    {"tcp": "localhost:1", "window": "3 of 5", "start_grace": 0, "role": "promoted"},
    {"unix": "/run/x", "rise": "2", "fall": 5},
    {"http": "https://[::1]:8443/a?b=c", "status": ["200-299", 304, "401,403"], "verify": False, "server_name": "x"},
    {"http": "https://x", "ca": "/x.pem", "verify": True, "method": "HEAD", "headers": {"X-A": 1}, "socket": "/s"},
    {"http": "http://x/", "status": 204, "body": "(?i)ok"},
    {"exec": ["/bin/x", "a b"], "user": "nobody", "nagios": True, "name": "é"},
    {"file": "/x", "exists": False},
    {"file": "/x", "max_age": "5m", "contains": "a\nb"},
    {"process": {"rss": {"soft": "1G", "hard": "2G"}, "cpu": "80%", "open_files": 5, "threads": {"soft": 1}}},
    {"process": {"children": {"hard": 5}, "stuck": "30s", "cpu": 250.5}},
    {"listen": 80, "on": "degrade", "on_error": "ignore"},
    {"listen": "[::]:80"},
    {"ocf": "ocf:heartbeat:redis", "parameters": {"port": 1}},
    {"sd_notify": 1.5},
]


@pytest.mark.parametrize("check", GOOD, ids=range(len(GOOD)))
def test_a_good_check_is_what_it_was(check: "dict[str, object]") -> None:
    """Its values stay as they came."""
    assert kinds.check(check) == check


BAD = [
    (5, "", "not a mapping; give its kind and target"),
    ({1: 2}, "", "not a mapping"),
    ({}, "", "a check names exactly one kind: tcp, unix, http, exec, file, process, listen, systemd, ocf, sd_notify"),
    ({"tcp": "a:1", "http": "http://x"}, "", "; not tcp and http; split it"),
    ({"tcp": "a:1", **{f"x{n}": 1 for n in range(50)}}, "", "more than 40 options"),
    ({"sdnotify": "5s"}, "", "none is here; did you mean sd_notify?"),
    ({"tcp": ":80"}, ".tcp", "':80' is not an address"),
    ({"tcp": "::1:80"}, ".tcp", "'::1:80' is not an address"),
    ({"tcp": "a b:80"}, ".tcp", "'a b:80' is not an address"),
    ({"tcp": "a:0"}, ".tcp", "'0' is not a port; give one from 1 to 65535"),
    ({"tcp": "a:1", "send": ""}, ".send", "empty"),
    ({"tcp": "a:1", "name": ""}, ".name", "empty"),
    ({"tcp": "a:1", "name": "x" * 81}, ".name", "too long, or not printable"),
    ({"tcp": "a:1", "interval": 0.0}, ".interval", "no time at all"),
    ({"tcp": "a:1", "rise": 0}, ".rise", "'0' is not a number of looks"),
    ({"tcp": "a:1", "window": "3of5"}, ".window", "'3of5' is not a window"),
    ({"tcp": "a:1", "window": "3 of 101"}, ".window", "'101' is not a number of looks"),
    ({"tcp": "a:1", "window": "3 of 5", "fall": 2}, ".window", "not with fall"),
    ({"tcp": "a:1", "expect": "["}, ".expect", "'[' is not a regular expression: unterminated character set"),
    ({"tcp": "a:1", "expect": "x" * 1001}, ".expect", "a pattern of more than 1000 characters"),
    ({"tcp": "a:1", "expect": "x{99999999999}"}, ".expect", "'x{99999999999}' is not a regular expression"),
    ({"unix": ""}, ".unix", "empty"),
    ({"unix": "x"}, ".unix", "'x' is a relative path"),
    ({"http": "http://x:x/"}, ".http", "'http://x:x/' is not a URL (port could not be cast"),
    ({"http": "http:///x"}, ".http", "'http:///x' is not a URL; give one"),
    ({"http": "http://x/a b"}, ".http", "'http://x/a b' is not a URL; give one"),
    ({"http": "http://x:0/"}, ".http", "'http://x:0/' is not a URL; give one"),
    ({"http": "http://x/#a"}, ".http", "an account, or a part after #"),
    ({"http": "http://x", "status": []}, ".status", "'' is no range"),
    ({"http": "http://x", "status": "200-100"}, ".status", "'200-100' is no range"),
    ({"http": "http://x", "status": "200-"}, ".status", "'' is not a status of HTTP"),
    ({"http": "http://x", "headers": {"a:": "b"}}, ".headers.a:", "not the name of a header"),
    ({"http": "http://x", "headers": {"a": "b\nc"}}, ".headers.a", "a line break or NUL"),
    ({"http": "http://x", "server_name": "y"}, ".server_name", "of no use with http://"),
    ({"http": "https://x", "verify": "no"}, ".verify", "neither true nor false"),
    ({"http": "https://x", "verify": False, "ca": "/x"}, ".ca", "not with verify: false"),
    ({"exec": ""}, ".exec", "missing; give the program"),
    ({"exec": "a 'b"}, ".exec", "no closing quotation"),
    ({"file": "/x", "exists": False, "contains": "x"}, ".contains", "not with exists: false"),
    ({"process": {}}, ".process", "no limit; give one of rss, cpu, open_files"),
    ({"process": 5}, ".process", "not a mapping"),
    ({"process": {"x": 1}}, ".process.x", "unknown; known are rss"),
    ({"process": {"rss": {}}}, ".process.rss", "neither soft nor hard"),
    ({"process": {"rss": {"max": 1}}}, ".process.rss.max", "unknown; known are soft, hard"),
    ({"process": {"rss": {"soft": 2, "hard": 1}}}, ".process.rss", "the soft limit is above the hard one"),
    ({"process": {"cpu": "x"}}, ".process.cpu", "'x' is not a share of a core"),
    ({"listen": "x:y"}, ".listen", "'y' is not a port"),
    ({"systemd": ""}, ".systemd", "empty"),
    ({"ocf": "ocf:redis"}, ".ocf", "'redis' is not an OCF agent"),
    ({"ocf": "heartbeat:../x"}, ".ocf", "'heartbeat:../x' is not an OCF agent"),
    ({"ocf": "a:b", "parameters": {"a-b": 1}}, ".parameters.a-b", "not the name of a parameter"),
    ({"sd_notify": 0}, ".sd_notify", "no time at all"),
]


@pytest.mark.parametrize(("check", "place", "message"), BAD, ids=range(len(BAD)))
def test_a_fault_names_its_place(check: object, place: str, message: str) -> None:
    """And what would be right."""
    ((found_place, found),) = wrong(check)
    assert found_place == place and message in found


def test_every_fault_of_a_check_is_found() -> None:
    """At once."""
    places = [place for place, _ in wrong({"tcp": "x", "timout": 5, "on": "x", "fall": 0})]
    assert places == [".tcp", ".timout", ".on", ".fall"]


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), (5, 5), ("1K", 1024), ("1.5k", 1536), ("2 MiB", 2 << 20), ("2GB", 2 << 30), ("1t", 1 << 40), ("7b", 7)],
)
def test_a_size_is_1024_based(text: object, size: int) -> None:
    """As the kernel's and systemd's."""
    assert values.size(text) == size


@pytest.mark.parametrize("text", ["", "K", "1X", "-1", "1.1.1", "9" * 400, "\u0661"])
def test_what_is_no_size_is_said(text: str) -> None:
    """With an example."""
    with pytest.raises(Wrong, match="is not a size; give bytes, or a number with K, M, G or T, such as 512M"):
        values.size(text)


def test_readers_give_what_checks_work_with() -> None:
    """The daemon's checks read their options by the same functions."""
    assert targets.address("[::1]:80") == ("::1", 80) and targets.address("a:1") == ("a", 1)
    assert targets.listening(80) == ("", 80) and targets.listening("[::]:80") == ("::", 80)
    assert targets.statuses("200, 300-399") == ((200, 200), (300, 399)) == targets.statuses([200, "300-399"])
    assert targets.agent("ocf:a:b") == ("a", "b") == targets.agent("a:b")
    assert targets.levels({"rss": "1K", "cpu": {"soft": 5}}) == {"rss": (None, 1024), "cpu": (5.0, None)}
    assert targets.url("https://x/") == "https://x/" and targets.pattern("a+") == "a+"
    assert kinds.window("3 of 5") == (3, 5) and kinds.parameters(None) == {}


def test_a_fault_has_a_text_or_places() -> None:
    """Both are told alike."""
    assert Wrong("x").places == [("", "x")] and Wrong((".a", "x"), (".b", "y")).places == [(".a", "x"), (".b", "y")]
