"""Service definitions: what they mean, and every way in which they are wrong."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tocsin_ocf.definition import KEYS, Definition, read

PLAIN = {"command": "/bin/x"}
MAPPINGS = some.dictionaries(some.text(max_size=3) | some.sampled_from(["nofile", "memory.max", "A"]), some.text())


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
        "pidfile": "",
        "unit": "",
        "driver": "",
        "settings": {},
        "environment": {},
        "umask": "",
        "nice": None,
        "limits": {},
        "cgroup": {},
        "ready": "checks",
        "checks": [],
        "promote_command": [],
        "demote_command": [],
        "promote_signal": 0,
        "demote_signal": 0,
        "notify_command": [],
        "promotion_score": {},
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
        some.none() | some.booleans() | some.text() | some.floats() | some.lists(some.text()) | MAPPINGS,
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


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (PLAIN, "process"),
        ({**PLAIN, "driver": "process"}, "process"),
        ({**PLAIN, "pidfile": "/run/x.pid"}, "pidfile"),
        ({**PLAIN, "pidfile": "/run/x.pid", "driver": "pidfile"}, "pidfile"),
        ({"unit": "nginx"}, "systemd"),
        ({"unit": "nginx.service", "driver": "systemd"}, "systemd"),
        ({"driver": "acme-vm", "settings": {"a": [1, {"b": None}]}}, "acme-vm"),
        ({**PLAIN, "driver": "acme"}, "acme"),
    ],
)
def test_the_driver_follows_from_what_is_given(raw: "dict[str, object]", name: str) -> None:
    """Only somebody else's has to be named."""
    definition, faults = read(raw)
    assert definition and definition.driver_name == name, faults
    assert read(definition.as_dict()) == (definition, [])


def test_parts_are_read_into_one_form() -> None:
    """Whichever of the allowed forms they came in."""
    definition, faults = read(
        {
            **PLAIN,
            "environment": {"A": 1, "B": "x\ny"},
            "umask": "0o7",
            "nice": "-5",
            "limits": {"nofile": "1024:64K", "core": 0, "as": "unlimited", "stack": [1, 2], "cpu": "5:infinity"},
            "cgroup": {"memory.max": "2G", "memory.high": "max", "cpu.weight": 100, "io.max": "8:0 rbps=1"},
            "ready": "notify",
            "checks": "tcp:a:1 http://b/c https://d unix:/e file:/f listen:80 systemd:g ocf:h:i exec:/j sd_notify:5s",
        }
    )
    assert definition, faults
    assert definition.environment == {"A": "1", "B": "x\ny"}
    assert (definition.umask, definition.nice, definition.ready) == ("007", -5, "notify")
    limits = {"nofile": [1024, 65536], "core": [0, 0], "as": [-1, -1], "stack": [1, 2], "cpu": [5, -1]}
    assert definition.limits == limits
    assert definition.cgroup == {"memory.max": "2G", "memory.high": "max", "cpu.weight": "100", "io.max": "8:0 rbps=1"}
    assert definition.checks == (
        *({"tcp": "a:1"}, {"http": "http://b/c"}, {"http": "https://d"}, {"unix": "/e"}, {"file": "/f"}),
        *({"listen": "80"}, {"systemd": "g.service"}, {"ocf": "h:i"}, {"exec": "/j"}, {"sd_notify": "5s"}),
    )
    assert read(definition.as_dict()) == (definition, [])


@pytest.mark.parametrize(
    ("raw", "key", "message"),
    [
        ({}, "command", "missing; give the program"),
        ({"driver": "process"}, "command", "missing"),
        ({"driver": "systemd"}, "unit", "missing; driver systemd needs it"),
        ({**PLAIN, "driver": "pidfile"}, "pidfile", "missing; driver pidfile needs it"),
        ({**PLAIN, "driver": "a b"}, "driver", "'a b' is not a driver"),
        ({**PLAIN, "unit": "nginx"}, "command", "not with unit, which says this itself: systemctl edit nginx.service"),
        ({"unit": "nginx", "limits": {"nofile": 1}}, "limits", "not with unit"),
        ({"unit": "nginx", "ready": "notify"}, "ready", "not with unit, which speaks to systemd only"),
        ({"unit": "nginx", "checks": "tcp:a:1 sd_notify:9"}, "checks[1].sd_notify", "not with unit"),
        ({"unit": "a@.service"}, "unit", "'a@.service' is not a unit"),
        ({"unit": "pacemaker"}, "unit", "'pacemaker.service' is what runs the cluster"),
        ({"unit": "a b"}, "unit", "'a b' is not a unit"),
        ({"unit": "x", "driver": "process"}, "unit", "not with driver process"),
        ({**PLAIN, "pidfile": "/x", "driver": "acme"}, "pidfile", "not with driver acme"),
        ({**PLAIN, "settings": {"a": 1}}, "settings", "of no use without a driver"),
        ({**PLAIN, "settings": {"a": 1}, "driver": "process"}, "settings", "of no use without a driver"),
        ({"driver": "x", "settings": {1: 2}}, "settings", "not a mapping"),
        ({"driver": "x", "settings": {"a": {1: 2}}}, "settings", "a key in it is not a text"),
        ({"driver": "x", "settings": {"a": {1}}}, "settings", "not a value of JSON"),
        ({"driver": "x", "settings": {"a": float("nan")}}, "settings", "a number that is none"),
        ({"driver": "x", "settings": 5}, "settings", "not a mapping"),
        ({**PLAIN, "nice": "20"}, "nice", "'20' is not a nice level; give one from -20 to 19"),
        ({**PLAIN, "umask": "8"}, "umask", "'8' is not a umask"),
        ({**PLAIN, "ready": "x"}, "ready", "'x' is none of checks, notify"),
        ({**PLAIN, "environment": {"1": "x"}}, "environment.1", "not a variable"),
        ({**PLAIN, "limits": {"nofile": ""}}, "limits.nofile", "'' is not a limit"),
        ({**PLAIN, "limits": {"nofile": "1:2:3"}}, "limits.nofile", "'1:2:3' is not a limit"),
        ({**PLAIN, "limits": {"nofile": "unlimited:2"}}, "limits.nofile", "'unlimited:2' has a soft limit above"),
        ({**PLAIN, "limits": {"files": 2}}, "limits.files", "unknown; did you mean nofile?"),
        ({**PLAIN, "cgroup": {"memory.max": ""}}, "cgroup.memory.max", "empty"),
        ({**PLAIN, "cgroup": {"memory/max": "1"}}, "cgroup.memory/max", "not a file of memory, cpu, pids or io"),
        ({**PLAIN, "checks": 5}, "checks[0]", "'5' is not a check"),
        ({**PLAIN, "checks": {"tcp": "x"}}, "checks", "not a text; put it in quotes"),
        ({**PLAIN, "checks": "process:x"}, "checks[0]", "'process:x' is not a check"),
        ({**PLAIN, "checks": "listen:80 listen:"}, "checks[1].listen", "'' is not a port"),
    ],
)
def test_what_does_not_go_together_is_said_at_the_key_to_change(
    raw: "dict[str, object]", key: str, message: str
) -> None:
    """Once."""
    definition, faults = read(raw)
    assert definition is None
    ((found_key, found),) = [(fault.key, fault.message) for fault in faults]
    assert found_key == key and found.startswith(message)


def test_settings_may_not_be_bottomless() -> None:
    """A reader would run out of stack."""
    deep: object = 1
    for _ in range(2000):
        deep = [deep]
    _, faults = read({"driver": "x", "settings": {"a": deep}})
    assert "nested too deeply" in faults[0].message
