"""Service definitions in YAML: every way in which a file is wrong gives its line and a sentence, never a traceback."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from jsonschema import Draft202012Validator

import example
from tests.requirements import require_root
from tocsin_daemon import definition_file, definition_schema
from tocsin_daemon.core.check import Spec
from tocsin_daemon.core.spec import OWN_DEFAULTS, specs
from tocsin_ocf import kinds, parts, roles
from tocsin_ocf.definition import KEYS, read
from tocsin_ocf.programs import PATH
from tocsin_ocf.targets import LEVELS

FAST = 2.0
"""Seconds; a tenth of it is usual for the worst, and CI is slow."""

MANY = "".join(f"  x{number}: 1\n" for number in range(50))
ROLES = "command: /bin/x\npromote_signal: USR1\ndemote_signal: USR2\n"
WRONG: list[tuple[str, int, str]] = [
    # the text itself
    ("", 1, "empty; a service definition is a mapping"),
    ("# nothing but a comment\n", 1, "empty; a service definition is a mapping"),
    ("- command: /bin/x\n", 1, "a service definition is a mapping of keys to values"),
    ("/bin/x -a\n", 1, "a service definition is a mapping"),
    ("\tcommand: /bin/x\n", 1, "not YAML: a tab; YAML indents with spaces"),
    ("checks:\n\t- tcp: a:1\n", 2, "not YAML: a tab"),
    ("command: /bin/x\nuser: 'redis\ngroup: x\n", 2, "not YAML: a quote that is opened here is never closed"),
    ('command: "/bin/x\n', 1, "not YAML: a quote that is opened here"),
    ("command: /bin/x\nuser: a: b\n", 2, "not YAML: a second colon, or wrong indentation"),
    ("command: /bin/x\n  user: redis\n", 2, "not YAML: a second colon, or wrong indentation"),
    ("command: /bin/x\nuser\ngroup: x\n", 2, "not YAML: neither KEY: VALUE nor indented"),
    ("command: /bin/x\nchecks:\n- tcp: [::1]:80\n", 3, "not YAML: this character begins no value; put the value"),
    ("command: [/bin/x, -a\n", 2, "not YAML: a bracket is not closed"),
    ("command: {a: b\nuser: x\n", 2, "not YAML: a"),
    ('command: "/bin/\\x"\n', 1, "not YAML: "),
    ('command: "/bin/\\y"\n', 1, "not YAML: in double quotes \\ begins an escape"),
    ("command: @x\n", 1, "not YAML: this character begins no value"),
    ("command: %x\n", 1, "not YAML: this character begins no value"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  - tcp: b:1\n", 4, "not YAML: "),
    ("command: /bin/x\n---\ncommand: /bin/y\n", 2, "not YAML: a second document begins here"),
    ("command: /bin/x\nuser: \x07\n", 2, "not YAML: a control character stands here"),
    ('command: "\\U99999999"\n', 1, "not YAML: "),
    ("[" * 5000, 1, "nested too deeply"),
    ("{a: " * 5000, 1, "nested too deeply"),
    ("- " * 5000, 1, "nested too deeply"),
    ("a:\n" + "".join(f"{' ' * depth}a:\n" for depth in range(1, 200)), 24, "nested too deeply"),
    ("command: /bin/x\n" + "".join(f"a{number}: 1\n" for number in range(4000)), 2000, "more than 4000 values"),
    # what YAML offers and a definition has no use for
    ("command: &a /bin/x\nuser: *a\n", 2, "*a is an alias; write out what it stands for"),
    ("a: &a {user: x}\n<<: *a\n", 2, "*a is an alias"),
    ("user: *nobody\n", 1, "*nobody is an alias"),
    ("a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n", 4, "*c is an alias"),
    ("command: !!python/object/apply:osstem [id]\n", 1, "tag:yaml.org,2002:python/object/apply:os"),
    ("command: !vault secret\n", 1, "!vault is a tag, which means nothing here"),
    ("command: /bin/x\n? [a, b]\n: c\n", 2, "a list or mapping stands where a key is wanted"),
    # keys
    ("command: /bin/x\nusr: redis\n", 2, "usr: unknown; did you mean user?"),
    ("command: /bin/x\nzzz: 1\n", 2, "zzz: unknown; known are command, user"),
    ("command: /bin/x\non: fail\n", 2, "on: unknown"),
    ("command: /bin/x\ncommand: /bin/y\n", 2, "command: stands here a second time; first in line 1"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  fall: 2\n  fall: 3\n", 5, "checks[0].fall: stands here a second time"),
    ("command: /bin/x\nlimits: {nofile: 1, nofile: 2}\n", 2, "limits.nofile: stands here a second time"),
    ("user: redis\n", 1, "command: missing; give the program and its arguments"),
    ("command:\n", 1, "command: missing; give the program"),
    ("driver: systemd\n", 1, "unit: missing; driver systemd needs it"),
    ("command: /bin/x\ndriver: pidfile\n", 1, "pidfile: missing; driver pidfile needs it"),
    ("command: /bin/x\nunit: nginx\n", 1, "command: not with unit"),
    ("unit: nginx\npidfile: /run/x\n", 2, "pidfile: not with unit"),
    ("unit: nginx\nenvironment: {A: b}\n", 2, "environment: not with unit"),
    ("unit: nginx\nstop_signal: QUIT\n", 2, "stop_signal: not with unit"),
    ("unit: nginx\ndriver: acme\n", 1, "unit: not with driver acme"),
    ("command: /bin/x\nsettings: {a: 1}\n", 2, "settings: of no use without a driver that reads them"),
    # values
    ("command: ''\n", 1, "command: empty; give a value"),
    ("command: []\n", 1, "command: empty; give at least one"),
    ("command: {a: b}\n", 1, "command: a mapping stands where a text or a list is wanted"),
    ("command: [a, [b]]\n", 1, "command[1]: a list stands where a text is wanted"),
    ("command: bin/x\n", 1, "command: 'bin/x' is a relative path; give an absolute one"),
    ("command: >-\n  /bin/x 'a\n", 1, "command: no closing quotation; close the quote"),
    ("command: /bin/x\nuser: a b\n", 2, "user: 'a b' is not an account"),
    ("command: /bin/x\nuser: [redis]\n", 2, "user: a list stands where a text is wanted"),
    ("command: /bin/x\ndirectory: srv\n", 2, "directory: 'srv' is a relative path"),
    ("command: /bin/x\nenvironment: A=b\n", 2, "environment: 'A=b' stands where a mapping is wanted, such as:"),
    ("command: /bin/x\nenvironment:\n  A: 1\n  A-B: 2\n", 4, "environment.A-B: not a variable"),
    ("command: /bin/x\nenvironment:\n  A: [1]\n", 3, "environment.A: a list stands where a text is wanted"),
    ("command: /bin/x\numask: 099\n", 2, "umask: '099' is not a umask; give octal digits"),
    ("command: /bin/x\nnice: -30\n", 2, "nice: -30 is too little; give at least -20"),
    ("command: /bin/x\nnice: high\n", 2, "nice: 'high' stands where a whole number is wanted"),
    ("command: /bin/x\nnice: 05\n", 2, "nice: '05' stands where a whole number is wanted"),
    ("command: /bin/x\nlimits:\n  nofil: 5\n", 3, "limits.nofil: unknown; did you mean nofile?"),
    ("command: /bin/x\nlimits:\n  nofile: lots\n", 3, "limits.nofile: 'lots' is not a size"),
    ("command: /bin/x\nlimits:\n  nofile: 9:3\n", 3, "limits.nofile: '9:3' has a soft limit above the hard one"),
    ("command: /bin/x\ncgroup:\n  memory.max: 2 gigs\n", 3, "cgroup.memory.max: '2 gigs' is not a size"),
    ("command: /bin/x\ncgroup:\n  cgroup.kill: 1\n", 3, "cgroup.cgroup.kill: not a file of memory, cpu, pids or io"),
    ("command: /bin/x\nstop_signal: FOO\n", 2, "stop_signal: 'FOO' is not a signal; give a name such as TERM"),
    ("command: /bin/x\nstop_timeout: soon\n", 2, "stop_timeout: 'soon' is not a time; give seconds"),
    ("command: /bin/x\nstop_timeout: 5d\n", 2, "stop_timeout: '5d' is not a time"),
    ("command: /bin/x\nrestart_attempts: 1000\n", 2, "restart_attempts: 1000 is too much; give at most 100"),
    ("command: /bin/x\nready: always\n", 2, "ready: 'always' is none of checks, notify"),
    ("unit: ../x\n", 1, "unit: '../x' is not a unit; give a name such as nginx.service"),
    # roles
    ("command: /bin/x\npromote_command: /bin/p\n", 1, "demote_command: missing; beside promote_command give it, or"),
    ("command: /bin/x\ndemote_signal: USR2\n", 1, "promote_command: missing; beside demote_signal give it, or"),
    (
        "command: /bin/x\npromote_command: /bin/p\npromote_signal: USR1\ndemote_command: /bin/d\n",
        3,
        "promote_signal: not with promote_command; remove one of the two",
    ),
    (
        "command: /bin/x\npromote_signal: USR1\ndemote_command: /bin/d\ndemote_signal: 9\n",
        4,
        "demote_signal: not with demote_command; remove one of the two",
    ),
    ("command: /bin/x\npromote_command: bin/p\n", 2, "promote_command: 'bin/p' is a relative path"),
    ("command: /bin/x\ndemote_command: {a: b}\n", 2, "demote_command: a mapping stands where a text or a list"),
    ("command: /bin/x\npromote_signal: NONE\n", 2, "promote_signal: 'NONE' is not a signal"),
    ("command: /bin/x\ndemote_signal: 0\n", 2, "demote_signal: '0' is not a signal"),
    ("command: /bin/x\nnotify_command: ''\n", 2, "notify_command: empty; give a value"),
    ("command: /bin/x\npromotion_score: 5\n", 2, "promotion_score: of no use without promote_command or promote"),
    (f"{ROLES}promotion_score: high\n", 4, "promotion_score: 'high' is not a score; give a whole number"),
    (f"{ROLES}promotion_score: 1000001\n", 4, "promotion_score: '1000001' is not a score; give a whole number"),
    (f"{ROLES}promotion_score: [5]\n", 4, "promotion_score: a list stands where a mapping or a text is wanted"),
    ("command: /bin/x\npromotion_score: {}\n", 2, "promotion_score: empty; give at least one, such as: {well: 100"),
    (f"{ROLES}promotion_score:\n  wel: 5\n", 5, "promotion_score.wel: unknown; did you mean well?"),
    (f"{ROLES}promotion_score:\n  degraded: 1.5\n", 5, "promotion_score.degraded: '1.5' is not a score"),
    (f"{ROLES}promotion_score:\n  command: s 'x\n", 5, "promotion_score.command: no closing quotation"),
    (f"{ROLES}promotion_score: {{interval: 0}}\n", 4, "promotion_score.interval: no time at all; give more"),
    (f"{ROLES}promotion_score: {{dampening: 5d}}\n", 4, "promotion_score.dampening: '5d' is not a time"),
    # checks
    ("command: /bin/x\nchecks: {tcp: 'a:1'}\n", 2, "checks: a mapping stands where a list or a text is wanted"),
    ("command: /bin/x\nchecks: tcp:a:1 tpc:a:2\n", 2, "checks[1]: 'tpc:a:2' is not a check; give words such as"),
    ("command: /bin/x\nchecks:\n- tcp:a:1\n", 3, "checks[0]: not a mapping; give its kind and target"),
    ("command: /bin/x\nchecks:\n- interval: 2s\n", 3, "checks[0]: a check names exactly one kind: tcp, unix, http"),
    ("command: /bin/x\nchecks:\n- htp: http://x\n", 3, "none is here; did you mean http?"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  file: /x\n", 3, "not tcp and file; split it"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  timout: 5\n", 4, "checks[0].timout: unknown; did you mean timeout?"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  body: x\n", 4, "checks[0].body: unknown"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n- tcp: localhost\n", 4, "checks[1].tcp: 'localhost' is not an address"),
    ("command: /bin/x\nchecks:\n- tcp: localhost:99999\n", 3, "checks[0].tcp: '99999' is not a port; give one from"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  interval: 0\n", 4, "checks[0].interval: no time at all; give more"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  fall: 0\n", 4, "checks[0].fall: 0 is too little; give at least 1"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  window: 3/5\n", 4, "'3/5' is not a window; give failures and looks"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  window: 6 of 5\n", 4, "'6' is not a number of failures in so many"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  fall: 2\n  window: 3 of 5\n", 5, "window: not with fall"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  on: stop\n", 4, "checks[0].on: 'stop' is none of fail, degrade, log"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  role: master\n", 4, "checks[0].role: 'master' is none of promoted"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n  expect: '(PONG'\n", 4, "'(PONG' is not a regular expression: missing )"),
    ("command: /bin/x\nchecks:\n- http: ftp://x/\n", 3, "checks[0].http: 'ftp://x/' is not a URL"),
    ("command: /bin/x\nchecks:\n- http: http://x:99999/\n", 3, "checks[0].http: 'http://x:99999/' is not a URL"),
    ("command: /bin/x\nchecks:\n- http: http://[::1/\n", 3, "'http://[::1/' is not a URL (invalid ipv6 url)"),
    ("command: /bin/x\nchecks:\n- http: http://u:p@x/\n", 3, "an account, or a part after #"),
    ("command: /bin/x\nchecks:\n- http: http://x/\n  status: 99\n", 4, "'99' is not a status of HTTP"),
    ("command: /bin/x\nchecks:\n- http: http://x/\n  status: 300-200\n", 4, "'300-200' is no range; give the lower"),
    ("command: /bin/x\nchecks:\n- http: http://x/\n  method: get\n", 4, "'get' is none of GET, HEAD, POST"),
    ("command: /bin/x\nchecks:\n- http: http://x/\n  verify: maybe\n", 4, "'maybe' stands where true or false is"),
    ("command: /bin/x\nchecks:\n- http: http://x/\n  ca: /x.pem\n", 4, "checks[0].ca: of no use with http://"),
    (
        "command: /bin/x\nchecks:\n- http: https://x/\n  verify: no\n  ca: /x\n",
        5,
        "checks[0].ca: not with verify: false",
    ),
    ("command: /bin/x\nchecks:\n- http: http://x/\n  headers: {a b: c}\n", 4, "headers.a b: not the name of a header"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n" + "  x: 1\n" * 50, 5, "checks[0].x: stands here a second time"),
    ("command: /bin/x\nchecks:\n- tcp: a:1\n" + MANY, 3, "checks[0]: 50 keys here are unknown; known are tcp"),
    ("command: /bin/x\n" + MANY.replace("  ", ""), 1, "50 keys here are unknown; known are command"),
    ("command: /bin/x\nchecks:\n-\n", 3, "checks[0]: not a mapping; give its kind and target"),
    ("command: /bin/x\nchecks:\n- process:\n", 3, "checks[0].process: nothing stands here; give a mapping"),
    ("command: /bin/x\nchecks:\n- exec:\n", 3, "checks[0].exec: empty; give a value"),
    ("command: /bin/x\nchecks:\n- file: x\n", 3, "checks[0].file: 'x' is a relative path"),
    ("command: /bin/x\nchecks:\n- file: /x\n  exists: false\n  max_age: 5s\n", 5, "max_age: not with exists: false"),
    ("command: /bin/x\nchecks:\n- process: 2G\n", 3, "checks[0].process: '2G' stands where a mapping is wanted"),
    ("command: /bin/x\nchecks:\n- process: {}\n", 3, "checks[0].process: empty; give at least one, such as"),
    ("command: /bin/x\nchecks:\n- process:\n    rs: 2G\n", 4, "checks[0].process.rs: unknown; did you mean rss?"),
    ("command: /bin/x\nchecks:\n- process:\n    rss: {sof: 1}\n", 4, "process.rss.sof: unknown; did you mean soft?"),
    ("command: /bin/x\nchecks:\n- process:\n    rss: {soft: 2G, hard: 1G}\n", 4, "the soft limit is above the hard"),
    ("command: /bin/x\nchecks:\n- listen: http\n", 3, "checks[0].listen: 'http' is not a port"),
    ("command: /bin/x\nchecks:\n- systemd: a/b\n", 3, "checks[0].systemd: 'a/b' is not a unit"),
    ("command: /bin/x\nchecks:\n- ocf: redis\n", 3, "checks[0].ocf: 'redis' is not an OCF agent"),
    ("command: /bin/x\nchecks:\n- sd_notify: yes\n", 3, "checks[0].sd_notify: 'yes' is not a time"),
    ("command: /bin/x\nchecks:\n- {tcp: 'a:1', name: a}\n- {tcp: 'b:1', name: a}\n", 4, "[1].name: another check"),
    ("command: /bin/x\nchecks:\n" + "- tcp: a:1\n" * 101, 2, "checks: too many, or too long; at most 100"),
]


@pytest.mark.parametrize(("text", "line", "said"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    """In a sentence that says what would be right."""
    definition, faults = definition_file.parse("web.yaml", text)
    assert definition is None
    assert [fault for fault in faults if fault.startswith(f"web.yaml:{line}: ") and said in fault], faults


def test_the_corpus_is_large() -> None:
    """The issue asks for sixty."""
    assert len(WRONG) >= 60


BYTES = [
    ("command: /bin/x\nuser: J\xfcrgen\n".encode("latin-1"), 2, "not UTF-8: byte 0xfc; save it as UTF-8"),
    ("command: /bin/x\n".encode("utf-16"), 1, "this is UTF-16; save it as UTF-8"),
    ("command: /bin/x\n".encode("utf-16-be"), 1, "a NUL byte; this is no text in UTF-8"),
    ("command: /bin/x\n".encode("utf-32"), 1, "UTF-16; save it as UTF-8"),
    (b"\x7fELF\x02\x01\x01\0\0", 1, "a NUL byte"),
    (b"\x1f\x8b\x08", 1, "not UTF-8"),
    (b"command: /bin/x\n# " + b"x" * 100_000, 1, "longer than 65536 bytes; a service definition is a short text file"),
]


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


def test_what_only_the_schema_refuses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what validates, also where nobody has words for it."""
    monkeypatch.setattr(definition_schema, "faults", lambda value: [("user", "")])
    definition, faults = definition_file.parse("f", "command: /bin/x\nuser: a\n")
    assert definition is None and faults == ["f:2: user: not what the schema of service definitions allows"]


