"""The file of hooks: what it says, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin_daemon.core.happening import Happening
from tocsin_daemon.hooks import configuration
from tocsin_daemon.hooks.configuration import parse

EXAMPLES = Path(__file__).resolve().parents[3] / "packaging/examples"


def test_the_example_is_good_and_documented_keys_are_all_there_are() -> None:
    """What is commented out in it as well."""
    text = (EXAMPLES / "hooks.conf").read_text()
    hooks, faults = parse("hooks.conf", text)
    assert faults == [] and hooks[0].events == {Happening.INCIDENT, Happening.RECOVERY}
    commented = [line[3:] for line in text.splitlines() if line.startswith(("  #-", "  #  "))]
    hooks, faults = parse("hooks.conf", "\n".join(["hooks:", *commented]))
    assert faults == [] and hooks[-1].name == "https://events.example.org" and "Bearer" not in repr(hooks)
    assert all(f"{key}:" in text for key in configuration.READERS)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("hooks:\n  - {}", "2: hooks[0]: a hook has either"),
        ("hooks:\n  - command: /bin/a\n    url: http://x", "2: hooks[0]: a hook has either"),
        ("hooks:\n  - command: page", "2: hooks[0].command: 'page' is not an absolute path"),
        ("hooks:\n  - url: ftp://x", "2: hooks[0].url: not a URL"),
        ("hooks:\n  - url: http://x:0/", "2: hooks[0].url: not a URL"),
        ("hooks:\n  - url: http://x:99999999/", "2: hooks[0].url: not a URL"),
        ('hooks:\n  - url: "http://x/\\r\\nX: y"', "2: hooks[0].url: "),
        ('hooks:\n  - url: http://x\n    headers: {A: "b\\r\\nC: d"}', "3: hooks[0].headers: a mapping"),
        ("hooks:\n  - command: /bin/a\n    headers: {A: b}", "3: hooks[0].headers: only with `url`"),
        ("hooks:\n  - command: /bin/a\n    events: [incidents]", "3: hooks[0].events: "),
        ("hooks:\n  - command: /bin/a\n    events: []", "3: hooks[0].events: a list of"),
        ("hooks:\n  - command: /bin/a\n    timeout: 1h", "3: hooks[0].timeout: at most 300 s"),
        ("hooks:\n  - command: /bin/a\n    timout: 1s", "3: hooks[0].timout: "),
        ("hooks:\n  - page", "2: hooks[0]: a hook is a mapping"),
        ("hook: []", "1: write `hooks:`"),
        ("hooks: []\nmore: 1", "2: more: "),
        ("- a", "1: write `hooks:`"),
        ("hooks:\n" + "  - command: /bin/a\n" * 9, "10: hooks[8]: more than 8 hooks"),
    ],
)
def test_a_fault_is_told_with_its_line_and_key(text: str, fault: str) -> None:
    """And there are no hooks then."""
    hooks, faults = parse("F", text)
    assert hooks == [] and any(line.startswith(f"F:{fault}") for line in faults), faults


def test_an_empty_file_and_none_are_no_hooks(tmp_path: Path) -> None:
    """Nobody has to have one."""
    assert parse("F", "# nothing") == ([], []) and configuration.read(str(tmp_path / "none")) == ([], [])


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """Root runs what it says."""
    path = tmp_path / "hooks.conf"
    path.write_text("hooks:\n  - command: /bin/a\n")
    path.chmod(0o666)
    hooks, (fault,) = configuration.read(str(path))
    assert hooks == [] and fault.startswith(f"{path}:1: ")
