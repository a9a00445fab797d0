"""Service definitions in YAML: every way in which a file is wrong gives its line and a sentence, never a traceback."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import example
from tests.daemon.faulty_definitions import BYTES, WRONG
from tests.requirements import require_root
from tocsin_daemon import definition_file
from tocsin_daemon.core.check import Spec
from tocsin_daemon.core.spec import specs
from tocsin_ocf import kinds
from tocsin_ocf.definition import KEYS, read
from tocsin_ocf.programs import PATH
from tocsin_ocf.targets import LEVELS

FAST = 2.0
"""Seconds; a tenth of it is usual for the worst, and CI is slow."""


@pytest.mark.parametrize(("text", "line", "said"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    """In a sentence that says what would be right."""
    definition, faults = definition_file.parse("web.yaml", text)
    assert definition is None
    assert [fault for fault in faults if fault.startswith(f"web.yaml:{line}: ") and said in fault], faults


@pytest.mark.parametrize(("data", "line", "said"), BYTES, ids=range(len(BYTES)))
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, line: int, said: str) -> None:
    """Without reading more than a page or two of it."""
    path = tmp_path / "web.yaml"
    path.write_bytes(data)
    definition, (fault,) = definition_file.read(str(path))
    assert definition is None
    assert fault.startswith(f"{path}:{line}: ") and said in fault


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Windows' editors write it."""
    path = tmp_path / "web.yaml"
    path.write_bytes("command: /bin/x\n".encode("utf-8-sig"))
    assert definition_file.read(str(path))[1] == []


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe would hold up all services; a directory is no file, and a missing one an OSError."""
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in definition_file.read(str(tmp_path / "pipe"))[1][0]
    for name in ("none", ""):
        with pytest.raises(OSError, match=r"(?i)no such file|is a directory"):
            definition_file.read(str(tmp_path / name))


def test_what_this_machine_lacks_is_a_fault_only_here(tmp_path: Path) -> None:
    """The file is right, and every missing program, account and file has its line."""
    path = tmp_path / "web.yaml"
    path.write_text(
        "command: /nonexistent/x\nuser: no-such\ndirectory: /nonexistent\n"
        "checks:\n- exec: no-such-program -a\n  user: no-such\n- http: https://x/\n  ca: /nonexistent\n"
    )
    assert definition_file.read(str(path))[1] == []
    assert definition_file.read(str(path), here=True)[1] == [
        f"{path}:1: command: /nonexistent/x: no such file or directory",
        f"{path}:2: user: there is no user no-such on this node",
        f"{path}:3: directory: /nonexistent: no such file or directory",
        f"{path}:5: checks[0].exec: no program no-such-program in {PATH}",
        f"{path}:6: checks[0].user: there is no user no-such on this node",
        f"{path}:8: checks[1].ca: /nonexistent: no such file or directory",
    ]


def test_all_faults_are_told_at_once_in_the_order_of_their_lines() -> None:
    """One round for the administrator, not five; a place is told once."""
    text = "usr: x\nstop_signal: FOO\nchecks:\n- tcp: x\n  timeout: -1\n- 5\nnice: 99\n"
    found = [fault.split(": ")[:2] for fault in definition_file.parse("f", text)[1]]
    assert found == [
        *(["f:1", "command"], ["f:1", "usr"], ["f:2", "stop_signal"], ["f:4", "checks[0].tcp"]),
        *(["f:5", "checks[0].timeout"], ["f:6", "checks[1]"], ["f:7", "nice"]),
    ]


def test_a_scalar_is_what_stands_there() -> None:
    """YAML 1.1 would read 0123 as octal, yes as true, and 1:30 as ninety."""
    definition, faults = definition_file.parse(
        "f",
        "command: [/bin/x, 010, yes, 1e3, ~]\nuser: 0123\numask: 027\nstop_signal: 15\n"
        "environment: {A: 010, B: yes, C: 1:30, D: , 'E': ~}\nchecks:\n- tcp: a:1\n  on: log\n- listen: 080\n",
    )
    assert definition, faults
    assert definition.command == ("/bin/x", "010", "yes", "1e3", "~")
    assert (definition.user, definition.umask, definition.stop_signal) == ("0123", "027", 15)
    assert definition.environment == {"A": "010", "B": "yes", "C": "1:30", "D": "", "E": "~"}
    assert definition.checks == ({"tcp": "a:1", "on": "log"}, {"listen": "080"})


def test_the_settings_of_a_foreign_driver_are_any_json() -> None:
    """Plain scalars are what JSON and YAML 1.2 take them for."""
    text = "driver: acme\nsettings: {a: 1, b: 1.5, c: true, d: ~, e: 0123, f: yes, g: '1', h: [1, {i: -2}], j: 1e400}\n"
    definition, faults = definition_file.parse("f", text)
    assert definition, faults
    assert definition.settings == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": None,
        "e": "0123",
        "f": "yes",
        "g": "1",
        "h": [1, {"i": -2}],
        "j": "1e400",
    }


def test_a_key_without_a_value_is_as_if_it_were_not_there() -> None:
    """A list whose lines are all comments is common; a check without its target is a fault."""
    text = "command: /bin/x\nuser:\nnice: ~\nenvironment:\n  # A: b\nchecks:\n# - tcp: a:1\n"
    assert definition_file.parse("f", text)[0] == read({"command": "/bin/x"})[0]


def uncommented(text: str, without: str = "") -> str:
    """Return the example with every key uncommented but those that match."""
    lines = (re.sub(r"^( *)#(?=[^ #])", r"\1", line) for line in text.splitlines())
    return "\n".join(line for line in lines if not (without and re.match(without, line)))


PROGRAM = r"(unit|driver|settings|pidfile|promote_signal|demote_signal): | *window: "


def test_the_example_is_well() -> None:
    """As it is, and with every key uncommented that goes with a program."""
    assert definition_file.parse("f", example.render())[1] == []
    definition, faults = definition_file.parse("f", uncommented(example.render(), PROGRAM))
    assert definition, faults
    assert {next(iter(check)) for check in definition.checks} == set(kinds.KINDS)
    assert all(isinstance(spec, Spec) for spec in specs(definition.checks))


def test_the_example_has_every_key() -> None:
    """Also those that exclude each other."""
    faults = definition_file.parse("f", uncommented(example.render()))[1]
    assert faults and not [fault for fault in faults if "not with" not in fault and "not allowed" not in fault]
    for key in (*KEYS, *kinds.COMMON, *kinds.KINDS, *(key for kind in kinds.KINDS.values() for key in kind.options)):
        assert re.search(rf"^ *#?(- )?{key}:", example.render(), re.MULTILINE), key


def check_reading(text: str) -> None:
    """Fail where reading raises, takes long, or a fault is not one printable line with a place."""
    begun = time.process_time()  # the machine has other work
    definition, faults = definition_file.parse("web.yaml", text)
    assert time.process_time() - begun < FAST
    assert (definition is None) == bool(faults)
    for fault in faults:
        assert re.match(r"web\.yaml:[0-9]+: \S", fault) and fault.isprintable()
    if definition:
        assert read(json.loads(json.dumps(definition.as_dict()))) == (definition, [])
        specs(definition.checks)


@given(some.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    """Faults, never a traceback."""
    check_reading(text)


@given(some.text(alphabet="ab: -\n[]{}'\"#&*!|>%@`?,<~\t\\1", max_size=200))
def test_no_text_of_yamls_marks_raises(text: str) -> None:
    """The characters that mean something."""
    check_reading(text)


FULL = uncommented(example.render(), PROGRAM)
PIECES = ("", "  ", ":", "- ", "[", "{", "'", "#", "&a ", "*a", "\n", "0")
SHORT = "\n".join(line for line in FULL.splitlines() if line.strip() and not line.strip().startswith("#"))


@settings(deadline=None)
@given(some.data())
def test_no_mutation_of_the_example_raises(data: Any) -> None:  # noqa: ANN401 hypothesis' own type is not public
    """Lines and characters taken out, doubled, exchanged."""
    lines = SHORT.splitlines()
    for _ in range(data.draw(some.integers(1, 5))):
        at, other = (data.draw(some.integers(0, len(lines) - 1)) for _ in range(2))
        column = data.draw(some.integers(0, len(lines[at])))
        piece = data.draw(some.sampled_from([lines[other], *PIECES]))
        lines[at] = lines[at][:column] + piece + lines[at][column + data.draw(some.integers(0, 3)) :]
    check_reading("\n".join(lines))


SCALARS = some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20)
NAMES = some.sampled_from(sorted({*KEYS, *kinds.COMMON, *kinds.KINDS, *LEVELS, "soft", "hard", "status", "body"}))
TREES = some.recursive(
    SCALARS | some.sampled_from(["5s", "2G", "a:1", "http://x/", "/x", "3 of 5", "fail"]),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(NAMES | some.text(max_size=5), inner, max_size=5),
    max_leaves=12,
)


@given(some.dictionaries(NAMES, TREES, max_size=6))
def test_no_structure_raises(tree: dict[str, Any]) -> None:
    """Also as JSON in a START: the same readers, without the schema."""
    check_reading(json.dumps(tree))
    definition, faults = read(tree)
    assert (definition is None) == bool(faults)


@pytest.mark.parametrize(
    "text",
    [
        "[]," * 20000,
        "k: v\n" * 12000,
        "command: x\nchecks:\n" + "- x: a:1\n" * 390,
        "command: x\nchecks:\n- tcp: a:1\n" + "".join(f"  abcdefghijk{number}: 1\n" for number in range(1900)),
        "environment:\n" + "".join(f"  A{number}: v\n" for number in range(1900)),
        "'" + "a'' " * 16000,
        "command: x\nchecks:\n" + f"- file: /x\n  contains: '{'(a{9})' * 100}'\n" * 60,
        "k" * 65000 + ": x",
        "? " * 30000,
    ],
    ids=range(9),
)
def test_no_file_holds_up_the_daemon(text: str) -> None:
    """However it is made: all services wait meanwhile."""
    check_reading(text[: definition_file.MAX_BYTES])


@pytest.mark.parametrize(
    ("mode", "owner", "why"), [(0o646, 0, "others may write it"), (0o644, 65534, "belongs to uid")]
)
def test_a_file_that_others_can_write_is_not_believed(tmp_path: Path, mode: int, owner: int, why: str) -> None:
    """It decides what root runs."""
    require_root()
    path = tmp_path / "web.yaml"
    path.write_text("command: /bin/true\n")
    os.chown(path, owner, 0)
    path.chmod(mode)
    definition, (fault,) = definition_file.read(str(path))
    assert definition is None
    assert fault.startswith(f"{path}:1: {why}")