def test_the_schema_is_one() -> None:
    """Of the draft that it names."""
    schema = definition_schema.schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    assert "default" in json.dumps(schema)


def test_schema_and_readers_know_the_same_keys() -> None:
    """They are two files: this is what keeps them one."""
    schema = definition_schema.schema()
    assert set(schema["properties"]) == set(KEYS)
    assert list(schema["properties"]["limits"]["properties"]) == list(parts.LIMITS)
    assert schema["properties"]["ready"]["enum"] == list(parts.READY)
    checks = {option["$ref"].rpartition("_check_")[2] for option in schema["properties"]["checks"]["items"]["oneOf"]}
    assert {name.removeprefix("#/$defs/check_") for name in checks} == set(kinds.KINDS)
    for name, kind in kinds.KINDS.items():
        assert set(schema["$defs"][f"check_{name}"]["properties"]) == {name, *kinds.COMMON, *kind.options}
    assert list(schema["properties"]["promotion_score"]["properties"]) == list(roles.SCORE)
    assert set(schema["$defs"]["check_process"]["properties"]["process"]["properties"]) == set(LEVELS)


def test_the_defaults_that_the_schema_names_are_those_that_hold() -> None:
    """What the manual says is what happens."""
    (plain,), defs = specs([{"tcp": "a:1"}]), definition_schema.schema()["$defs"]
    told = {name: defs[name]["default"] for name in kinds.COMMON if "default" in defs[name]}
    (named,) = specs([{"tcp": "a:1", **told, "name": plain.name}])
    assert named == plain
    defaults = {each.name for each in fields(Spec) if each.default is not MISSING}
    assert defaults - set(told) == {"window", "role"} and set(OWN_DEFAULTS) < set(kinds.KINDS)
    for key, part in definition_schema.schema()["properties"].items():
        if "default" in part:
            assert read({"command": "x", key: part["default"]})[0] in (read({"command": "x"})[0], _with_root(key))


def test_the_defaults_of_a_score_are_those_that_the_schema_names() -> None:
    """Its command has none."""
    told = definition_schema.schema()["properties"]["promotion_score"]["properties"]
    score = {key: part["default"] for key, part in told.items() if "default" in part}
    assert roles.promotion_score(score) == roles.SCORE and set(roles.SCORE) - set(score) == {"command"}


def _with_root(key: str) -> object:
    """Return the definition in which the working directory is written out: "" means the same."""
    return read({"command": "x", **({"directory": "/"} if key == "directory" else {})})[0]


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
