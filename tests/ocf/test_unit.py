"""Who starts the daemon as a unit, and who has to do without; the real systemd is in tests/systemd."""

from pathlib import Path

import pytest

from tocsin_ocf import unit
from tocsin_ocf.invocation import Invocation


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a node where systemd is pid 1 and knows our unit; `systemctl` does what the test says."""
    monkeypatch.setattr(unit, "BOOTED", str(tmp_path))
    monkeypatch.setattr(unit, "UNIT_DIRS", (str(tmp_path / "none"), str(tmp_path)))
    monkeypatch.setattr(unit, "PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "tocsind@.service").touch()
    says(tmp_path, "exit 0")
    return tmp_path


def says(node: Path, script: str) -> None:
    """Let systemctl be this."""
    program = node / "systemctl"
    program.write_text(f'#!/bin/sh\nprintf "%s " "$@" "$(env)" > {node}/asked\n{script}\n')
    program.chmod(0o755)


def asked(**parameters: str) -> Invocation:
    """Return what Pacemaker asks."""
    return Invocation({f"OCF_RESKEY_{name}".encode(): value.encode() for name, value in parameters.items()})


def test_the_unit_of_the_port_is_started(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a question, and without anything of Pacemaker's environment."""
    assert unit.start_unit(asked(port="1234"), 10)
    words = (node / "asked").read_text().split()
    assert words[:4] == ["--no-ask-password", "--quiet", "start", "tocsind@1234.service"]
    assert {word.partition("=")[0] for word in words[4:]} <= {"PATH", "LC_ALL", "PWD", "_", "SHLVL", "OLDPWD"}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "parameters", [{"daemon": "/opt/tocsind"}, {"daemon_args": "--dry-run"}, {"state_dir": "/tmp/x"}]
)
def test_a_daemon_of_the_administrators_own_is_none(node: Path, parameters: "dict[str, str]") -> None:
    """The unit's command line is another."""
    assert not unit.start_unit(asked(**parameters), 10)
    assert not (node / "asked").exists()


def test_parameters_that_say_the_default_are_the_default(node: Path) -> None:
    """Some write down everything."""
    assert unit.start_unit(asked(daemon="/usr/bin/tocsind", state_dir="/run/tocsin", daemon_args=""), 10)


def test_without_systemd_or_the_unit_nothing_is_tried_or_said(
    node: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a container, or where the agent was installed by hand."""
    (node / "tocsind@.service").unlink()
    assert not unit.start_unit(asked(), 10)
    (node / "tocsind@.service").touch()
    monkeypatch.setattr(unit, "BOOTED", str(node / "none"))
    assert not unit.start_unit(asked(), 10)
    assert capsys.readouterr().err == "" and not (node / "asked").exists()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'Failed to start: no' >&2; echo more >&2; exit 1", "Failed to start: no"),
        ("sleep 5", "Command '['systemctl'"),
        (None, "[Errno 2] No such file or directory: 'systemctl'"),
    ],
)
def test_a_systemd_that_fails_is_named_and_done_without(
    node: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    script: "str | None",
    why: str,
) -> None:
    """Half of the time that is left belongs to the other way."""
    if script is None:
        monkeypatch.setattr(unit, "PATH", "/nonexistent")
    else:
        says(node, script)
    assert not unit.start_unit(asked(), 0.6)
    assert capsys.readouterr().err.startswith(f"tocsind is started without systemd: {why}")


def test_a_service_that_is_a_unit_can_be_stopped_without_the_daemon(node: Path) -> None:
    """A failed stop fences the node; systemd needs no daemon of ours."""
    assert unit.stop_unit("unit web.service", 10) == ""
    assert (node / "asked").read_text().split()[:4] == ["--no-ask-password", "--quiet", "stop", "web.service"]
    says(node, "echo no such unit >&2; exit 5")
    assert unit.stop_unit("unit web.service", 10) == "no such unit"


def test_what_another_driver_runs_is_never_said_to_be_stopped(node: Path) -> None:
    """The process table tells nothing of it."""
    assert "only tocsind" in unit.stop_unit("driver remote", 10)
    assert not (node / "asked").exists()
