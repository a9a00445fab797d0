"""`tocsin pause`, `resume` and `fail`: what is asked of the daemon, and what is said where there is none."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.admin.node import WEB, Node
from tests.fakes.daemon import FrozenDaemon
from tocsin_daemon.admin import intent


@pytest.mark.parametrize("words", [["pause", "web", "-m", "x"], ["resume", "web"], ["fail", "web", "-m", "x"]])
def test_what_only_a_daemon_can_do_says_so_without_one(node: Node, words: list[str]) -> None:
    """And of the unknown, which there are."""
    result = node(*words)
    assert result.exit_code == 1 and "no resource web" in result.output
    node.leave(WEB)
    result = node(*words)
    assert result.exit_code == 1
    assert "no tocsind is running" in result.output and "next monitor" in result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["pause", "web"], "--reason"),
        (["fail", "web"], "--reason"),
        (["pause", "web", "-m", "x", "--for", "soon"], "'soon' is not a time"),
        (["pause", "web", "-m", "x", "--for", "31d"], "at most 30d"),
        (["pause", "web", "-m", "x", "--for", "0s"], "more than 0"),
        (["pause", "web", "-m", "x", "--for", "0d"], "more than 0"),
        (["pause", "web", "-m", "x", "--for", "\u00b2d"], "is not a time"),
        (["explain", "web", "0"], "INCIDENT"),
        (["explain"], "RESOURCE"),
    ],
)
def test_a_slip_is_named(node: Node, words: list[str], says: str) -> None:
    """2, and nothing is asked."""
    result = node(*words)
    assert result.exit_code == 2 and says in result.output


def test_a_pause_is_asked_for_with_all_its_parts(node: Node, asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    """Who became root by sudo is named."""
    monkeypatch.setenv("SUDO_USER", "alice")
    daemon = asked(0, '{"until": 3600.0, "report": "sending"}')
    result = node("pause", "web", "-m", "new disk", "--for", "2d")
    assert result.exit_code == 0 and "paused for 2d" in result.output and "under way already" in result.output
    assert daemon.asked == [("PAUSE", "web", {"seconds": 172800.0, "reason": "new disk", "by": "alice"})]


@pytest.mark.parametrize("sudo", ["", "root", "a\x1bb"])
def test_who_asks_is_the_user_else(monkeypatch: pytest.MonkeyPatch, sudo: str) -> None:
    """By name."""
    monkeypatch.setenv("SUDO_USER", sudo)
    assert intent.caller() == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize("words", [["pause", "web", "-m", "x"], ["fail", "web", "-m", "x"], ["explain", "web"]])
def test_what_the_daemon_refuses_is_said_in_its_words(node: Node, asked: Any, words: list[str]) -> None:  # noqa: ANN401
    """1."""
    asked(1, "web is stopped: only what runs here can be made to fail")
    result = node(*words)
    assert result.exit_code == 1 and "only what runs here" in result.output


def test_a_frozen_daemon_is_told_from_none(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds its lock and does not answer."""
    monkeypatch.setattr("tocsin_daemon.admin.daemons.SECONDS", 0.3)
    frozen = FrozenDaemon(node.state_dir)
    try:
        Path(node.state_dir / str(frozen.port) / "resources/web.json").write_text("{}")
        result = node("pause", "web", "-m", "x")
        assert result.exit_code == 1 and "not answered by tocsind" in result.output
    finally:
        frozen.close()
