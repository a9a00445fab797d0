"""A unit that nobody of ours started: found by a probe, ended by a stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin_ocf import stray_unit
from tocsin_ocf.invocation import Invocation

NOT_RUNNING = (7, "")


class Systemctl:
    """Stands for systemctl; `active` are the units that run."""

    def __init__(self) -> None:
        """Run nothing."""
        self.active: set[str] = set()
        self.stopped: list[str] = []
        self.refusal = ""

    def __call__(self, verb: str, unit: str, seconds: float) -> str:
        """Do it; "" where it is done."""
        if verb == "is-active":
            return "" if unit in self.active else "inactive"
        self.stopped.append(unit)
        self.active -= set() if self.refusal else {unit}
        return self.refusal


@pytest.fixture
def systemctl(monkeypatch: pytest.MonkeyPatch) -> Systemctl:
    """Return systemd as the test wants it."""
    fake = Systemctl()
    monkeypatch.setattr(stray_unit, "systemctl", fake)
    return fake


def asked(**parameters: str) -> Invocation:
    """Return what Pacemaker asks."""
    return Invocation({f"OCF_RESKEY_{name}".encode(): value.encode() for name, value in parameters.items()})


def test_a_probe_sees_a_unit_that_was_enabled_at_boot(systemctl: Systemctl) -> None:
    """Or Pacemaker would start it on another node beside it."""
    systemctl.active = {"web.service"}
    code, reason = stray_unit.probed(asked(unit="web"), NOT_RUNNING)
    assert code == 1
    assert "web.service is active, but was not started by this resource" in reason
    assert stray_unit.probed(asked(unit="db"), NOT_RUNNING) == NOT_RUNNING
    assert stray_unit.probed(asked(command="web"), NOT_RUNNING) == NOT_RUNNING


def test_a_stop_ends_it(systemctl: Systemctl) -> None:
    """Only where it runs; a refusal is a failed stop."""
    systemctl.active = {"web.service"}
    assert stray_unit.stopped(asked(unit="web")) == (0, "")
    assert stray_unit.stopped(asked(unit="web")) == (0, "")
    assert systemctl.stopped == ["web.service"]
    systemctl.active, systemctl.refusal = {"web.service"}, "busy"
    assert stray_unit.stopped(asked(unit="web")) == (1, "web.service is not ours, and cannot be stopped: busy")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("unit: web.service\n", "web.service"),
        ('# a unit\nstop_timeout: 3s\nunit:   "web@a"\n', "web@a.service"),
        ("command: x\nchecks:\n  - systemd: a\n    unit: b\n", ""),
        ("", ""),
        ("unit: /etc/passwd\n", ""),
    ],
)
def test_the_unit_of_a_definition_file_is_found_without_yaml(tmp_path: Path, text: str, name: str) -> None:
    """The agent's Python may have none."""
    path = tmp_path / "web.yaml"
    path.write_text(text)
    assert stray_unit.name_of(asked(config=str(path))) == name


def test_a_file_that_cannot_be_read_names_none(tmp_path: Path) -> None:
    """A stop must not fail for it."""
    assert stray_unit.name_of(asked(config=str(tmp_path / "none"))) == ""
    assert stray_unit.name_of(asked()) == ""
