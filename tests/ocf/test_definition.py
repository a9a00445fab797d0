"""Service definitions: what they mean, and every way in which they are wrong."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tocsin_ocf.definition import KEYS, Definition, read

PLAIN = {"command": "/bin/x"}


def test_a_command_is_enough() -> None:
    """All else has a default."""
    definition, faults = read(PLAIN)
    assert not faults and definition == Definition(("/bin/x",))
    assert definition.as_dict() == {
        "command": ["/bin/x"],
        "user": "",
        "group": "",
        "directory": "",
        "environment_file": "",
        "stop_signal": 15,
        "stop_timeout": None,
        "restart_attempts": 0,
        "restart_window": 3600.0,
    }


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/usr/sbin/nginx -g 'daemon off;'", ("/usr/sbin/nginx", "-g", "daemon off;")),
        ('redis-server --save ""', ("redis-server", "--save", "")),
        (r"/bin/x a\ b", ("/bin/x", "a b")),
        ("/bin/x $HOME *.c | y # z", ("/bin/x", "$HOME", "*.c", "|", "y", "#", "z")),
        (["/bin/x", "a b", "", "c\nd"], ("/bin/x", "a b", "", "c\nd")),
        (("/bin/x",), ("/bin/x",)),
        (["/bin/x", 5], ("/bin/x", "5")),
    ],
)
def test_a_command_is_split_as_a_shell_splits_and_no_more(command: object, words: "tuple[str, ...]") -> None:
    """No variables, no wildcards; a list is words already."""
    definition, faults = read({"command": command})
    assert not faults and definition and definition.command == words


@pytest.mark.parametrize("name", ["TERM", "SIGTERM", "term", "15", 15, "", None])
def test_a_signal_has_many_names(name: object) -> None:
    """And a default."""
    definition, _ = read({**PLAIN, "stop_signal": name})
    assert definition and definition.stop_signal == signal.SIGTERM


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("30s", 30),
        ("500ms", 0.5),
        ("2m", 120),
        ("2min", 120),
        ("1h", 3600),
        ("0.01ms", 1e-05),
        ("1.5 s", 1.5),
        (7, 7),
        (0.5, 0.5),
    ],
)
def test_a_time_is_spelled_as_pacemaker_spells_it(text: object, seconds: float) -> None:
    """A number alone is seconds."""
    definition, _ = read({**PLAIN, "stop_timeout": text})
    assert definition and definition.stop_timeout == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", None])
def test_no_time_is_left_to_whoever_stops(text: object) -> None:
    """It knows the operation's timeout."""
    definition, _ = read({**PLAIN, "stop_timeout": text})
    assert definition and definition.stop_timeout is None


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("command", "", "missing; give the program"),
        ("command", "  ", "missing; give the program"),
        ("command", [], "missing; give the program"),
        ("command", "'' x", "missing; give the program"),
        ("command", "x 'y", "no closing quotation; close the quote"),
        ("command", "x \\", "no escaped character; close the quote"),
        ("command", "bin/x", "'bin/x' is a relative path; give an absolute one"),
        ("command", "./x", "'./x' is a relative path; give an absolute one"),
        ("command", "/bin/x\ny", "a line break or NUL in it"),
        ("command", ["/bin/x", "a\0b"], "a line break or NUL in it"),
        ("command", ["/bin/x", {}], "not a text; put it in quotes"),
        ("command", {"a": 1}, "not a text; put it in quotes"),
        ("command", True, "not a text; put it in quotes"),
        ("user", "a b", "'a b' is not an account"),
        ("user", "-x", "'-x' is not an account"),
        ("group", "a:b", "'a:b' is not an account"),
        ("group", ["x"], "not a text"),
        ("directory", "x", "'x' is a relative path"),
        ("directory", "/x\0", "a line break or NUL in it"),
        ("environment_file", "../x", "'../x' is a relative path"),
        ("stop_signal", "FOO", "'FOO' is not a signal; give a name such as TERM"),
        ("stop_signal", "0", "'0' is not a signal"),
        ("stop_signal", "65", "'65' is not a signal"),
        ("stop_signal", "-9", "'-9' is not a signal"),
        ("stop_signal", "SIG_DFL", "'SIG_DFL' is not a signal"),
        ("stop_timeout", "soon", "'soon' is not a time; give seconds"),
        ("stop_timeout", "-1s", "'-1s' is not a time"),
        ("stop_timeout", "1d", "'1d' is not a time"),
        ("stop_timeout", "1.2.3", "'1.2.3' is not a time"),
        ("stop_timeout", "s", "'s' is not a time"),
        ("stop_timeout", "nan", "'nan' is not a time"),
        ("stop_timeout", "1e9", "'1e9' is not a time"),
        ("stop_timeout", "9" * 400, f"'{'9' * 400}' is too long"),
        ("stop_timeout", float("inf"), "'inf' is not a time"),
        ("comand", "/bin/x", "unknown; did you mean command?"),
        ("stop-signal", "TERM", "unknown; did you mean stop_signal?"),
        ("zzz", "x", "unknown; known are command, user, "),
    ],
)
def test_a_fault_says_what_is_wrong_and_what_would_be_right(key: str, value: object, message: str) -> None:
    """Once, under its key."""
    definition, faults = read({**PLAIN, key: value})
    assert definition is None
    ((found_key, found),) = [(fault.key, fault.message) for fault in faults]
    assert found_key == key and found.startswith(message)


def test_all_faults_are_found_at_once() -> None:
    """One round for the administrator, not five."""
    _, faults = read({"usr": "x", "directory": "x", "stop_signal": "x", "stop_timeout": "x"})
    assert [fault.key for fault in faults] == ["usr", "command", "directory", "stop_signal", "stop_timeout"]
    assert repr(faults[0]) == "usr: unknown; did you mean user?"


@given(
    some.dictionaries(
        some.sampled_from([*KEYS, "x"]),
        some.none() | some.booleans() | some.text() | some.floats() | some.lists(some.text()),
    )
)
def test_whatever_is_read_is_a_definition_or_faults_but_never_both(raw: "dict[str, object]") -> None:
    """And what is a definition is read again unchanged, for it travels as JSON."""
    definition, faults = read(raw)
    assert (definition is None) == bool(faults)
    if definition:
        assert read(definition.as_dict()) == (definition, [])


def test_definitions_compare_by_value() -> None:
    """A start with another one is not the start of the same service."""
    one, other = Definition(("/bin/x",)), Definition(("/bin/x",), user="u")
    assert one == Definition(("/bin/x",)) and hash(one) == hash(Definition(("/bin/x",)))
    assert one not in (other, "x") and "'user': 'u'" in repr(other)
