"""`./dev install` and `uninstall`, below a root directory of their own."""

import os
import re
import subprocess
from pathlib import Path

import pytest

import install
import layout

TOP = Path(install.__file__).parents[1]


def contents(root: Path) -> "dict[str, tuple[int, int]]":
    """Return every path below `root` with its inode and time of change: both change when a file is replaced."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in root.rglob("*") if path.is_file()}


def test_the_agent_that_is_installed_runs_without_its_library(tmp_path: Path) -> None:
    """It is one executable file, readable by the user as whom the controller asks for meta-data."""
    install.install(tmp_path)
    agent = tmp_path / layout.AGENT
    assert agent.stat().st_mode & 0o777 == 0o755
    shown = subprocess.run([agent, "meta-data"], capture_output=True, text=True, check=True, cwd="/")
    assert '<resource-agent name="service"' in shown.stdout


def test_the_commands_are_those_of_the_wheel(tmp_path: Path) -> None:
    """Whoever installs by pip and whoever installs from a checkout get the same commands, run the same way."""
    scripts = re.findall(r'^(\w+) = "(tocsin_daemon[\w.]*):main"$', (TOP / "pyproject.toml").read_text(), re.MULTILINE)
    assert dict(scripts) == layout.COMMANDS
    install.install(tmp_path)
    for command, module in scripts:
        text = (tmp_path / "usr/bin" / command).read_text()
        assert text.startswith("#!/usr/bin/python3 -I\n") and f"from {module} import main" in text


def test_modules_are_compiled_for_the_place_they_are_meant_for(tmp_path: Path) -> None:
    """The tree may be prepared below DIR and appear as / later: a traceback names the final file."""
    install.install(tmp_path)
    (compiled,) = (tmp_path / layout.LIB / "tocsin_daemon/__pycache__").glob("__main__.*.pyc")
    assert b"/usr/lib/tocsin/tocsin_daemon/__main__.py" in compiled.read_bytes()
    assert str(tmp_path).encode() not in compiled.read_bytes()


def test_a_second_install_of_the_same_tree_replaces_nothing(tmp_path: Path) -> None:
    """What is right already is left alone, compiled modules included."""
    install.install(tmp_path)
    before = contents(tmp_path)
    install.install(tmp_path)
    assert contents(tmp_path) == before


def test_uninstall_removes_everything_and_nothing_else(tmp_path: Path) -> None:
    """Directories too, what another Python compiled too; but not what somebody else put beside it."""
    stranger = tmp_path / "usr/bin/other"
    stranger.parent.mkdir(parents=True)
    stranger.touch()
    install.install(tmp_path)
    (tmp_path / layout.LIB / "tocsin_ocf/__pycache__/wire.cpython-399.pyc").touch()
    assert "left alone" in install.uninstall(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [stranger]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_dir()) == ["bin", "usr"]
    assert "nothing to remove" in install.uninstall(tmp_path)


def test_an_older_layout_gives_way(tmp_path: Path) -> None:
    """A module that the tree no longer has would still be imported."""
    install.install(tmp_path)
    gone = tmp_path / layout.LIB / "tocsin_ocf/old/gone.py"
    gone.parent.mkdir()
    gone.touch()
    with (tmp_path / install.MANIFEST).open("a") as manifest:
        manifest.write(f"{gone.relative_to(tmp_path)}\n")
    install.install(tmp_path)
    assert not gone.parent.exists()
    assert "gone.py" not in (tmp_path / install.MANIFEST).read_text()


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    """The agent of a Debian package, say; nothing at all is installed then."""
    (tmp_path / layout.AGENT).parent.mkdir(parents=True)
    (tmp_path / layout.AGENT).write_text("theirs")
    with pytest.raises(install.Refused, match="in the way"):
        install.install(tmp_path)
    assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["theirs"]


def test_without_rights_nothing_is_changed_and_the_reason_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an installation is worse than none."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(install.Refused, match="run as root"):
        install.install(tmp_path)
    assert not list(tmp_path.iterdir())
