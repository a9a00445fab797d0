"""What this machine lacks: 5 where something is missing, 4 where rights are."""

from pathlib import Path

import pytest

from tocsin_ocf.definition import Definition
from tocsin_ocf.local import file_fault, local_fault, local_faults, program_fault
from tocsin_ocf.programs import find_program


def of(tmp_path: Path, **more: str) -> "tuple[int, str] | None":
    """Return the fault of a definition whose command is there."""
    return local_fault(Definition(("sh",), **more))  # type: ignore[arg-type]


def test_what_is_there_is_no_fault(tmp_path: Path) -> None:
    """A name in PATH, a path, numbers of accounts, files and directories."""
    (tmp_path / "env").write_text("A=1\n")
    for word in ("sh", "/bin/sh"):
        assert local_fault(Definition((word,), "root", "root", str(tmp_path), str(tmp_path / "env"))) is None
    assert of(tmp_path, user="4242", group="4242") is None


@pytest.mark.parametrize(
    ("more", "code", "reason"),
    [
        ({"user": "no-such"}, 5, "parameter user: there is no user no-such on this node"),
        ({"group": "no-such"}, 5, "parameter group: there is no group no-such on this node"),
        ({"directory": "/nonexistent"}, 5, "parameter directory: /nonexistent: no such file or directory"),
        ({"directory": "/etc/passwd"}, 5, "parameter directory: /etc/passwd is not a directory"),
        (
            {"environment_file": "/nonexistent"},
            5,
            "parameter environment_file: /nonexistent: no such file or directory",
        ),
        ({"environment_file": "/etc/passwd/x"}, 5, "parameter environment_file: /etc/passwd/x: not a directory"),
    ],
)
def test_what_is_missing_is_named_with_its_parameter(
    tmp_path: Path, more: "dict[str, str]", code: int, reason: str
) -> None:
    """The reason names the cause, not the symptom."""
    assert of(tmp_path, **more) == (code, reason)


def test_a_program_that_may_not_be_executed_is_4(tmp_path: Path) -> None:
    """No right is not the same as no program."""
    plain = tmp_path / "plain"
    plain.write_text("")
    plain.chmod(0o644)
    for path in (plain, tmp_path):
        assert local_fault(Definition((str(path),))) == (4, f"parameter command: {path} is not an executable file")


def test_a_file_may_be_no_file_or_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its own code: arguments, rights, missing."""
    (tmp_path / "env").write_text("")
    assert file_fault("config", str(tmp_path)) == (2, f"parameter config: {tmp_path} is not a regular file")
    assert file_fault("config", "") is None and program_fault("daemon", "sh") is None
    monkeypatch.setattr("os.access", lambda path, mode: False)
    unreadable = (4, f"parameter environment_file: {tmp_path}/env cannot be read")
    assert local_fault(Definition(unit="x.service", environment_file=str(tmp_path / "env"))) == unreadable
    assert local_fault(Definition(("none",))) is not None

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.stat", refuse)
    assert local_fault(Definition(("/x",))) == (4, "parameter command: no right to look at /x")
    assert file_fault("config", "/x") == (4, "parameter config: no right to look at /x")


def test_what_checks_lack_is_no_fault_of_a_start() -> None:
    """But one of the file, for whoever checks that here."""
    checks = ({"exec": "/bin/sh -c :", "user": "root"}, {"exec": "none"}, {"tcp": "a:1"}, {"http": "x", "ca": "/none"})
    definition = Definition(("sh",), user="no-such", checks=checks)
    assert [key for key, _, _ in local_faults(definition)] == ["user", "checks[1].exec", "checks[3].ca"]
    assert local_fault(definition) == (5, "parameter user: there is no user no-such on this node")
    assert local_fault(Definition(("sh",), checks=checks)) is None


def test_a_program_is_looked_up_in_a_path_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pacemaker's differs from node to node."""
    monkeypatch.setenv("PATH", "/nonexistent")
    assert (find_program("sh") or "").endswith("/sh")
    assert find_program("no-such-program") is None and find_program("./x") == "./x"
