"""What is installed, where: the same for every way to install."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import install
import layout
import stage


def paths(root: Path) -> "set[str]":
    """Return every file and link below a root, compiled modules left out, and every directory of the list."""
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}
    return {path for path in found if "__pycache__" not in path}


def test_every_way_to_install_puts_the_same_files(tmp_path: Path) -> None:
    """`./dev install` only keeps a list of its own besides."""
    files = layout.layout()
    install.install(tmp_path / "installed")
    stage.stage(tmp_path / "staged", files)
    assert paths(tmp_path / "staged") == set(files)
    assert paths(tmp_path / "installed") - {install.MANIFEST} == set(files)
    for root in ("installed", "staged"):
        assert (tmp_path / root / "etc/tocsin").is_dir()
        for path, file in files.items():
            there = tmp_path / root / path
            assert stat.S_IMODE(there.lstat().st_mode) == stat.S_IMODE(file.mode)
            assert (os.readlink(there).encode() if file.is_link else there.read_bytes()) == file.content


def test_everything_in_git_that_a_module_reads_is_there() -> None:
    """Such as the schema, and the marker of typed packages."""
    files = layout.layout()
    assert f"{layout.LIB}/tocsin_daemon/definition.schema.json" in files
    assert f"{layout.LIB}/tocsin_ocf/py.typed" in files


def test_the_packages_can_be_imported(tmp_path: Path) -> None:
    """By the links, wherever a distribution has its modules."""
    for python in ("usr/lib/python3/dist-packages", "usr/lib/python3.9/site-packages", "usr/lib64/python3.13/a/b"):
        root = tmp_path / python.replace("/", "_")
        stage.stage(root, layout.layout(layout.Places(python=python)))
        code = "import tocsin_ocf.wire, tocsin_daemon.driver; print(tocsin_ocf.__file__)"
        environment = {**os.environ, "PYTHONPATH": str(root / python), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert Path(done.stdout.strip()).resolve() == root / layout.LIB / "tocsin_ocf/__init__.py"


def test_an_rpm_owns_its_directories_and_nobody_elses(tmp_path: Path) -> None:
    """/usr/bin is the system's; a directory of ours that nobody owned would stay behind."""
    stage.stage(tmp_path, layout.layout())
    lines = stage.rpm_files(tmp_path).splitlines()
    owned = {line.split()[1] for line in lines if line.startswith("%dir")}
    assert {"/etc/tocsin", f"/{layout.LIB}", f"/{layout.LIB}/tocsin_daemon/checks", "/usr/share/tocsin"} <= owned
    assert not {"/usr/bin", "/usr/lib", "/usr/share/man/man1", "/etc"} & owned
    files = {line.split()[-1].rstrip("*").lstrip("/") for line in lines} - {path.lstrip("/") for path in owned}
    assert files == set(layout.layout())


def test_a_link_is_replaced_as_a_file_is(tmp_path: Path) -> None:
    """One that leads elsewhere, or a file in its place; what is right already stays."""
    place, link = tmp_path / "a", layout.File(b"b", stat.S_IFLNK | 0o777)
    place.symlink_to("c")
    install.write(place, link)
    before = place.lstat().st_ino
    install.write(place, link)
    assert (os.readlink(place), place.lstat().st_ino) == ("b", before)
    install.write(place, layout.File(b"text"))
    assert place.read_bytes() == b"text" and not place.is_symlink()
    install.write(place, link)
    assert os.readlink(place) == "b" and os.listdir(tmp_path) == ["a"]
