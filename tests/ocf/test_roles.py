"""What a definition says of roles: commands or signals for both ways, and a score in one form."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tocsin_ocf import wire
from tocsin_ocf.definition import Definition, read
from tocsin_ocf.exit_codes import OCF_ERR_INSTALLED
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.local import local_fault, local_faults
from tocsin_ocf.operation import body, environment
from tocsin_ocf.programs import PATH
from tocsin_ocf.roles import INFINITY, SCORE

PLAIN = {"command": "/bin/x"}
ROLES = {**PLAIN, "promote_command": "/bin/p a", "demote_signal": "USR2"}
WAYS = {"promote_command": "/bin/p", "promote_signal": "USR1", "demote_command": "/bin/d", "demote_signal": 12}
UNIT = {"unit": "nginx", "promote_command": "/bin/p", "demote_command": "/bin/d", "notify_command": "/bin/n"}
NODES, INSTANCES = 32, 3200


def test_ways_to_change_a_role_are_read() -> None:
    """A command into words, a signal into its number."""
    definition, faults = read({**ROLES, "notify_command": ["n", 1]})
    assert definition, faults
    assert (definition.promote_command, definition.demote_signal) == (("/bin/p", "a"), 12)
    assert definition.notify_command == ("n", "1") and definition.promotable
    assert read(json.loads(json.dumps(definition.as_dict()))) == (definition, [])


def test_most_services_have_no_roles() -> None:
    """And no score; who is only told of others has none either."""
    for raw in (PLAIN, {**PLAIN, "notify_command": "n", "promote_signal": 0, "promotion_score": {}}):
        definition, faults = read(raw)
        assert definition and not faults and not definition.promotable
        assert (definition.promotion_score, definition.promote_signal) == ({}, 0)


@pytest.mark.parametrize("given_", [ways for n in range(5) for ways in itertools.combinations(WAYS, n)])
def test_each_way_is_there_once_and_has_its_way_back(given_: tuple[str, ...]) -> None:
    """All sixteen combinations: well are none, and one of each direction."""
    definition, faults = read({**PLAIN, **{key: WAYS[key] for key in given_}})
    promote, demote = ([key for key in given_ if key.startswith(way)] for way in ("promote", "demote"))
    twice = [f"{keys[0].partition('_')[0]}_signal" for keys in (promote, demote) if len(keys) > 1]
    missing = ["demote_command"] * (not demote) + ["promote_command"] * (not promote) if given_ else []
    assert sorted(fault.key for fault in faults) == sorted(twice + missing)
    assert (definition is not None) == (len(promote) == len(demote) < 2)
    assert all(("not with" in fault.message) == (fault.key in twice) for fault in faults)
    assert all(fault.message.startswith("missing; beside ") for fault in faults if fault.key in missing)


def test_a_unit_has_roles_too() -> None:
    """Nobody else says how it is promoted."""
    definition, faults = read(UNIT)
    assert definition and definition.promotable and not faults


@pytest.mark.parametrize(
    ("value", "differs"),
    [
        (None, {}),
        ("", {}),
        ({}, {}),
        (50, {"well": 50}),
        ("-INFINITY", {"well": -INFINITY}),
        ("+infinity", {"well": INFINITY}),
        ({"well": "1000000", "degraded": -1}, {"well": INFINITY, "degraded": -1}),
        ({"command": "/bin/s -x", "well": None}, {"command": ["/bin/s", "-x"]}),
        ({"interval": "1m", "timeout": 2, "dampening": 0}, {"interval": 60.0, "timeout": 2.0, "dampening": 0.0}),
        (dict(SCORE), {}),
    ],
)
def test_a_score_has_every_key(value: object, differs: dict[str, object]) -> None:
    """Whichever are given, or a number alone; and it travels as JSON."""
    definition, faults = read({**ROLES, "promotion_score": value})
    assert definition, faults
    assert definition.promotion_score == {**SCORE, **differs}
    assert read(json.loads(json.dumps(definition.as_dict()))) == (definition, [])


@pytest.mark.parametrize(
    ("value", "key", "message"),
    [
        ("high", "", "'HIGH' is not a score; give a whole number, such as 100, or INFINITY"),
        (1000001, "", "'1000001' is not a score"),
        ("9" * 400, "", f"'{'9' * 20}' is not a score"),
        (1.5, "", "'1.5' is not a score"),
        (True, "", "not a text"),
        ([], "", "not a text"),
        ({"wel": 1}, ".wel", "unknown; did you mean well?"),
        ({1: 1}, ".1", "unknown; known are well, degraded"),
        ({"well": "-"}, ".well", "'-' is not a score"),
        ({"degraded": "INF"}, ".degraded", "'INF' is not a score"),
        ({"command": "s"}, "", ""),
        ({"command": "./s"}, ".command", "'./s' is a relative path"),
        ({"interval": 0}, ".interval", "no time at all"),
        ({"timeout": "soon"}, ".timeout", "'soon' is not a time"),
        ({"dampening": "-1s"}, ".dampening", "'-1s' is not a time"),
    ],
)
def test_what_is_no_score_is_a_fault_at_its_key(value: object, key: str, message: str) -> None:
    """Once; and none for what is right."""
    faults = read({**ROLES, "promotion_score": value})[1]
    assert [fault.key for fault in faults] == [f"promotion_score{key}"] * bool(message)
    assert all(fault.message.startswith(message) for fault in faults)


def test_a_score_without_roles_is_of_no_use() -> None:
    """Silently it would not count."""
    ((key, message),) = [(fault.key, fault.message) for fault in read({**PLAIN, "promotion_score": 5})[1]]
    assert key == "promotion_score" and message.startswith("of no use without promote_command or promote_signal")


def test_a_check_of_a_role_without_roles_is_of_no_use() -> None:
    """It would never be made, and whoever wrote it would rely on it."""
    checks = [{"tcp": "127.0.0.1:1"}, {"tcp": "127.0.0.1:2", "role": "promoted"}]
    ((key, message),) = [(fault.key, fault.message) for fault in read({**PLAIN, "checks": checks})[1]]
    assert key == "checks[1].role" and message.startswith("of no use without promote_command or promote_signal")


def test_what_changes_the_service_has_to_be_here_before_a_start() -> None:
    """What only tells or judges is named by a look at the file."""
    definition = Definition(("/bin/true",), promote_command=("no-such-p",), demote_command=("/bin/true",))
    assert local_fault(definition) == (OCF_ERR_INSTALLED, f"parameter promote_command: no program no-such-p in {PATH}")
    score = {**SCORE, "command": ["no-such-s"]}
    told = Definition(("true",), promote_signal=10, notify_command=("no-such-n",), promotion_score=score)
    assert local_fault(told) is None
    assert [key for key, _, _ in local_faults(told)] == ["notify_command", "promotion_score.command"]


NAMES = some.sampled_from(["OCF_RESKEY_CRM_meta_x", "OCF_RESOURCE_INSTANCE", "OCF_RESKEY_command", "PATH", "HOME"])


@given(some.dictionaries(NAMES, some.binary(max_size=20).filter(lambda value: b"\0" not in value)))
def test_the_environment_is_pacemakers_alone_and_keeps_every_byte(raw: dict[str, bytes]) -> None:
    """Whatever encoding it has; parameters, which may hold passwords, are not handed on."""
    asked = Invocation({name.encode(): value for name, value in raw.items()})
    kept = {name: value for name, value in raw.items() if "meta" in name or name.endswith("INSTANCE")}
    told = json.loads(body(asked, more=1))
    assert told["environment"] == environment(asked) and (told["more"], set(told)) == (1, {*told, "timeout"})
    assert {name: value.encode("utf-8", "surrogateescape") for name, value in told["environment"].items()} == kept


def test_the_notification_of_the_biggest_clone_fits_into_a_request() -> None:
    """A hundred instances on each of 32 nodes: each is in at most six lists of instances and six of nodes."""
    names = " ".join(f"postgresql-shard:{number}" for number in range(INSTANCES))
    nodes = " ".join(f"node-{number % NODES:02}.cluster" for number in range(INSTANCES))
    lists = ("active", "unpromoted", "slave", "start", "promote", "demote")
    raw = {f"OCF_RESKEY_CRM_meta_notify_{one}_resource": names for one in lists}
    raw.update({f"OCF_RESKEY_CRM_meta_notify_{one}_uname": nodes for one in lists})
    sent = body(Invocation({name.encode(): value.encode() for name, value in raw.items()}))
    line = wire.request_line("t" * 32, "NOTIFY", "postgresql-shard:0", sent)
    assert wire.MAX_REQUEST / 2 < len(line) <= wire.MAX_REQUEST


def test_a_driver_of_somebody_else_may_have_a_score_without_commands() -> None:
    """It may change roles by itself; ours cannot."""
    definition, faults = read({"driver": "acme-vm", "promotion_score": 50})
    assert definition is not None and definition.promotion_score["well"] == 50, faults
    assert [fault.key for fault in read({"driver": "process", "command": "x", "promotion_score": 50})[1]] == [
        "promotion_score"
    ]
